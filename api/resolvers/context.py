"""What resolvers may know of a request: who asks, in which language, and what there is to answer with."""

from __future__ import annotations

from dataclasses import dataclass, field

from api.resolvers.catalogs import Catalogs
from api.resolvers.compiler import Compiler
from api.resolvers.ledger import Ledger
from api.resolvers.limits import ORDINARY, Limits
from api.resolvers.start import Start
from api.schema.names import Vocabulary
from engine.engine import Engine
from semantic.model.model import Model
from semantic.query.query import ANONYMOUS, Viewer

EVERY_ROW = 2**31 - 1
"""More than any answer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request.

    `locale` (one tag such as `zh-CN`, or an Accept-Language text) chooses labels; None: the model's default.
    `may_see_sql` lets `meta.sql` out, `may_see_entities` the ids of who left a funnel. `limits`: the viewer's.
    `discreet`: tell nothing of the schema, of SQL, or of names that were probably meant. `ledger`: what the request has
    come to so far. `start`: where its questions wait for each other.
    """

    model: Model
    names: Vocabulary
    engine: Engine
    compiler: Compiler
    catalogs: Catalogs
    viewer: Viewer = ANONYMOUS
    locale: str | None = None
    may_see_sql: bool = False
    may_see_entities: bool = True
    limits: Limits = ORDINARY
    discreet: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    start: Start = field(default_factory=Start)

    @property
    def max_rows(self) -> int:
        """The most rows one field may return."""
        return self.limits.rows or EVERY_ROW

"""What resolvers may know of a request: who asks, in which language, and what there is to answer with."""

from __future__ import annotations

from dataclasses import dataclass

from api.resolvers.catalogs import Catalogs
from api.resolvers.compiler import Compiler
from api.schema.names import Vocabulary
from engine.engine import Engine
from semantic.model.model import Model
from semantic.query.query import ANONYMOUS, Viewer

MAX_ROWS = 100_000
"""The largest `limit` when nothing else is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request.

    `locale` (one tag such as `zh-CN`, or an Accept-Language text) chooses labels; None: the model's default.
    `may_see_sql` lets `meta.sql` out, `may_see_entities` the ids of who left a funnel. `max_rows`: the most rows one
    field may return.
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
    max_rows: int = MAX_ROWS

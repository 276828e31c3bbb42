"""What one version of a model is served with, and what a request knows.

The HTTP layer holds one `Snapshot`, swaps it as a whole on a reload, and makes a `Context` from it for each request:

    snapshot = build_snapshot(model, facts, engine)          # api.execute; some 30 ms: off the event loop
    context = snapshot.context(viewer=…, locale="zh-CN", may_see_sql=True)
    response = await execute(snapshot, document, variables, operation_name, context)      # api.execute
    response.body        # JSON bytes, for either media type
    response.outcome     # Outcome.REFUSED → 400 under application/graphql-response+json
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from cachetools import LRUCache

from api.operations import Schemas
from api.planned import Plans
from api.resolvers.catalogs import Catalogs
from api.resolvers.compiler import Compiler
from api.resolvers.context import Context
from api.resolvers.ledger import NO_ACCOUNT, Account
from api.resolvers.limits import ORDINARY, Limits
from api.schema.names import Vocabulary
from engine.engine import Engine
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.access import hidden_names
from semantic.query.access import may_see_sql as policies_show_sql
from semantic.query.query import ANONYMOUS, Viewer

KNOWN_VIEWS = 32
"""How many differently hiding schemas are kept: a model with five hide policies has at most so many."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One model version and all it is served with. `version` changes with the model's text and its data's types."""

    model: Model
    names: Vocabulary
    facts: Facts
    engine: Engine
    schemas: Schemas
    compiler: Compiler
    catalogs: Catalogs
    plans: Plans
    version: str
    locales: tuple[str, ...]
    views: Views

    def seen_by(self, viewer: Viewer) -> Snapshot:
        """The same without what is hidden from a viewer. Some tens of milliseconds when made for the first time."""
        hidden = hidden_names(self.model, viewer)
        if hidden == self.model.hidden:
            return self
        return replace(self.views.get(hidden), engine=self.engine, compiler=self.compiler)

    def knows_what_is_seen_by(self, viewer: Viewer) -> bool:
        """Whether `seen_by` has nothing to make."""
        hidden = hidden_names(self.model, viewer)
        return hidden == self.model.hidden or self.views.has(hidden)

    def context(
        self,
        viewer: Viewer = ANONYMOUS,
        locale: str | None = None,
        may_see_sql: bool = False,
        may_see_entities: bool = True,
        limits: Limits = ORDINARY,
        discreet: bool = False,
    ) -> Context:
        """What one request knows. `locale` is one language tag, or an Accept-Language header's text.

        `limits` are what the viewer's claims don't say otherwise. FORBIDDEN when they say what is no limit.
        """
        seen = self.seen_by(viewer)
        return Context(
            model=seen.model,
            names=seen.names,
            engine=self.engine,
            compiler=self.compiler,
            catalogs=seen.catalogs,
            viewer=viewer,
            locale=locale,
            may_see_sql=may_see_sql and not discreet and policies_show_sql(self.model, viewer),
            may_see_entities=may_see_entities,
            limits=limits.of(viewer),
            discreet=discreet,
        )


class Views:
    """A snapshot as those see it from whom something is hidden, by what that is; the last `KNOWN_VIEWS` are kept."""

    def __init__(self, make: Callable[[frozenset[str]], Snapshot]) -> None:
        self._make = make
        self._made: LRUCache[frozenset[str], Snapshot] = LRUCache(KNOWN_VIEWS)
        self._lock = Lock()

    def has(self, hidden: frozenset[str]) -> bool:
        """Whether that snapshot was made."""
        return hidden in self._made

    def get(self, hidden: frozenset[str]) -> Snapshot:
        """The snapshot without these metrics and dimensions."""
        with self._lock:
            made = self._made.get(hidden)
            if made is None:
                made = self._made[hidden] = self._make(hidden)
            return made


class Outcome(StrEnum):
    """What became of a request, from which a transport derives its status."""

    OK = "ok"
    """`data`, no errors."""
    PARTIAL = "partial"
    """`data` with at least one field that failed; the others are answered."""
    REFUSED = "refused"
    """No `data`: the document does not parse, validate, or its variables do not fit. Nothing was run."""


@dataclass(frozen=True, slots=True)
class Response:
    """A GraphQL response. `codes`: `extensions.code` of every error, in order. `operation`: its type, `name`: its
    own, where known.

    `account`: what was asked and what it took. `retry_after`: seconds until it is worth asking again, where nothing was
    answered because too many ask or because it takes longer.
    """

    body: bytes
    outcome: Outcome
    codes: tuple[str, ...] = ()
    operation: str | None = None
    name: str | None = None
    account: Account = NO_ACCOUNT
    retry_after: float | None = None

    @property
    def is_refused(self) -> bool:
        """Whether nothing was run."""
        return self.outcome is Outcome.REFUSED

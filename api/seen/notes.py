"""What a door knows of the request it answers, left where those who look on find it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from api.context import Response
from api.resolvers.context import Context
from api.resolvers.ledger import NO_ACCOUNT, Account, Ledger
from semantic.model.model import Model
from semantic.query.query import ANONYMOUS, Viewer

KEY = "headwater.notes"
"""Where they are in an ASGI scope."""


@dataclass(slots=True, eq=False)
class Notes:
    """Of one request. `name` and `kind`: of the GraphQL operation. `codes`: of errors. `discreet`: a stranger is to be
    told as little as possible. `kept`: the whole answer was one kept before.
    """

    viewer: Viewer = ANONYMOUS
    model: Model | None = None
    name: str | None = None
    kind: str | None = None
    codes: tuple[str, ...] = ()
    discreet: bool = False
    ledger: Ledger | None = None
    answered: Account | None = None
    kept: bool = False

    @property
    def account(self) -> Account:
        """What was asked, and what it took so far."""
        if self.answered is not None:
            return self.answered
        return NO_ACCOUNT if self.ledger is None else self.ledger.account()

    def came(self, answered: Response) -> None:
        """What the answer is."""
        self.name, self.kind, self.codes = answered.name, answered.operation, answered.codes
        self.answered = answered.account

    def kept_one(self, answered: Response, viewer: Viewer, model: Model) -> None:
        """That the answer is one that was kept."""
        self.came(answered)
        self.viewer, self.model, self.kept = viewer, model, True

    def of(self, context: Context) -> None:
        """Who asks, and of which model."""
        self.viewer, self.model, self.discreet = context.viewer, context.model, context.discreet
        self.ledger = context.ledger


def notes_of(scope: MutableMapping[str, Any]) -> Notes:
    """Those of a request; nobody sees them where nobody looks on."""
    notes = scope.get(KEY)
    return notes if isinstance(notes, Notes) else Notes()

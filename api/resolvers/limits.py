"""What one viewer may ask for at once. Each refusal says the limit and the demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from semantic.errors import Code, QueryError
from semantic.query.query import Viewer

PREFIX = "limit_"
"""A claim `limit_rows` of a viewer takes the place of the limit `rows`."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one request, or of all of a viewer's: `rate`, `burst`, `concurrency` and `subscriptions`. 0: no limit.

    `document`: its characters. `tokens`, `depth` (levels of fields), `fields`, `aliases`, `directives`: of the
    document, a fragment's counted wherever it is used. `rows`: of one field. `answer`: bytes of all rows together.
    `scan`: rows of files that are read for it, as estimated before anything runs. `deadline`: seconds of one query,
    beside the server's. `concurrency`: queries that run at the same time. `subscriptions`: open at the same time.
    `rate`: requests a second, on average; `burst`: at once.
    """

    document: int = MIB
    tokens: int = 20_000
    depth: int = 20
    fields: int = 2000
    aliases: int = 1000
    directives: int = 200
    rows: int = 100_000
    answer: int = 64 * MIB
    scan: int = 0
    deadline: float = 0
    concurrency: int = 0
    subscriptions: int = 0
    rate: float = 0
    burst: int = 0

    def of(self, viewer: Viewer) -> Limits:
        """These, with what the viewer's claims say instead. FORBIDDEN when a claim is no number a limit can be."""
        own = {name.removeprefix(PREFIX): value for name, value in viewer.claims if name.startswith(PREFIX)}
        changes: dict[str, Any] = {name: _read(name, value) for name, value in own.items() if name in _READ}
        return replace(self, **changes) if changes else self


MOST_FIELDS = 300
"""Of one row. Compiling takes longer than in proportion to them."""
MOST_SQL = 500_000
"""Characters of one statement. DuckDB plans longer ones for many seconds, and can't be stopped in the middle."""

ORDINARY = Limits()
"""Where nothing else is set."""

_READ: Mapping[str, Callable[[str], float]] = {
    one.name: float if one.name in ("deadline", "rate") else int for one in fields(Limits)
}


def _read(name: str, value: object) -> float:
    try:
        number = _READ[name](str(value))
        if not 0 <= number < float("inf"):
            raise ValueError
    except ValueError:
        message = f'Your claim "{PREFIX}{name}" is not a limit: it must be a number of at least 0.'
        raise QueryError(Code.FORBIDDEN, message, "Ask whoever issues the tokens.") from None
    return number

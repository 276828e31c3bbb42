"""Places that are held for long, such as by subscriptions: so many in all, so many for one viewer, and fairly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from semantic.errors import Overloaded, RateLimited

WAIT = 5.0
"""Seconds after which one who was refused may try again."""
Leave = Callable[[], object]
"""Told to whoever must give a place back, once; it is taken already."""


class Seats:
    """At most `most`. Used by one event loop.

    When all are taken, whoever has most of them gives back the latest one to a viewer who has fewer.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: defaultdict[str, dict[object, Leave]] = defaultdict(dict)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def held(self, viewer: str, limit: int, leave: Leave) -> Iterator[None]:
        """A seat for as long as the block runs, or until `leave` is called. `limit`: of this viewer; 0 is any.

        RateLimited beyond it, Overloaded when all are taken and nobody has more than this viewer.
        """
        mine = len(self._held.get(viewer, ()))
        if 0 < limit <= mine:
            raise RateLimited(f"{mine} subscriptions of yours are open, which is your limit.", "End one first.", WAIT)
        if self._count >= self._most:
            self._make_room(mine)
        seat = object()
        self._held[viewer][seat] = leave
        self._count += 1
        try:
            yield
        finally:
            self._free(viewer, seat)

    def _make_room(self, mine: int) -> None:
        holder = max(self._held, key=lambda one: len(self._held[one]))
        if len(self._held[holder]) <= mine + 1:
            raise full(self._count)
        seat, leave = next(reversed(self._held[holder].items()))
        self._free(holder, seat)
        leave()

    def _free(self, viewer: str, seat: object) -> None:
        seats = self._held.get(viewer, {})
        if seats.pop(seat, None) is not None:
            self._count -= 1
        if not seats:
            self._held.pop(viewer, None)


def full(count: int) -> Overloaded:
    """Why there is no place, or no longer one."""
    return Overloaded(f"{count} subscriptions are open, which is the limit.", "Try again later.", WAIT)

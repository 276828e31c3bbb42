"""Requests that another site's page can't have made a browser send."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from api.request import Malformed

PREFLIGHTED = ("x-requested-with", "graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")
"""Headers that a browser sends for a page of another site only when this one allows it."""
_RAW = frozenset(name.encode() for name in PREFLIGHTED)


def check_origin(request: Request) -> None:
    """Malformed when a GET carries none of them. A POST with JSON needs none: that is never sent unasked either."""
    if request.method in ("GET", "HEAD") and not any(name in request.headers for name in PREFLIGHTED):
        raise Malformed(f"A GET needs a header that no other site can send: one of {', '.join(PREFLIGHTED)}.")


def is_preflighted(headers: Mapping[bytes, bytes]) -> bool:
    """Whether one of them was sent."""
    return not _RAW.isdisjoint(headers)

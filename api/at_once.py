"""Replies to requests that came before, found without waiting and without looking at what they ask.

A request whose body (or, by GET, whose query string) is known needs three look-ups in all: what it asks, who sends it,
and which kept answer they were given when they last wanted it in this form. What can have changed since is looked at
each time: whether the credentials hold, whether the answer is kept and of the data as it is, and the viewer's rate.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from weakref import ref

from starlette.types import Scope

from api.accept import EVENTS, GRAPHQL_JSON, HTML, JSON, choose_type
from api.answering import Answering
from api.compression import coding_of
from api.context import Snapshot
from api.csrf import is_preflighted
from api.kept import Bytes, Entry, Form
from api.replies import AT_ONCE, Replies, form_of, once
from api.request import Asked
from api.resolvers.limits import Limits
from api.resolvers.weighed import SHORT, remembered
from api.seen.notes import Notes
from api.served import Served
from api.viewers.grants import Grant
from semantic.errors import HeadwaterError

LOG = logging.getLogger("headwater")

_KNOWN = 1024
"""Request bodies, and as many query strings, remembered with what they ask; only small ones."""
_SMALL = 8192
_READY, _CLAIMS = 8192, 4096
"""Replies of one snapshot remembered to be wanted: of each request, by each viewer, in each form; and characters of
claims up to which a viewer's are, since each is held as long as their replies are.
"""
_JSON = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
"""The usual ways to say so; others are looked at more closely."""

choose = remembered(1024)(choose_type)


class Given(NamedTuple):
    """A reply, and what is to be noted of it."""

    reply: Bytes
    notes: Notes


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A request that came before: what it asks."""

    asked: Asked


class _Wanted(NamedTuple):
    """A known request, by whom, and what it says of the reply's form: Accept, -Encoding, -Language, If-None-Match."""

    known: _Known
    grant: Grant
    accept: bytes | None
    coding: bytes | None
    language: bytes | None
    tags: bytes | None


class _Ready(NamedTuple):
    """The entry that was the answer, for as long as it is kept, the form of the reply, and what to note of it."""

    entry: ref[Entry]
    form: Form
    notes: Notes
    limits: Limits


_Found = tuple[Bytes, Notes, Limits]
"""A reply, what to note of it, and its viewer's limits."""


class AtOnce:
    """Used by one event loop."""

    def __init__(self, served: Served, answering: Answering, replies: Replies) -> None:
        self._served = served
        self._answering = answering
        self._replies = replies
        self._known: Mapping[str, dict[bytes, _Known]] = {"POST": {}, "GET": {}}
        self._ready: dict[_Wanted, _Ready] = {}
        self._snapshot: Snapshot | None = None

    def learn(self, method: str, text: bytes, asked: Asked) -> None:
        """Remember what a body, or the query string of a GET, asks."""
        known = self._known[method]
        if text not in known and len(text) <= _SMALL:
            if len(known) >= _KNOWN:
                known.clear()
            known[text] = _Known(asked)

    def now(self, scope: Scope, body: bytes) -> Given | None:
        """The reply to a request with its whole body; None: ask properly."""
        try:
            return self._now(scope, body)
        except HeadwaterError:
            return None  # refused once more, in words
        except Exception:
            LOG.exception("A kept answer can't be given; it is made anew.")
            return None

    def _now(self, scope: Scope, body: bytes) -> Given | None:
        by_method = self._known.get(scope["method"])
        known = by_method and by_method.get(body if scope["method"] == "POST" else scope["query_string"])
        if not known:
            return None
        if self._snapshot is not self._served.snapshot:
            self._snapshot = self._served.snapshot
            self._ready.clear()
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) or not self._is_ordinary(scope["method"], headers):
            return None
        grant = self._served.viewers.at_hand(headers, self._snapshot.model)
        if grant is None:
            return None
        said = headers.get
        wanted = _Wanted(
            known, grant, said(b"accept"), said(b"accept-encoding"), said(b"accept-language"), said(b"if-none-match")
        )
        found = self._again(wanted) or self._anew(wanted, scope["method"] == "POST")
        if found is None:
            return None
        reply, notes, limits = found
        self._served.rates.take(grant.viewer, limits)
        self._served.look_soon()
        return Given(reply, notes)

    def _is_ordinary(self, method: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether nothing about the way it asks is to be looked at more closely."""
        if method == "POST":
            return headers.get(b"content-type") in _JSON
        return not self._served.settings.is_hardened or is_preflighted(headers)

    def _again(self, wanted: _Wanted) -> _Found | None:
        """The reply that was given before."""
        ready = self._ready.get(wanted)
        if ready is None:
            return None
        entry = ready.entry()
        if entry is None or not self._answering.may_give(entry):
            del self._ready[wanted]
            return None
        return self._replies.of(entry, ready.form), ready.notes, ready.limits

    def _anew(self, wanted: _Wanted, posted: bool) -> _Found | None:
        """The reply to whoever wants it so for the first time, of an answer that is at hand."""
        accept = _text(wanted.accept)
        if not posted and choose(accept, (JSON, GRAPHQL_JSON, HTML)) == HTML:
            return None
        media = choose(accept, (JSON, GRAPHQL_JSON, EVENTS))
        if media is None or media == EVENTS:
            return None
        notes, viewer = Notes(), wanted.grant.viewer
        found = self._answering.now(wanted.known.asked, viewer, _text(wanted.language), notes)
        if found is None:
            return None
        coding, entry, limits = coding_of(_text(wanted.coding)), found.entry, self._served.limits.of(viewer)
        large = coding is not None and len(found.response.body) > AT_ONCE
        if entry is None:
            return None if large else (once(found.response, media, coding), notes, limits)
        form = form_of(entry, media, coding, None if posted else _text(wanted.tags) or "")
        if large and form not in entry.replies:
            return None
        said = sum(map(len, filter(None, wanted[2:])))
        if said <= SHORT and len(repr(viewer.claims)) <= _CLAIMS:
            if len(self._ready) >= _READY:
                self._ready.clear()
            self._ready[wanted] = _Ready(ref(entry), form, notes, limits)
        return self._replies.of(entry, form), notes, limits


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")

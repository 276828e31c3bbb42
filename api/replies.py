"""Answers as whole replies, with every header that the application would add."""

from __future__ import annotations

from functools import lru_cache

from api.accept import GRAPHQL_JSON
from api.compression import WORTH, compress
from api.context import Outcome, Response
from api.headers import ALWAYS
from api.kept import Bytes, Entry, Form, RawHeaders

AT_ONCE = 65_536
"""Bytes up to which a body is compressed at once; larger ones in a thread."""


class Replies:
    """`fresh`: seconds that a caller may keep an answer they asked for by GET."""

    def __init__(self, fresh: int) -> None:
        self._may_be_kept = f"private, max-age={fresh}"

    def of(self, entry: Entry, form: Form) -> Bytes:
        """The reply of an entry, made once for each form."""
        known = entry.replies.get(form)
        if known is None:
            known = entry.replies[form] = self._made(entry, form)
        return known

    def _made(self, entry: Entry, form: Form) -> Bytes:
        known = _headers(form.media, form.coding, "no-store" if form.posted else self._may_be_kept)
        headers = [*known, (b"etag", entry.etag.encode())]
        return Bytes(304, headers[1:], b"") if form.unchanged else Bytes(200, headers, entry.body(form.coding))


def form_of(entry: Entry, media: str, coding: str | None, known: str | None) -> Form:
    """The form of an entry's reply. `known`: the tags of answers that the caller has; None where they asked by POST."""
    unchanged = known is not None and _names(known, entry.etag)
    return Form(media, coding if len(entry.response.body) >= WORTH else None, known is None, unchanged)


def once(response: Response, media: str, coding: str | None) -> Bytes:
    """The reply of an answer that nobody keeps."""
    if coding is None or len(response.body) < WORTH:
        coding, body = None, response.body
    else:
        body = compress(response.body, coding)
    refused = response.outcome is Outcome.REFUSED and media == GRAPHQL_JSON
    return Bytes(400 if refused else 200, _headers(media, coding, "no-store"), body)


def _names(given: str, etag: str) -> bool:
    """Whether an If-None-Match header names the tag (weakly, as RFC 9110 has it)."""
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


@lru_cache(maxsize=64)
def _headers(media: str, coding: str | None, cache_control: str) -> RawHeaders:
    """The headers of an answer; the content type first."""
    found = [
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"cache-control", cache_control.encode()),
        (b"vary", b"accept, accept-encoding, accept-language, authorization, x-api-key"),
        *ALWAYS,
    ]
    return [*found, (b"content-encoding", coding.encode())] if coding else found

"""The bundled GraphiQL page and its files. Nothing of it is loaded from another host."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.compression import coding_of, compress

FOLDER = Path(__file__).parent / "pages" / "graphiql"
MOUNTED_AT = "/static/graphiql"

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",  # the editor writes its own style elements
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_TEXTS = (".css", ".html", ".js", ".svg", ".txt")
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@cache
def _page() -> str:
    return (FOLDER / "index.html").read_text(encoding="utf-8")


def graphiql_page() -> Response:
    """The page."""
    return HTMLResponse(_page(), headers=HEADERS | {"cache-control": "no-cache", "vary": "accept"})


@cache
def _packed(path: str, coding: str) -> bytes:
    """A file of the page in a coding. There are few."""
    return compress((FOLDER / path).read_bytes(), coding)


class PageFiles(StaticFiles):
    """The page's files; those with a digest in their names never change."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, compressed for whoever takes that, with the headers of the page."""
        response = await super().get_response(path, scope)
        coding = coding_of(Headers(scope=scope).get("accept-encoding"))
        if coding is not None and isinstance(response, FileResponse) and Path(path).suffix in _TEXTS:
            body = await asyncio.to_thread(_packed, path, coding)
            kept = {name: response.headers[name] for name in ("content-type", "last-modified")}
            response = Response(body, headers=kept | {"content-encoding": coding})
        response.headers["vary"] = "accept-encoding"
        response.headers.update(HEADERS)
        if Path(path).parts[:1] == ("assets",):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response

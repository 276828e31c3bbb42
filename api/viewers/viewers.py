"""A request's headers and the address it came from → who asks.

viewers = Viewers(settings)                                   # UserError when the settings contradict each other
viewer = await viewers.resolve(request.headers, peer, model)  # Unauthenticated (401), Unverifiable (503)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from api.place import find_model
from api.settings import Settings
from api.viewers.grants import NOBODY, Grant, Grants
from api.viewers.jwks import KeySource, check_place
from api.viewers.keys import FILE_NAME, PREFIX, Keys
from api.viewers.proxy import Proxy
from api.viewers.refused import Unauthenticated, bad_credentials
from api.viewers.tokens import Tokens
from semantic.errors import Code, UserError
from semantic.model.model import Model
from semantic.query.query import ANONYMOUS, Viewer

_BEARER = b"Bearer "


class Viewers:
    """Every way to sign in that the settings allow. Used by one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._anonymous = settings.anonymous
        self._settings = settings
        self._tokens = _tokens(settings)
        self._proxy = _proxy(settings)
        self._grants = Grants()

    @cached_property
    def _keys(self) -> Keys:
        return Keys(keys_path(self._settings))

    async def of(self, connection: HTTPConnection, model: Model) -> Viewer:
        """Who sent a request, or opened a WebSocket. Errors as those of `resolve`."""
        peer = connection.client.host if connection.client else None
        return await self.resolve(connection.headers, peer, model)

    def at_hand(self, headers: Mapping[bytes, bytes], model: Model) -> Grant | None:
        """Who asks, where that can be said without waiting: nobody, or who was asked for their credentials before.

        None: `resolve` it. `headers`: the request's, each once.
        """
        if self._proxy is not None and self._proxy.is_named(headers):
            return None
        sent, key = headers.get(b"authorization"), headers.get(b"x-api-key")
        if key is not None:
            return self._grants.of(_BEARER + key) if sent is None else None
        if sent is not None:
            return self._grants.of(sent)
        return NOBODY if self.may_be_anonymous(model) else None

    async def resolve(self, headers: Headers, peer: str | None, model: Model) -> Viewer:
        """Who asks, of a model. Unauthenticated; Unverifiable when that can't be found out just now.

        `peer`: the address at the other end of the connection itself, whatever headers say of it.
        """
        named = self._proxy.viewer(headers, peer) if self._proxy else None
        if named is not None:
            return named
        sent = _sent(headers) if self._can_sign_in else None
        if sent is None:
            return self._nobody(model)
        raw = sent.encode("latin-1")
        grant = self._grants.of(raw) or self._grants.keep(raw, await self._check(_credentials(sent)))
        return grant.viewer

    async def _check(self, credentials: str) -> Grant:
        if credentials.startswith(PREFIX):
            return self._keys.grant(credentials)
        if self._tokens is None:
            raise bad_credentials("Tokens are not taken here.", "Send an API key.")
        return await self._tokens.grant(credentials)

    @property
    def _can_sign_in(self) -> bool:
        configured = self._settings.keys is not None or self._tokens is not None or self._proxy is not None
        return configured or self._keys.exist

    def may_be_anonymous(self, model: Model) -> bool:
        """Whether questions are answered without knowing who asks.

        By the setting; else by the model; else only where nothing is protected and nobody could sign in.
        """
        if self._anonymous is not None:
            return self._anonymous
        if model.anonymous is not None:
            return model.anonymous
        return not model.policies and not self._can_sign_in

    def _nobody(self, model: Model) -> Viewer:
        if self.may_be_anonymous(model):
            return ANONYMOUS
        how = "Send `Authorization: Bearer …` with an API key or a token."
        if not self._can_sign_in:
            how = "Whoever runs this server makes a key with `headwater keys create`."
        raise Unauthenticated("This server answers only those it knows.", how)


def keys_path(settings: Settings) -> Path:
    """Where the keys are: as set, else beside the model. UserError NO_MODEL when no model is named and none is here."""
    return settings.keys or (settings.model or find_model(None, Path.cwd())) / FILE_NAME


def _sent(headers: Headers) -> str | None:
    """The header that brings credentials; None without one. Unauthenticated when there are several."""
    sent = [*headers.getlist("authorization"), *(f"Bearer {key}" for key in headers.getlist("x-api-key"))]
    if len(sent) > 1:
        raise bad_credentials("Credentials were sent more than once.", "Send one header.")
    return sent[0] if sent else None


def _credentials(sent: str) -> str:
    """The key or token of a header. Unauthenticated when it is of another scheme."""
    scheme, _, value = sent.partition(" ")
    if scheme.lower() != "bearer" or not value.strip():
        raise bad_credentials("Only `Authorization: Bearer …` and `X-API-Key: …` are taken.")
    return value.strip()


def _tokens(settings: Settings) -> Tokens | None:
    if settings.jwks is None:
        return None
    if settings.jwt_issuer is None or not settings.jwt_audience:
        raise UserError(
            Code.BAD_VALUE,
            "HEADWATER_JWKS is set without HEADWATER_JWT_ISSUER and HEADWATER_JWT_AUDIENCE.",
            "Without them, tokens meant for others would be taken.",
        )
    check_place(settings.jwks)
    source = KeySource(settings.jwks)
    return Tokens(source, settings.jwt_issuer, settings.jwt_audience, settings.jwt_algorithms, int(settings.jwt_leeway))


def _proxy(settings: Settings) -> Proxy | None:
    if not settings.trusted_proxies:
        return None
    return Proxy(settings.trusted_proxies, settings.viewer_header, settings.claims_header)

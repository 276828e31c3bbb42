"""Signed tokens (JWT): signature, issuer, audience and times checked by joserfc; never what a token says of itself."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jws import JWSRegistry

from api.viewers.claims import viewer_of
from api.viewers.grants import Grant
from api.viewers.jwks import KeySource
from api.viewers.refused import Unauthenticated, bad_credentials

_OF_THE_TOKEN = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
"""Claims about the token and not about who holds it."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token must be. `leeway`: seconds by which clocks may differ."""

    source: KeySource
    issuer: str
    audience: Sequence[str]
    algorithms: Sequence[str]
    leeway: int

    async def grant(self, token: str) -> Grant:
        """Whom a token is about: its `sub`. Unauthenticated with the reason, Unverifiable."""
        keys = await self.source.keys(_key_id(token))
        registry = JWSRegistry(algorithms=self.algorithms, strict_check_header=False)
        try:
            claims = jwt.decode(token, keys, algorithms=self.algorithms, registry=registry).claims
            self._rules().validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refusal(error) from error
        about = {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}
        return Grant(
            viewer_of(claims["sub"], about),
            keys,
            self.source.at_hand,
            begins=max(claims.get("nbf", -math.inf), claims.get("iat", -math.inf)) - self.leeway,
            ends=claims["exp"] + self.leeway,
        )

    def _rules(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=self.leeway,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "values": list(self.audience)},
            sub={"essential": True},
            exp={"essential": True},
        )


def _key_id(token: str) -> str | None:
    """The id of the key that a token says it was signed with: it decides nothing but whether keys are fetched again."""
    header, _, _ = token.partition(".")
    try:
        given: Any = orjson.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except ValueError:
        raise bad_credentials("The token is not a signed JWT.") from None
    found = given.get("kid") if isinstance(given, Mapping) else None
    return found if isinstance(found, str) else None


def _refusal(error: Exception) -> Unauthenticated:
    match error:
        case ExpiredTokenError():
            return bad_credentials("The token has expired.", "Sign in anew.")
        case MissingClaimError():
            return bad_credentials("The token lacks one of `iss`, `aud`, `sub` and `exp`.")
        case InvalidClaimError():
            return bad_credentials("The token is from another issuer, for another audience, or not valid yet.")
        case _:
            return bad_credentials("The token is not signed by a key and an algorithm that count here.")

"""Why nobody is let in."""

from __future__ import annotations

from semantic.errors import Code, OurError, UserError

REALM = 'Bearer realm="headwater"'


class Unauthenticated(UserError):
    """Who asks is not known, or is not who they say: HTTP 401. `challenge` is the header `WWW-Authenticate`."""

    def __init__(self, message: str, suggestion: str | None = None, error: str | None = None) -> None:
        super().__init__(Code.UNAUTHENTICATED, message, suggestion)
        self.challenge = REALM if error is None else f'{REALM}, error="{error}"'


class Unverifiable(OurError):
    """Whether a caller is who they say can't be checked just now: HTTP 503."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            Code.OVERLOADED, "Who you are can't be checked just now.", "Ask again in a moment.", detail=detail
        )


def bad_credentials(message: str, suggestion: str | None = None) -> Unauthenticated:
    """The refusal of credentials that don't hold."""
    return Unauthenticated(message, suggestion, "invalid_token")

"""What a trusted proxy says of who asks. From anywhere else its headers are refused: they could be anyone's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers

from api.setting_values import Network
from api.viewers.claims import viewer_of
from api.viewers.refused import bad_credentials
from semantic.query.query import Viewer


@dataclass(frozen=True, slots=True)
class Proxy:
    """The addresses of the proxies, and the headers in which they say who asks and with what claims (a JSON object)."""

    networks: Sequence[Network]
    name_header: str
    claims_header: str

    def is_named(self, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request says what only a proxy may say."""
        return self.name_header.encode() in headers or self.claims_header.encode() in headers

    def viewer(self, headers: Headers, peer: str | None) -> Viewer | None:
        """Whom the proxy names; None when nobody is named. Unauthenticated when it can't have been the proxy."""
        names, claims = headers.getlist(self.name_header), headers.getlist(self.claims_header)
        if not names and not claims:
            return None
        if not self._is_trusted(peer):
            raise bad_credentials(f"The header `{self.name_header}` counts only from a trusted proxy.")
        if len(names) != 1 or not names[0].strip() or len(claims) > 1:
            raise bad_credentials(
                f"The proxy must say who asks exactly once: one `{self.name_header}`, at most one "
                f"`{self.claims_header}`.",
                "Have it replace what callers send, and not add to it.",
            )
        return viewer_of(names[0].strip(), self._claims(claims[0] if claims else "{}"))

    def _is_trusted(self, peer: str | None) -> bool:
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any((mapped or address) in network for network in self.networks)

    def _claims(self, text: str) -> dict[str, Any]:
        try:
            found = orjson.loads(text.encode("latin-1"))  # header texts are bytes: UTF-8 where the proxy sends that
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise bad_credentials(f"The proxy's header `{self.claims_header}` is not a JSON object.")
        return found

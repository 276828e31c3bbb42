"""The root field `viewer`."""

from __future__ import annotations

from api.resolvers.selection import Info
from api.schema.scalars import Claims
from api.schema.viewer import ViewerInfo


async def viewer(root: None, info: Info) -> ViewerInfo:
    """Who asks."""
    found = info.context.viewer
    claims = {name: list(value) if isinstance(value, tuple) else value for name, value in found.claims}
    return ViewerInfo(id=found.id, claims=Claims(claims), signed_in=found.signed_in)

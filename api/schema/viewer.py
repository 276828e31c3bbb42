"""Who asks, as the server knows them."""

from __future__ import annotations

import strawberry

from api.schema.scalars import Claims


@strawberry.type(name="Viewer", description="Who asks.")
class ViewerInfo:
    """The viewer of a request."""

    id: str = strawberry.field(description="Who it is: of a key its name, of a token its `sub`; else `anonymous`.")
    claims: Claims = strawberry.field(description="What policies may look at.")
    signed_in: bool = strawberry.field(description="Whether a key, a token or a proxy says who it is.")

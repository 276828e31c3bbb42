"""The demo shop: a deterministic generator of a mini-program shop's data, and the model over it (`demo/model`)."""

from demo.bulk import events_only
from demo.shop import generate

__all__ = ["events_only", "generate"]

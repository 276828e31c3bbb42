"""How large a word of bits is."""

from __future__ import annotations

WORD = 126
"""Its bits."""
MOST_KEPT = 62
"""So many of them are a whole number of their own."""

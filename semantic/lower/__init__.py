"""Lower: metrics → plan, each type in its own way, to the same few nodes."""

"""Another engine's own functions as a second witness: `make test-witness`. Collected only when named."""

"""Who asks: API keys, signed tokens, and what a trusted proxy says."""

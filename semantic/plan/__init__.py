"""The plan: a small relational algebra that knows nothing of metrics."""

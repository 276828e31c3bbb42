"""The second dialect, run for real: `make test-spark` and `make test-sail`. Collected only when named."""

"""The mind: YAML in, statement out. Pure after loading: no connection, no clock, no thread."""

"""SQL: plans as text of an engine's dialect, values always as parameters."""

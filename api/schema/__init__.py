"""The shapes a client sees, made from the model at run time. No logic, no data."""

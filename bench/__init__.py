"""Benchmarks: ratios to hand-written SQL in one run, medians, never a timed test. `python -m bench --help`."""

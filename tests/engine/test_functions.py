"""What the functions of statements hand back to DuckDB."""

from __future__ import annotations

import numpy as np

from engine.functions import _nested


def test_records_are_freed_without_python() -> None:
    """To free numpy's memory takes Python's lock: DuckDB 1 may hold it while it waits for just that."""
    numbers = np.arange(6, dtype=np.int64)
    lists = _nested(numbers, np.array([0, 2, 6], np.int64), np.array([0, 1, 2], np.int64))
    assert lists.to_pylist() == [[[0, 1]], [[2, 3, 4, 5]]]
    assert not np.shares_memory(np.asarray(lists.values.values), numbers)
    assert _nested(numbers[:0], np.zeros(1, np.int64), np.zeros(3, np.int64)).to_pylist() == [[], []]

"""The functions that statements call beyond DuckDB's own: funnels over lists of packed events.

`headwater_funnel(events HUGEINT[], spec BIGINT[]) → BIGINT[][]`, and `headwater_funnel_narrow(events BIGINT[], …)` for
events that need no code and no period. How events are packed and what a spec says: semantic/sql/packing.py, which
writes the calls. The records that come back: engine/funnel.py.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb.func import ARROW

from semantic.sql.packing import CODE_BITS, FUNNEL, FUNNEL_NARROW, MASK_BITS, PERIOD_BITS, SPEC_HEAD

Ints = npt.NDArray[np.int64]

_RECORDS = pa.list_(pa.list_(pa.int64()))
_TAG_BITS = 64


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to a database. Quick: what runs them is only loaded when one is first called."""
    for name, function, events in ((FUNNEL, _wide, "HUGEINT[]"), (FUNNEL_NARROW, _narrow, "BIGINT[]")):
        connection.create_function(name, function, [events, "BIGINT[]"], "BIGINT[][]", type=ARROW)


def _wide(events: Any, spec: Any) -> pa.Array:
    """Events of two words: the time above, (code, period, mask) below."""
    values, offsets = _lists(events)
    words = np.frombuffer(values.buffers()[1], np.int64).reshape(-1, 2)
    words = words[values.offset : values.offset + len(values)]
    time, tag = words[:, 1].copy(), words[:, 0].copy()
    return _solve(time, tag, offsets, _first(spec))


def _narrow(events: Any, spec: Any) -> pa.Array:
    """Events of one word: the time above, the mask below; the spec says how many bits that is."""
    values, offsets = _lists(events)
    numbers = _first(spec)
    words = np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values)]
    bits = int(numbers[SPEC_HEAD - 1])
    return _solve(words >> bits, words & ((1 << bits) - 1), offsets, numbers)


def _lists(column: Any) -> tuple[pa.Array, Ints]:
    """The values of a column of lists and where each list begins in them."""
    array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    offsets = np.asarray(array.offsets).astype(np.int64)
    values = array.values.slice(offsets[0], offsets[-1] - offsets[0])
    return values, offsets - offsets[0]


def _first(column: Any) -> Ints:
    """The one list that a constant argument repeats."""
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(array[0].values).astype(np.int64)


def _solve(time: Ints, tag: Ints, offsets: Ints, numbers: Ints) -> pa.Array:
    from engine.funnel import solve
    from engine.order import sort_each

    sort_each(time, tag, offsets)
    mask = tag & ((1 << MASK_BITS) - 1)
    period = (tag >> MASK_BITS) & ((1 << PERIOD_BITS) - 1)
    code = (tag >> (MASK_BITS + PERIOD_BITS)) & ((1 << CODE_BITS) - 1)
    rules = numbers[SPEC_HEAD:].reshape(-1, 4)
    found, records, owners = solve(time, mask, code, period, offsets, numbers[: SPEC_HEAD - 1], rules)
    inner = pa.ListArray.from_arrays(pa.array(records, pa.int32()), pa.array(found))
    return pa.ListArray.from_arrays(pa.array(owners, pa.int32()), inner).cast(_RECORDS)

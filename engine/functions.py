"""The functions that statements call beyond DuckDB's own: funnels over lists of packed events.

`headwater_funnel(events HUGEINT[], spec BIGINT[]) → BIGINT[][]`, `headwater_funnel_narrow(events BIGINT[], …)` for
events that need no code and no period, `headwater_funnel_many(events HUGEINT[], labels BIGINT[], …)` for lists with the
events of many entities, and `headwater_funnel_held(events HUGEINT[], held BIGINT[], …)` where events of other held
values matter too. How events are packed and what a spec says: semantic/sql/packing.py, which writes the calls. The
records that come back: engine/funnel.py.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb.func import ARROW

from semantic.sql.packing import FUNNEL, FUNNEL_HELD, FUNNEL_MANY, FUNNEL_NARROW, PERIOD_BITS, SPEC_HEAD

Ints = npt.NDArray[np.int64]

_RECORDS = pa.list_(pa.list_(pa.int64()))

_WIDE, _NARROW = "HUGEINT[]", "BIGINT[]"
_EVENTS = {FUNNEL: [_WIDE], FUNNEL_NARROW: [_NARROW], FUNNEL_MANY: [_WIDE, _NARROW], FUNNEL_HELD: [_WIDE, _NARROW]}
_NOTHING: Ints = np.empty(0, np.int64)


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to a database. Quick: what runs them is only loaded when one is first called."""
    for name, function in ((FUNNEL, _wide), (FUNNEL_NARROW, _narrow), (FUNNEL_MANY, _many), (FUNNEL_HELD, _held)):
        connection.create_function(name, function, [*_EVENTS[name], _NARROW], "BIGINT[][]", type=ARROW)


def _wide(events: Any, spec: Any) -> pa.Array:
    """Events of two words: the time above, (code, period, mask) below."""
    values, offsets = _lists(events)
    words = _pairs(values)
    return _solve(words[:, 1].copy(), words[:, 0].copy(), _NOTHING, offsets, _first(spec))


def _held(events: Any, held: Any, spec: Any) -> pa.Array:
    """Events of two words, and the number of what each one's attempt would hold."""
    values, offsets = _lists(events)
    numbers, _ = _lists(held)
    words = _pairs(values)
    return _solve(words[:, 1].copy(), words[:, 0].copy(), _words(numbers), offsets, _first(spec))


def _narrow(events: Any, spec: Any) -> pa.Array:
    """Events of one word: the time above, the mask below; the spec says how many bits that is."""
    values, offsets = _lists(events)
    numbers = _first(spec)
    words = _words(values)
    bits = int(numbers[SPEC_HEAD - 2])
    return _solve(words >> bits, words & ((1 << bits) - 1), _NOTHING, offsets, numbers)


def _many(events: Any, labels: Any, spec: Any) -> pa.Array:
    """Events of one word, below their entity."""
    from engine.groups import solve_groups

    values, offsets = _lists(events)
    marks, places = _lists(labels)
    numbers = _first(spec)
    rules = numbers[SPEC_HEAD:].reshape(-1, 4)
    return _nested(*solve_groups(_pairs(values), _words(marks), offsets, places, numbers[:SPEC_HEAD], rules))


def _pairs(values: pa.Array) -> Ints:
    """HUGEINTs as (the word below, the word above)."""
    words = np.frombuffer(values.buffers()[1], np.int64).reshape(-1, 2)
    return words[values.offset : values.offset + len(values)]


def _words(values: pa.Array) -> Ints:
    return np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values)]


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


def _solve(time: Ints, tag: Ints, held: Ints, offsets: Ints, numbers: Ints) -> pa.Array:
    from engine.funnel import solve
    from engine.order import sort_each

    if len(held):
        places = np.arange(len(time), dtype=np.int64)
        sort_each(time, places, offsets)
        tag, held = tag[places], held[places]
    else:
        sort_each(time, tag, offsets)
    bits = int(numbers[SPEC_HEAD - 2])
    mask = tag & ((1 << bits) - 1)
    period = (tag >> bits) & ((1 << PERIOD_BITS) - 1)
    code = tag >> (bits + PERIOD_BITS)
    rules = numbers[SPEC_HEAD:].reshape(-1, 4)
    return _nested(*solve(time, mask, code, period, held, offsets, numbers[:SPEC_HEAD], rules))


def _nested(numbers: Ints, edges: Ints, owners: Ints) -> pa.Array:
    """Numbers, where each record begins, and where each list's records begin: as lists of lists."""
    records = pa.ListArray.from_arrays(pa.array(edges, pa.int32()), _owned(numbers))
    return pa.ListArray.from_arrays(pa.array(owners, pa.int32()), records).cast(_RECORDS)


def _owned(numbers: Ints) -> pa.Array:
    """Numbers in memory of Arrow's own.

    To free numpy's takes Python's lock, and DuckDB 1 holds that lock while it waits for those who free it.
    """
    buffer = pa.allocate_buffer(numbers.nbytes)
    if len(numbers):
        np.frombuffer(buffer, np.int64)[:] = numbers
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, buffer])

"""The event log of one day: collects rows, gives them ids, repeats some, writes part files in order of time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from demo.batch import Array
from demo.events import Rows, repeat_some
from demo.people import People
from demo.products import Products
from demo.stories import epoch_day
from demo.tables import events_table
from demo.write import write_parquet

FULL_PART = 1_500_000
"""Rows after which a part file is written: what bounds the memory of a busy day."""
IDS_PER_DAY = 1 << 40
"""Event ids are the day since 1970 times this, plus a running number: above 2^53, as real ones are."""


def event_ids(day: date, first: int, count: int) -> Array:
    """The ids of `count` events of a day, from its event number `first` on."""
    return epoch_day(day) * IDS_PER_DAY + first + np.arange(count, dtype=np.int64)


def part_path(folder: Path, day: date, part: int) -> Path:
    """Where a part of a day lies: the hive partition `dt` is the Shanghai day."""
    return folder / f"dt={day}" / f"part-{part}.parquet"


class DayLog:
    """Rows of one Shanghai day on their way to `folder`; first visits are remembered as rows are written."""

    def __init__(
        self, folder: Path, day: date, export: int, made: People, shelf: Products, rng: np.random.Generator
    ) -> None:
        self._folder, self._day, self._export = folder, day, export
        self._people, self._shelf, self._rng = made, shelf, rng
        self._held: list[Rows] = []
        self._written = 0
        self._parts = 0

    def add(self, *batches: Rows) -> None:
        """Take rows of this day."""
        self._held.extend(batch for batch in batches if len(batch))
        if sum(map(len, self._held)) >= FULL_PART:
            self.flush()

    def flush(self) -> None:
        """Write what is held; nothing when nothing is."""
        if not self._held:
            return
        rows = Rows.concat(self._held)
        ids = event_ids(self._day, self._written, len(rows))
        identified = rows.take((rows.user >= 0) & (rows.session >= 0) & ~rows.bot)
        self._people.note_visits(identified.user, identified.time, identified.resolved)
        position, again = repeat_some(self._rng, rows, self._export)
        order = np.argsort(np.concatenate([rows.time, again.time]), kind="stable")
        rows, ids = Rows.concat([rows, again]).take(order), np.concatenate([ids, ids[position]])[order]
        path = part_path(self._folder, self._day, self._parts)
        write_parquet(events_table(rows, ids, self._people, self._shelf), path)
        self._written += len(rows)
        self._parts += 1
        self._held = []

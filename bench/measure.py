"""Measuring: two things in turn, medians of both, and what they were to reach."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: its value, what it is compared with (or None), the target in words, whether it is met."""

    name: str
    value: float
    unit: str
    other: float | None
    target: str
    met: bool

    def row(self) -> tuple[str, ...]:
        """The cells of a table."""
        ratio = "" if not self.other else f"{self.value / self.other:.2f}"
        other = "" if self.other is None else f"{self.other:.2f}"
        return (self.name, f"{self.value:.2f} {self.unit}", other, ratio, self.target, "ok" if self.met else "MISSED")

    def json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Timed:
    """A thing to run (it is told the number of the run) and the clock of the CPU seconds it uses."""

    work: Callable[[int], object]
    cpu: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spent:
    """Median milliseconds by the clock, and mean milliseconds of CPU: the second is steady on a busy machine."""

    wall: float
    cpu: float


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(one: Timed, other: Timed, runs: int) -> tuple[Spent, Spent]:
    """What two things take when run in turn; each runs once unmeasured first."""
    spent: tuple[list[float], list[float]] = ([], [])
    cpu = [0.0, 0.0]
    for run in range(-1, runs):
        for place, timed in enumerate((one, other)):
            before, began = timed.cpu(), time.perf_counter()
            timed.work(run)
            if run >= 0:
                spent[place].append(time.perf_counter() - began)
                cpu[place] += timed.cpu() - before
    first, second = (
        Spent(statistics.median(walls) * 1000, total * 1000 / runs) for walls, total in zip(spent, cpu, strict=True)
    )
    return first, second


def median_ms(work: Callable[[], object], runs: int) -> float:
    """Median milliseconds after one unmeasured run."""
    work()
    return statistics.median(seconds(work) for _ in range(runs)) * 1000

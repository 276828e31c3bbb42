"""Funnels: a second answer, from every attempt of every entity (semantics.md §1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median
from typing import Any

from semantic.errors import Code
from semantic.model.model import Model
from semantic.model.sequence import ExcludeEffect, Funnel, FunnelEntry, FunnelOrder, Step
from semantic.query.funnel import AdHocFunnel, AdHocStep, FunnelQuery
from semantic.query.query import Condition
from semantic.time import Duration, Grain
from tests.reference.attempts import Attempt, Event, Exclusion, Rules, chosen
from tests.reference.clock import Period, at, is_clock
from tests.reference.refused import Refused
from tests.reference.rows import Tables
from tests.reference.timeline import Happening, Timeline, dimensions_of, shown

MICROS = 1_000_000
Opens = Callable[[Happening], bool]
Value = Callable[[Happening], Any]
Answer = dict[str, Any]


def answer_funnel(model: Model, tables: Tables, query: FunnelQuery) -> Answer:
    """`steps`, `groups`, `periods` as GraphQL has them."""
    return Report(model, tables, query).answer()


def window_of(funnel: Funnel) -> int | None:
    """The window in microseconds; None: the day of the first step."""
    return None if funnel.window is None else seconds_of(funnel.window) * MICROS


def seconds_of(duration: Duration) -> int:
    return duration.count * {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}[duration.unit.value]


# --- whose events, and what they are to the funnel -------------------------------------------------------------------


class Followed:
    """The events of a funnel's datasets, by entity. `filters`: what a step that the query defines must meet."""

    def __init__(self, timeline: Timeline, funnel: Funnel, filters: Sequence[Condition | None] = ()) -> None:
        self.timeline = timeline
        self.funnel = funnel
        self.filters = filters
        self.entities: dict[str, list[Happening]] = {}
        for dataset in self.datasets:
            for one in timeline.happenings(dataset, funnel.entity):
                self.entities.setdefault(one.entity, []).append(one)

    @property
    def datasets(self) -> list[str]:
        names = [step.dataset for step in self.funnel.steps]
        return list(dict.fromkeys([*names, self.funnel.dataset] if self.funnel.exclude else names))

    @property
    def entry_datasets(self) -> list[str]:
        """Where an attempt can begin."""
        steps = self.funnel.steps if self.funnel.order is FunnelOrder.ANY else self.funnel.steps[:1]
        return list(dict.fromkeys(step.dataset for step in steps))

    def rules(self) -> Rules:
        places = [step.name for step in self.funnel.steps]
        return Rules(
            steps=len(places),
            window=window_of(self.funnel),
            order=self.funnel.order,
            first=self.funnel.entry is FunnelEntry.FIRST,
            exclusions=tuple(
                Exclusion(places.index(x.from_step), places.index(x.to_step), x.effect is ExcludeEffect.REMOVE)
                for x in self.funnel.exclude
            ),
        )

    def event(self, one: Happening, opens: Opens, value: Value) -> Event:
        """What a row is to the funnel. A step needs a value for everything that is held."""
        held = self.timeline.values(one, self.funnel.hold) if any(s.dataset == one.dataset for s in self.steps) else ()
        matched = frozenset(place for place in range(len(self.steps)) if self._matches(place, one))
        steps = frozenset[int]() if None in held else matched
        can_open = bool(steps) if self.funnel.order is FunnelOrder.ANY else 0 in steps
        does = can_open and opens(one)
        return Event(
            time=one.micros,
            steps=steps,
            opens=does,
            passive=self._is_passive(one),
            excluded=self._excluded(one),
            held=held,
            day=one.when.day,
            value=value(one) if does else None,
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.funnel.steps

    def _matches(self, place: int, one: Happening) -> bool:
        step = self.steps[place]
        if step.dataset != one.dataset or not self.timeline.holds(step.where, one):
            return False
        return not self.filters or self.timeline.source.holds(self.filters[place], one.dataset, one.row)

    def _is_passive(self, one: Happening) -> bool:
        passive = self.timeline.model.datasets[one.dataset].passive
        return passive is not None and self.timeline.holds(passive, one)

    def _excluded(self, one: Happening) -> frozenset[int]:
        rules = enumerate(self.funnel.exclude) if one.dataset == self.funnel.dataset else ()
        return frozenset(number for number, rule in rules if self.timeline.holds(rule.where, one))

    def attempts(self, opens: Opens, value: Value) -> Iterator[tuple[str, Attempt]]:
        """Each entity that has any, with its chosen attempt."""
        for entity, happenings in self.entities.items():
            found = chosen([self.event(one, opens, value) for one in happenings], self.rules())
            if found is not None and not found.removed:
                yield entity, found

    def attempts_by_period(self, opens: Opens, value: Value, grain: Grain) -> Iterator[tuple[Period, Attempt]]:
        """As `attempts`, once for each entity and period in which it opens any."""
        timeline = self.timeline
        for happenings in self.entities.values():
            events = {one: self.event(one, opens, value) for one in happenings}
            opening = {one: timeline.period(one.when, grain) for one, event in events.items() if event.opens}
            if self.funnel.entry is FunnelEntry.FIRST and opening:
                first = min(one.micros for one in opening)
                opening = {one: period for one, period in opening.items() if one.micros == first}
            for period in sorted(set(opening.values())):
                here = {one for one, its in opening.items() if its == period}
                found = chosen([replace(event, opens=one in here) for one, event in events.items()], self.rules())
                if found is not None and not found.removed:
                    yield period, found


# --- the report ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Path:
    """When the chosen attempt filled its steps, and what it is counted under."""

    times: tuple[int, ...]
    value: Any


def path_of(attempt: Attempt) -> Path:
    """What is told of an attempt."""
    return Path(attempt.times, attempt.start.value)


def funnel_rows(model: Model, tables: Tables, query: FunnelQuery) -> list[Answer]:
    """The rows of the report STEPS: one for each period and breakdown value, with a count of every step."""
    return Report(model, tables, query).rows()


class Report:
    """One question about a funnel."""

    def __init__(self, model: Model, tables: Tables, query: FunnelQuery) -> None:
        self.query = query
        self.timeline = Timeline(model, tables, query.timezone)
        funnel, filters = definition(model, query)
        self.followed = Followed(self.timeline, funnel, filters)
        self.range = self.timeline.range(query.time_range, self.followed.datasets)
        self._refuse()

    def _refuse(self) -> None:
        names = [*self.query.breakdown, *dimensions_of(self.query.where)]
        for dataset in self.followed.entry_datasets:
            for name in names:
                self.timeline.source.dimension(dataset, name)
            if self.query.grain is not None and is_clock(self.query.grain) and not self.timeline.has_hours(dataset):
                raise Refused(Code.GRAIN_NOT_POSSIBLE)

    def answer(self) -> Answer:
        paths = list(self.paths().values())
        return {"steps": self._steps(paths), "groups": self._groups(), "periods": self._periods()}

    def paths(self, value: Value = lambda one: ()) -> dict[str, Path]:
        """The chosen attempt of each entity that has one, when attempts are counted under a value."""
        return {entity: path_of(found) for entity, found in self.followed.attempts(self._opens, value)}

    def _opens(self, one: Happening) -> bool:
        """Is an event in the time range, and does it pass the query's filters?"""
        if self.range is not None and not self.range.holds(one.when):
            return False
        passes = self.timeline.source.holds(self.query.where, one.dataset, one.row)
        return passes and self.timeline.segments_hold(one, self.query.segments)

    def _value(self, one: Happening) -> tuple[Any, ...]:
        return self.timeline.values(one, self.query.breakdown)

    def _groups(self) -> list[Answer]:
        if not self.query.breakdown:
            return []
        groups = _by_value(self.paths(self._value).values())
        return [{"key": self._key(values), "steps": self._steps(some)} for values, some in groups.items()]

    def _key(self, values: tuple[Any, ...]) -> list[Answer]:
        pairs = zip(self.query.breakdown, values, strict=True)
        return [{"dimension": name, "value": value} for name, value in pairs]

    def _periods(self) -> list[Answer]:
        grain = self.query.grain
        if grain is None:
            return []
        return [
            {
                "time": shown(period, self.timeline.zone),
                "mature": self._is_mature(period, grain),
                "steps": self._steps(paths),
            }
            for period, paths in self._by_period(grain, lambda one: ()).items()
        ]

    def _by_period(self, grain: Grain, value: Value) -> dict[Period, list[Path]]:
        """The paths that begin in each period of the range, also empty ones."""
        days = self.timeline.days(self.range, self.followed.entry_datasets)
        found: dict[Period, list[Path]] = {period: [] for period in self.timeline.periods(days, grain)}
        for period, attempt in self.followed.attempts_by_period(self._opens, value, grain):
            found[period].append(path_of(attempt))
        return found

    def rows(self) -> list[Answer]:
        grain = self.query.grain
        if grain is not None:
            return [
                {"period": period} | row
                for period, paths in self._by_period(grain, self._value).items()
                for row in self._rows(paths)
            ]
        return list(self._rows(list(self.paths(self._value).values())))

    def _rows(self, paths: list[Path]) -> Iterator[Answer]:
        groups = _by_value(paths) if self.query.breakdown else {(): paths}
        for values, some in groups.items():
            row: Answer = {f"by{place}": value for place, value in enumerate(values)}
            for step in self._steps(some):
                row[f"count{step['index']}"] = step["count"]
                if step["index"] > 1:
                    row[f"average{step['index']}"] = step["averageSeconds"]
                    row[f"median{step['index']}"] = step["medianSeconds"]
            yield row

    def _is_mature(self, period: Period, grain: Grain) -> bool:
        """Have all attempts that open in a period had their whole window?"""
        through = self.timeline.data_through(self.followed.datasets)
        if through is None:
            return False
        ends = self.timeline.period_ends(period, grain)
        until = self.timeline.complete_until(through)
        assert until is not None
        if self.followed.funnel.window is None:  # until the end of the period's last day
            return at(ends - timedelta(microseconds=1), self.timeline.zone).day <= through
        return ends + timedelta(seconds=seconds_of(self.followed.funnel.window)) <= until

    def _steps(self, paths: Sequence[Path]) -> list[Answer]:
        counts = [sum(len(path.times) > place for path in paths) for place in range(len(self.followed.steps))]
        return [self._step(place, counts, paths) for place in range(len(counts))]

    def _step(self, place: int, counts: list[int], paths: Iterable[Path]) -> Answer:
        waits = [(path.times[place] - path.times[place - 1]) / MICROS for path in paths if 0 < place < len(path.times)]
        return {
            "name": self.followed.steps[place].name,
            "index": place + 1,
            "count": counts[place],
            "conversion": rate(counts[place], counts[0]),
            "stepConversion": rate(counts[place], counts[place - 1]) if place else None,
            "dropOff": counts[place - 1] - counts[place] if place else None,
            "averageSeconds": sum(waits) / len(waits) if waits else None,
            "medianSeconds": median(waits) if waits else None,
        }


def _by_value(paths: Iterable[Path]) -> dict[tuple[Any, ...], list[Path]]:
    groups: dict[tuple[Any, ...], list[Path]] = {}
    for path in paths:
        groups.setdefault(path.value, []).append(path)
    return groups


def rate(part: int, whole: int) -> float | None:
    """A share; of nothing it is null."""
    return part / whole if whole else None


def definition(model: Model, query: FunnelQuery) -> tuple[Funnel, tuple[Condition | None, ...]]:
    """The funnel that is asked about, and what its steps must meet beside their own conditions."""
    if isinstance(query.funnel, AdHocFunnel):
        return _ad_hoc(model, query.funnel)
    funnel = model.funnels[query.funnel]
    if query.window is None and not query.same_day:
        return funnel, ()
    return replace(funnel, window=query.window), ()


def _ad_hoc(model: Model, asked: AdHocFunnel) -> tuple[Funnel, tuple[Condition | None, ...]]:
    datasets = [step.dataset or _dataset_of(model, step, asked.entity) for step in asked.steps]
    shared = [{name for name, _ in model.datasets[dataset].entities} for dataset in datasets]
    known = [name for name, _ in model.datasets[datasets[0]].entities if all(name in names for names in shared)]
    steps = tuple(Step(step.name, dataset) for step, dataset in zip(asked.steps, datasets, strict=True))
    entity = asked.entity or known[0]
    funnel = Funnel("", entity, datasets[0], steps, asked.window, asked.order, asked.entry)
    return funnel, tuple(step.where for step in asked.steps)


def _dataset_of(model: Model, step: AdHocStep, entity: str | None) -> str:
    """The first dataset of events that has all that a step names."""
    for dataset in model.datasets.values():
        entities = [name for name, _ in dataset.entities]
        is_followed = bool(entities) and dataset.time_dimension is not None and (entity is None or entity in entities)
        names = {dimension.name for dimension in dataset.dimensions}
        if is_followed and names.issuperset(dimensions_of(step.where)):
            return dataset.name
    raise Refused(Code.DIMENSION_NOT_SHARED)

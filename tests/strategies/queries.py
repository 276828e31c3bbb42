"""Queries a model can be asked: selections, filters, ranges, windows, offsets, and what comes after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from semantic.model.dataset import DimensionType
from semantic.model.metric import Cumulative, Derived, Ratio
from semantic.model.model import Model
from semantic.model.reach import reachable, sources, splits
from semantic.query.query import (
    Between,
    Comparison,
    Dates,
    DimensionField,
    Field,
    Having,
    Last,
    MetricField,
    MetricQuery,
    Operator,
    OrderBy,
    Scalar,
    TimeField,
    TimeRange,
)
from semantic.time import Duration, Grain, Unit
from tests.reference.world import World
from tests.strategies.choices import Choices
from tests.strategies.conditions import COMPARED, condition
from tests.strategies.data import ZONES
from tests.strategies.models import NO_NUMBER

_DAYS = (Grain.DAY, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
_OFFSETS = tuple(
    Duration(count, unit)
    for count, unit in (
        (1, Unit.DAY),
        (1, Unit.MONTH),
        (2, Unit.DAY),
        (7, Unit.DAY),
        (1, Unit.WEEK),
        (1, Unit.QUARTER),
        (1, Unit.YEAR),
    )
)
_ROLLING = (*_OFFSETS, Duration(3, Unit.DAY), Duration(30, Unit.DAY))
_CLOCK_DURATIONS = (
    Duration(1, Unit.HOUR),
    Duration(3, Unit.HOUR),
    Duration(90, Unit.MINUTE),
    Duration(26, Unit.HOUR),
    Duration(1, Unit.DAY),
)
_TO_DATE = (Grain.MONTH, Grain.DAY, Grain.WEEK, Grain.QUARTER, Grain.YEAR)


@st.composite
def queries(draw: st.DrawFn, world: World, model: Model) -> MetricQuery:
    """Any query of one to three metric fields and what they can be split by."""
    return make_query(Choices.of(draw), world, model)


def make_query(choices: Choices, world: World, model: Model) -> MetricQuery:
    """One query."""
    clock = choices.chance(8) and (_has_hours(world) or choices.chance(6))
    heavy = clock and not choices.chance(6)  # a year to date, for every hour of a day
    known = [name for name in model.metrics if not (heavy and _accumulates(model, name))]
    names = choices.some(known, 1, 2) + ([choices.pick(known)] if choices.chance(3) else [])
    shared = shared_dimensions(model, [name for name in names if not model.metrics[name].unallocated_null] or names[:1])
    times = _time_fields(choices, clock, heavy)
    split = choices.some(list(shared), 0, 2)
    dimensions = [_dimension(choices, name, shared[name], f"d{index}") for index, name in enumerate(split)]
    metrics = [_metric(choices, model, name, f"m{index}", clock, bool(times)) for index, name in enumerate(names)]
    fields: list[Field] = [*times, *dimensions, *metrics]
    fields = choices.some(fields, len(fields)) if choices.chance(3) else fields
    return MetricQuery(
        fields=tuple(fields),
        time_range=_time_range(choices, world, clock, any(field.grain is Grain.MINUTE for field in times)),
        timezone=choices.pick(ZONES) if choices.chance(3) else None,
        where=condition(choices, shared) if choices.chance(3) else None,
        segments=_segments(choices, model, names) if choices.chance(5) else (),
        having=_having(choices, metrics) if choices.chance(6) else (),
        order_by=tuple(_order(choices, fields) for _ in range(choices.below(3))) if choices.chance(3) else (),
        limit=choices.pick((1000, 3, 1)) if choices.chance(5) else None,
        offset=1 if choices.chance(12) else 0,
        fill=bool(times) and choices.chance(4),
    )


def shared_dimensions(model: Model, names: Sequence[str]) -> dict[str, DimensionType]:
    """What all of the metrics can be split by, with types."""
    found = [splits(model, model.metrics[name]) for name in names]
    reached = reachable(model, sources(model, model.metrics[names[0]])[0].dataset)
    return {name: reached[name].dimension.type for name in found[0] if all(name in others for others in found)}


def _has_hours(world: World) -> bool:
    """Are all time columns finer than a day?"""
    return all(table.columns.get("at") != "DATE" for table in world.tables.values())


def _accumulates(model: Model, name: str) -> bool:
    """Is there a window inside? Then it takes no other, and none of hours."""
    metric = model.metrics[name]
    match metric:
        case Ratio():
            return _accumulates(model, metric.numerator) or _accumulates(model, metric.denominator)
        case Derived():
            return any(_accumulates(model, ref.name) for ref in metric.expr.refs)
    return isinstance(metric, Cumulative)


def _segments(choices: Choices, model: Model, names: list[str]) -> tuple[str, ...]:
    """Segments all metrics have; now and then one that they may not."""
    known = [{segment.name for segment in dataset.segments} for dataset in model.datasets.values()]
    if choices.chance(5):
        return tuple(choices.some(sorted(set.union(*known)), 0, 1))
    datasets = {source.dataset for metric in names for source in sources(model, model.metrics[metric])}
    shared = [{segment.name for segment in model.datasets[name].segments} for name in datasets]
    return tuple(choices.some(sorted(set.intersection(*shared))))


def _time_fields(choices: Choices, clock: bool, minutes: bool) -> list[TimeField]:
    """None, one, or two of different sizes."""
    clocks = (Grain.HOUR, Grain.HOUR, Grain.MINUTE) if minutes else (Grain.HOUR,)
    grains = [choices.pick(clocks if clock else _DAYS)] if choices.chance(2) or clock else []
    grains += [choices.pick(_DAYS)] if choices.chance(6) else []
    return [TimeField(f"t{index}", grain) for index, grain in enumerate(grains)]


def _dimension(choices: Choices, name: str, kind: DimensionType, key: str) -> DimensionField:
    grains = {
        DimensionType.DATE: (None, Grain.DAY, Grain.WEEK, Grain.MONTH),
        DimensionType.TIME: (None, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.HOUR),
    }
    return DimensionField(key, name, choices.pick(grains.get(kind, (None,))))


def _metric(choices: Choices, model: Model, name: str, key: str, clock: bool, timed: bool) -> MetricField:
    offset, comparison, rolling, to_date = None, Comparison.VALUE, None, None
    where = condition(choices, shared_dimensions(model, [name])) if choices.chance(5) else None
    if choices.chance(3):
        offset = choices.pick(_CLOCK_DURATIONS if clock and timed else _OFFSETS)
    if offset is not None and NO_NUMBER not in name:
        comparison = choices.pick((Comparison.VALUE, Comparison.CHANGE, Comparison.CHANGE_RATIO))
    windowed = _accumulates(model, name) and not choices.chance(20)
    if choices.chance(4) and not windowed:
        rolling = choices.pick(_CLOCK_DURATIONS if clock else _ROLLING)
    elif choices.chance(6) and not windowed:
        to_date = choices.pick(_TO_DATE[:3] if clock else _TO_DATE)
    return MetricField(key, name, where, offset, comparison, rolling, to_date)


# --- time ranges -----------------------------------------------------------------------------------------------------


def _middle(world: World) -> date:
    """A day in the middle of the data."""
    days = [
        value.date() if isinstance(value, datetime) else value
        for table in world.tables.values()
        for row in table.rows
        if (value := row.get("at")) is not None
    ]
    return sorted(days)[len(days) // 2] if days else date(2024, 3, 31)


def _time_range(choices: Choices, world: World, clock: bool, minutes: bool) -> TimeRange | None:
    """Ranges around the data; short ones for hours and minutes, whose periods are many."""
    middle = _middle(world)
    if minutes:
        start = _half_hour(choices, middle)
        return Between(start, start + timedelta(minutes=1 + choices.below(200)))
    kinds = ("dates", "between", "last") if clock else ("none", "none", "dates", "dates", "month", "between", "last")
    match choices.pick(kinds):
        case "none":
            return None
        case "dates":
            first = middle + timedelta(days=choices.pick((0, 0, -1, -3, -7, -40)))
            return Dates(first, first + timedelta(days=choices.below(2 if clock else 20)))
        case "month":
            return _month(middle - timedelta(days=choices.pick((0, 31))))
        case "between":
            start = _half_hour(choices, middle)
            return Between(start, start + timedelta(hours=1 + choices.below(30 if clock else 400)))
        case _:
            units = (Unit.DAY, Unit.HOUR) if clock else (Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.HOUR)
            return Last(1 + choices.below(2 if clock else 4), choices.pick(units), choices.chance(2))


def _half_hour(choices: Choices, near: date) -> datetime:
    return datetime(near.year, near.month, near.day) + timedelta(minutes=30 * (choices.below(120) - 60))


def _month(day: date) -> Dates:
    first = day.replace(day=1)
    return Dates(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))


# --- after the values ------------------------------------------------------------------------------------------------


def _having(choices: Choices, metrics: list[MetricField]) -> tuple[Having, ...]:
    keys = [metric.key for metric in metrics if NO_NUMBER not in metric.metric]
    return (_having_of(choices, choices.pick(keys)),) if keys else ()


def _having_of(choices: Choices, key: str) -> Having:
    numbers: tuple[Scalar, ...] = (0, 1, 2, 10, 20, 0.5)
    operator = choices.pick((*COMPARED, Operator.IN, Operator.NOT_IN, Operator.IS_NULL))
    match operator:
        case Operator.IN | Operator.NOT_IN:
            return Having(key, operator, tuple(choices.some(numbers)))
        case Operator.IS_NULL:
            return Having(key, operator, choices.chance(2))
        case _:
            return Having(key, operator, choices.pick(numbers))


def _order(choices: Choices, fields: list[Field]) -> OrderBy:
    return OrderBy(choices.pick(fields).key, choices.chance(2))

"""Queries a model can be asked: selections, filters, ranges, windows, offsets, and what comes after."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from semantic.model.dataset import DimensionType
from semantic.model.model import Model
from semantic.model.reach import datasets_of, reachable, splits
from semantic.query.query import (
    And,
    Between,
    Compare,
    Comparison,
    Condition,
    Dates,
    DimensionField,
    Field,
    Having,
    Last,
    MetricField,
    MetricQuery,
    Not,
    Operator,
    Or,
    OrderBy,
    TimeField,
    TimeRange,
)
from semantic.time import Duration, Grain, Unit
from tests.reference.world import World
from tests.strategies.data import CHANNELS, CITIES, LEVELS, REGIONS, SHOPS, ZONES

_DAYS = (Grain.DAY, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)
_OFFSETS = tuple(
    Duration(count, unit)
    for count, unit in (
        (1, Unit.DAY),
        (2, Unit.DAY),
        (7, Unit.DAY),
        (1, Unit.WEEK),
        (1, Unit.MONTH),
        (1, Unit.MONTH),
        (1, Unit.QUARTER),
        (1, Unit.YEAR),
    )
)
_ROLLING = (*_OFFSETS, Duration(3, Unit.DAY), Duration(30, Unit.DAY))
_CLOCK = (Duration(1, Unit.HOUR), Duration(3, Unit.HOUR), Duration(90, Unit.MINUTE))
_COMPARED = (Operator.EQ, Operator.NE, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
_TEXTUAL = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)
_STRINGS = {
    "channel": CHANNELS,
    "city": CITIES,
    "shop": tuple(str(shop) for shop in SHOPS),
    "shouted": ("ADS", "SEARCH"),
    "size": ("large", "small"),
    "place": (*CITIES, "unknown"),
    "level": LEVELS,
    "loud_level": ("GOLD",),
    "region": REGIONS,
}


@st.composite
def queries(draw: st.DrawFn, world: World, model: Model) -> MetricQuery:
    """Any query of one to three metric fields and what they can be split by."""
    names = draw(st.lists(st.sampled_from(list(model.metrics)), min_size=1, max_size=3))
    shared = _shared(model, names)
    times = draw(_time_fields(draw(st.integers(0, 7)) == 0))
    clock = any(field.grain.is_clock for field in times) or (not times and draw(st.integers(0, 9)) == 0)
    dimensions = [draw(_dimension_field(model, names, name, i)) for i, name in enumerate(draw(_some(shared)))]
    metrics = [draw(_metric_field(model, name, f"m{index}", clock, bool(times))) for index, name in enumerate(names)]
    fields: list[Field] = draw(st.permutations([*times, *dimensions, *metrics]))
    return MetricQuery(
        fields=tuple(fields),
        time_range=draw(_time_range(world, clock)),
        timezone=draw(st.one_of(st.none(), st.sampled_from(ZONES))),
        where=draw(_condition(model, names)),
        segments=draw(_segments(model, names)),
        having=tuple(draw(st.lists(_having(metrics), max_size=1))) if draw(st.integers(0, 3)) == 0 else (),
        order_by=tuple(draw(st.lists(_order(fields), max_size=2))) if draw(st.booleans()) else (),
        limit=draw(st.sampled_from((None, None, None, 1, 3, 1000))),
        offset=draw(st.sampled_from((0, 0, 0, 1))),
        fill=bool(times) and draw(st.integers(0, 2)) == 0,
    )


@st.composite
def _segments(draw: st.DrawFn, model: Model, names: list[str]) -> tuple[str, ...]:
    """Segments all metrics have; now and then one that they may not."""
    if draw(st.integers(0, 2)):
        return ()
    if draw(st.integers(0, 9)) == 0:
        return ("busy",) if any(dataset.segments for dataset in model.datasets.values()) else ()
    datasets = {name for metric in names for name in datasets_of(model, model.metrics[metric])}
    known = [{segment.name for segment in model.datasets[name].segments} for name in datasets]
    return tuple(draw(_some(sorted(set.intersection(*known)))))


def _shared(model: Model, names: list[str]) -> list[str]:
    """What all of the metrics can be split by."""
    found = [splits(model, model.metrics[name]) for name in names]
    return [name for name in found[0] if all(name in others for others in found)]


def _some(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=2, unique=True) if names else st.just([])


def _type(model: Model, metric: str, dimension: str) -> DimensionType:
    dataset = datasets_of(model, model.metrics[metric])[0]
    return reachable(model, dataset)[dimension].dimension.type


@st.composite
def _dimension_field(draw: st.DrawFn, model: Model, names: list[str], name: str, index: int) -> DimensionField:
    grain = None
    if _type(model, names[0], name) in (DimensionType.DATE, DimensionType.TIME):
        grain = draw(st.sampled_from((None, Grain.DAY, Grain.WEEK, Grain.MONTH)))
    return DimensionField(f"d{index}", name, grain)


def _time_fields(clock: bool) -> st.SearchStrategy[list[TimeField]]:
    """Mostly none or one; a second grain now and then."""
    grains = (Grain.HOUR, Grain.HOUR, Grain.MINUTE) if clock else _DAYS
    first = st.lists(st.sampled_from(grains), max_size=1)
    none: st.SearchStrategy[list[Grain]] = st.just([])
    more = st.one_of(none, none, none, st.lists(st.sampled_from(_DAYS), min_size=1, max_size=1))
    return st.builds(
        lambda a, b: [TimeField(f"t{index}", grain) for index, grain in enumerate([*a, *b])],
        first,
        more,
    )


@st.composite
def _metric_field(draw: st.DrawFn, model: Model, name: str, key: str, clock: bool, timed: bool) -> MetricField:
    offset, comparison, rolling, to_date = None, Comparison.VALUE, None, None
    where = draw(_condition(model, [name])) if draw(st.integers(0, 3)) == 0 else None
    if draw(st.integers(0, 2)) == 0:
        offset = draw(st.sampled_from(_CLOCK if clock and timed else _OFFSETS))
        comparison = draw(st.sampled_from(list(Comparison)))
    if draw(st.integers(0, 3)) == 0:
        rolling = draw(st.sampled_from(_CLOCK if clock else _ROLLING))
    elif draw(st.integers(0, 5)) == 0 and not clock:
        to_date = draw(st.sampled_from((Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)))
    return MetricField(key, name, where, offset, comparison, rolling, to_date)


# --- filters ---------------------------------------------------------------------------------------------------------


@st.composite
def _condition(draw: st.DrawFn, model: Model, names: list[str]) -> Condition | None:
    shared = _shared(model, names)
    if not shared or draw(st.booleans()):
        return None
    leaf = st.sampled_from(shared).flatmap(lambda name: _compare(name, _type(model, names[0], name)))
    parts = st.lists(leaf, max_size=2).map(tuple)
    drawn: Condition = draw(
        st.one_of(leaf, leaf, leaf.map(Not), parts.map(And), parts.map(Or), parts.map(lambda inner: Not(Or(inner))))
    )
    return drawn


def _compare(name: str, kind: DimensionType) -> st.SearchStrategy[Condition]:
    values, operators = _values(name, kind)
    is_null = st.builds(Compare, st.just(name), st.just(Operator.IS_NULL), st.booleans())
    if values is None:
        return is_null
    one = st.builds(Compare, st.just(name), st.sampled_from(operators), values)
    several = st.lists(values, max_size=3).map(tuple)
    many = st.builds(Compare, st.just(name), st.sampled_from((Operator.IN, Operator.NOT_IN)), several)
    textual = st.builds(
        Compare, st.just(name), st.sampled_from(_TEXTUAL), st.sampled_from(("a", "A", "京", "%", "_", "'", "", "large"))
    )
    return (
        st.one_of(one, one, many, is_null, textual) if kind is DimensionType.STRING else st.one_of(one, many, is_null)
    )


def _values(name: str, kind: DimensionType) -> tuple[st.SearchStrategy[Any] | None, tuple[Operator, ...]]:
    match kind:
        case DimensionType.STRING:
            pool = next(pool for suffix, pool in _STRINGS.items() if name.endswith(suffix))
            return st.sampled_from((*pool, "nowhere")), _COMPARED
        case DimensionType.NUMBER:
            return st.one_of(st.integers(-1, 4), st.just(1.5)), _COMPARED
        case DimensionType.BOOLEAN:
            return st.booleans(), (Operator.EQ, Operator.NE)
        case DimensionType.DATE:
            return st.dates(date(2024, 2, 1), date(2024, 4, 30)), _COMPARED
        case DimensionType.TIME:
            return None, ()


# --- time ranges -----------------------------------------------------------------------------------------------------


def _middle(world: World) -> date:
    """A day of the data."""
    days = [
        value.date() if isinstance(value, datetime) else value
        for table in world.tables.values()
        for row in table.rows
        if (value := row.get("at")) is not None
    ]
    return sorted(days)[len(days) // 2] if days else date(2024, 3, 31)


@st.composite
def _time_range(draw: st.DrawFn, world: World, clock: bool) -> TimeRange | None:
    """Ranges around the data; short ones for hours and minutes, whose periods are many."""
    middle = _middle(world)
    kinds = ("dates", "between", "last") if clock else ("none", "none", "dates", "dates", "between", "last")
    match draw(st.sampled_from(kinds)):
        case "none":
            return None
        case "dates":
            first = middle + timedelta(days=draw(st.sampled_from((0, 0, -1, -3, -7, -40))))
            length = draw(st.integers(0, 1 if clock else 20))
            whole = not clock and draw(st.integers(0, 3)) == 0
            return _month(first) if whole else Dates(first, first + timedelta(days=length))
        case "between":
            hours = draw(st.integers(1, 30 if clock else 400))
            start = datetime(middle.year, middle.month, middle.day) + timedelta(minutes=30 * draw(st.integers(-60, 60)))
            return Between(start, start + timedelta(hours=hours))
        case _:
            units = (Unit.HOUR, Unit.DAY) if clock else (Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.HOUR)
            return Last(draw(st.integers(1, 2 if clock else 4)), draw(st.sampled_from(units)), draw(st.booleans()))


def _month(day: date) -> Dates:
    first = day.replace(day=1)
    return Dates(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))


# --- after the values ------------------------------------------------------------------------------------------------


def _having(metrics: list[MetricField]) -> st.SearchStrategy[Having]:
    keys = st.sampled_from([metric.key for metric in metrics])
    numbers = st.one_of(st.integers(0, 20), st.just(0.5))
    several = st.lists(numbers, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Having, keys, st.sampled_from(_COMPARED), numbers),
        st.builds(Having, keys, st.sampled_from((Operator.IN, Operator.NOT_IN)), several),
        st.builds(Having, keys, st.just(Operator.IS_NULL), st.booleans()),
    )


def _order(fields: list[Field]) -> st.SearchStrategy[OrderBy]:
    return st.builds(OrderBy, st.sampled_from([field.key for field in fields]), st.booleans())

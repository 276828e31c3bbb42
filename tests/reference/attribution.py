"""Attribution by brute force (semantics.md §3): every conversion, every touch before it, a share for each.

Credits become rows of a table of their own. Metrics of type attribution are then plain sums over it, and everything
else about them (periods, windows, offsets, filters, totals) is what the reference says of sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from semantic.model.metric import Attribution
from semantic.model.sequence import AttributionDefinition, AttributionModel, CreditTime
from semantic.query.query import MetricQuery
from semantic.query.touch_path import TouchPathQuery
from tests.reference.expressions import twin_of
from tests.reference.fold import total
from tests.reference.rows import Row
from tests.reference.span import resolve
from tests.reference.timeline import Happening, Timeline, condition_holds
from tests.reference.world import Table, World

_MICRO = timedelta(microseconds=1)
_WEEK = timedelta(days=7) // _MICRO


@dataclass(frozen=True, slots=True)
class Credit:
    """A share of a conversion, and the touch that has it (None: there was none)."""

    conversion: Row
    touch: Happening | None
    share: int | float


def credits_of(timeline: Timeline, definition: AttributionDefinition, model: AttributionModel) -> Iterator[Credit]:
    """Every credit of every conversion, whoever made it and whenever."""
    for row, found in _conversions(timeline, definition):
        if not found:
            yield Credit(row, None, 1)
        for place, share in _shares(timeline, definition, model, row, found).items():
            yield Credit(row, found[place], share)


def _conversions(timeline: Timeline, definition: AttributionDefinition) -> Iterator[tuple[Row, list[Happening]]]:
    """Every conversion with its touches in their order."""
    touches = list(timeline.happenings(definition.touch.dataset, definition.entity, definition.touch.where))
    touches.sort(key=lambda touch: (touch.micros, _rank(timeline, definition, touch)))
    dataset = timeline.model.datasets[definition.conversion.dataset]
    column = dataset.entity_column(definition.entity)
    assert column is not None
    for row in timeline.source.rows[dataset.name]:
        if not condition_holds(definition.conversion.where, timeline.source.getter(dataset.name, row)):
            continue
        yield row, _before(timeline, definition, row, column, touches)


def _rank(timeline: Timeline, definition: AttributionDefinition, touch: Happening) -> tuple[Any, ...]:
    """What orders touches of one instant: the primary key; without one, what credit can be split by."""
    dataset = timeline.model.datasets[touch.dataset]
    if dataset.primary_key:
        values = [touch.row[column] for column in dataset.primary_key]
    else:
        own = [dimension.name for dimension in dataset.dimensions]
        values = [timeline.source.value(touch.dataset, touch.row, name) for name in definition.touch_dimensions or own]
    return tuple((value is None, value) if value is not None else (True, 0) for value in values)


def _before(
    timeline: Timeline, definition: AttributionDefinition, row: Row, column: str, touches: list[Happening]
) -> list[Happening]:
    """The touches of who converted, from the lookback's first instant to the conversion's own."""
    at = _micros(timeline, definition.conversion.dataset, row)
    seconds = definition.lookback.seconds
    assert seconds is not None
    if row[column] is None or at is None:
        return []
    reach = seconds * 1_000_000
    return [touch for touch in touches if touch.entity == str(row[column]) and 0 <= at - touch.micros <= reach]


def _micros(timeline: Timeline, dataset: str, row: Row) -> int | None:
    when = timeline.source.moment(dataset, timeline.model.datasets[dataset].time_dimension, row)
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return None if when is None else (when.instant - epoch) // _MICRO


def _shares(
    timeline: Timeline, definition: AttributionDefinition, model: AttributionModel, row: Row, found: list[Happening]
) -> dict[int, int | float]:
    """The share of each touch that has one, by its place."""
    count, last = len(found), len(found) - 1
    if not found:
        return {}
    match model:
        case AttributionModel.FIRST:
            return {0: 1}
        case AttributionModel.LAST:
            return {last: 1}
        case AttributionModel.LAST_NON_DIRECT:
            direct = definition.direct
            earned = [place for place in range(count) if direct is None or not timeline.holds(direct, found[place])]
            return {max(earned, default=last): 1}
        case AttributionModel.LINEAR:
            return dict.fromkeys(range(count), 1 / count)
        case AttributionModel.POSITION:
            if count <= 2:
                return dict.fromkeys(range(count), 1 / count)
            return {place: 0.4 if place in (0, last) else 0.2 / (count - 2) for place in range(count)}
        case AttributionModel.TIME_DECAY:
            at = _micros(timeline, definition.conversion.dataset, row)
            assert at is not None
            worth = [2 ** (-(at - touch.micros) / _WEEK) for touch in found]
            return {place: one / sum(worth) for place, one in enumerate(worth)}


# --- credits as a table ----------------------------------------------------------------------------------------------


def as_sums(world: World, query: MetricQuery) -> tuple[World, MetricQuery]:
    """The world with a table of credits for each attribution metric and model, and the query over those."""
    model = world.model()
    timeline = Timeline(model, world.rows, query.timezone)
    document, tables = deepcopy(world.document), dict(world.tables)
    metrics = []
    for asked in dict.fromkeys([None, *(field.model for field in query.metrics)]):
        for spec in document["metrics"]:
            if spec["type"] == "attribution":
                name = _named(spec["name"], asked)
                dataset, table = _table(timeline, model.metrics[spec["name"]], asked, f"credits_{name}")
                document["datasets"] = [*document["datasets"], dataset]
                tables[dataset["name"]] = table
                metrics.append(_sum(spec, name, dataset["name"]))
            else:
                metrics.append(_renamed(spec, asked))
    document["metrics"] = metrics
    del document["attributions"]
    fields = [
        replace(field, metric=_named(field.metric, field.model), model=None) if field in query.metrics else field
        for field in query.fields
    ]
    return World(document, tables), replace(query, fields=tuple(fields))


def _named(name: str, model: AttributionModel | None) -> str:
    return name if model is None else f"{name}_by_{model}"


def _sum(spec: dict[str, Any], name: str, dataset: str) -> dict[str, Any]:
    fill = spec.get("fill", None if "value" in spec else 0)
    summed = {"name": name, "type": "simple", "dataset": dataset, "agg": "sum", "expr": "credit", "where": "is_credit"}
    return summed | ({} if fill is None else {"fill": fill})


def _renamed(spec: dict[str, Any], model: AttributionModel | None) -> dict[str, Any]:
    """A metric over others, by a model."""
    inner = {key: _named(spec[key], model) for key in ("numerator", "denominator", "metric") if key in spec}
    renamed = spec | inner | {"name": _named(spec["name"], model)}
    if spec["type"] == "derived":
        words = spec["expr"].split(" ")
        renamed["expr"] = " ".join(_named(word, model) if word.isidentifier() else word for word in words)
    return renamed


def _table(
    timeline: Timeline, metric: object, asked: AttributionModel | None, name: str
) -> tuple[dict[str, Any], Table]:
    assert isinstance(metric, Attribution)
    model = timeline.model
    definition = model.attributions[metric.attribution]
    by_touch = (metric.time or definition.time) is CreditTime.TOUCH
    touch = model.datasets[definition.touch.dataset]
    dimensions = definition.touch_dimensions or tuple(found[0] for found in timeline.source.dimensions(touch.name))
    rows: list[Row] = list(_days(timeline, definition, by_touch))
    for credit in credits_of(timeline, definition, asked or definition.model):
        row: Row = {"at": _at(timeline, definition, credit, by_touch), "is_credit": True}
        row["credit"] = _credit(timeline, definition, metric, credit)
        for dimension in dimensions:
            row[dimension] = credit.touch and timeline.source.value(touch.name, credit.touch.row, dimension)
        for segment in touch.segments:
            row[f"in_{segment.name}"] = credit.touch is not None and timeline.holds(segment.where, credit.touch)
        rows.append(row)
    columns = dict.fromkeys(["credit", *dimensions, *(f"in_{segment.name}" for segment in touch.segments)])
    through = timeline.data_through([definition.touch.dataset, definition.conversion.dataset])
    dataset = {
        "name": name,
        "source": f"data/{name}/*.parquet",
        "time_dimension": "at",
        "dimensions": [{"name": dimension, "type": "string"} for dimension in dimensions],
        "segments": [{"name": segment.name, "where": f"in_{segment.name}"} for segment in touch.segments],
    }
    return dataset | ({} if through is None else {"data_through": through}), Table({}, [columns | row for row in rows])


def _credit(timeline: Timeline, definition: AttributionDefinition, metric: Attribution, credit: Credit) -> Any:
    if metric.value is None:
        return credit.share
    get = timeline.source.getter(definition.conversion.dataset, credit.conversion)
    value = twin_of(metric.value.source)(get)
    return value if value is None or credit.share == 1 else float(value) * credit.share


def _days(timeline: Timeline, definition: AttributionDefinition, by_touch: bool) -> Iterator[Row]:
    """Rows that are no credits, of every time in the data: they say how far it goes. Dates first."""
    datasets = [definition.conversion.dataset, *([definition.touch.dataset] if by_touch else [])]
    found = [_time(timeline, name, row) for name in datasets for row in timeline.source.rows[name]]
    for at in sorted(found, key=lambda at: isinstance(at, datetime)):
        yield {"at": at, "is_credit": False}


def _at(timeline: Timeline, definition: AttributionDefinition, credit: Credit, by_touch: bool) -> date | None:
    if by_touch and credit.touch is not None:
        return _time(timeline, definition.touch.dataset, credit.touch.row)
    return _time(timeline, definition.conversion.dataset, credit.conversion)


def _time(timeline: Timeline, dataset: str, row: Row) -> date | None:
    """A row's time: a local date, or an instant with its zone."""
    when = timeline.source.moment(dataset, timeline.model.datasets[dataset].time_dimension, row)
    if when is None:
        return None
    return when.day if when.is_date else when.instant


# --- touch paths -----------------------------------------------------------------------------------------------------


def touch_path_rows(world: World, query: TouchPathQuery) -> list[Row]:
    """The paths of a question, most common first: `touches`, `conversions`, `value`, `total`."""
    model = world.model()
    timeline = Timeline(model, world.rows, query.timezone)
    definition = model.attributions[query.attribution]
    through = timeline.data_through([definition.touch.dataset, definition.conversion.dataset])
    span = resolve(query.time_range, timeline.zone, model.week_start, [through])
    by = query.by or definition.touch_dimensions[0]
    counts: Counter[tuple[str | None, ...]] = Counter()
    values: dict[tuple[str | None, ...], list[Any]] = {}
    for row, touches in _conversions(timeline, definition):
        when = timeline.source.moment(definition.conversion.dataset, "at", row)
        if span is not None and (when is None or not span.holds(when)):
            continue
        names = [timeline.values(touch, [by])[0] for touch in touches if _passes(timeline, query, touch)]
        if not query.repeats:
            names = [name for name, _ in groupby(names)]
        path = tuple(names[-query.steps :])
        counts[path] += 1
        values.setdefault(path, []).append(_value(timeline, query, row))
    found = sorted(counts, key=lambda path: (-counts[path], len(path), [(n is None, n or "") for n in path[::-1]]))
    every = sum(counts.values())
    return [
        {"touches": path, "conversions": counts[path], "value": _sum_of(values[path]), "total": every} for path in found
    ][: query.limit]


def _passes(timeline: Timeline, query: TouchPathQuery, touch: Happening) -> bool:
    held = timeline.source.holds(query.where, touch.dataset, touch.row)
    return held and timeline.segments_hold(touch, query.segments)


def _value(timeline: Timeline, query: TouchPathQuery, row: Row) -> Any:
    model = timeline.model
    metric = None if query.metric is None else model.metrics[query.metric]
    if not isinstance(metric, Attribution) or metric.value is None:
        return None
    dataset = model.attributions[metric.attribution].conversion.dataset
    return twin_of(metric.value.source)(timeline.source.getter(dataset, row))


def _sum_of(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return total(known) if known else None

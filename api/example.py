"""A first query for a model: one that it can really answer, tried by compiling it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from api.context import Snapshot
from api.schema.names import TIME, DimensionName, MetricName
from semantic.compile import compile_query
from semantic.errors import QueryError
from semantic.model.dataset import DimensionType
from semantic.model.metric import Aggregation, Format, Metric, Ratio, Simple
from semantic.model.reach import splits
from semantic.model.reads import metrics_read
from semantic.query.access import least_groups
from semantic.query.query import (
    ANONYMOUS,
    Comparison,
    DimensionField,
    Field,
    Last,
    MetricField,
    MetricQuery,
    TimeField,
    Viewer,
)
from semantic.time import Duration, Grain, Unit

_SHOWN = 3
"""Metrics in the example."""
_RANGE = Last(7, Unit.DAY)
_WEEK = Duration(1, Unit.WEEK)

_CATALOG = """\
query Example {
  catalog {
    metrics { name label description }
    dimensions { name label }
  }
}
"""


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who is shown an example, of what they may see."""

    snapshot: Snapshot
    viewer: Viewer


def example_query(snapshot: Snapshot, viewer: Viewer = ANONYMOUS) -> dict[str, str]:
    """`{"query": …}`, ready for this viewer to run. Compiles a few questions: off the event loop."""
    asking = _Asking(snapshot.seen_by(viewer), viewer)
    parts = [part for part in (_by_day(asking), _by_dimension(asking)) if part]
    if least_groups(snapshot.model, viewer):
        del parts[1:]  # two could tell of groups that are too small
    text = "\n".join(parts) or _plain(asking)
    return {"query": f"query Example {{\n{text}}}\n" if text else _CATALOG}


def _by_day(asking: _Asking) -> str | None:
    """Metrics of the last days, and the first one's change since the week before."""
    day = TimeField(TIME, Grain.DAY)
    metrics = _answerable(asking, MetricQuery((day,), _RANGE))
    if not metrics:
        return None
    change = MetricField("change", metrics[0].metric.name, offset=_WEEK, comparison=Comparison.CHANGE_RATIO)
    compared = MetricQuery((day, *_fields(metrics), change), _RANGE)
    lines = [f"{TIME}(grain: DAY)", *(entry.field for entry in metrics)]
    if "change" not in lines and _compiles(asking, compared):
        lines.append(f"change: {metrics[0].field}(offset: {{count: 1, unit: WEEK}}, as: CHANGE_RATIO)")
    totals = " ".join(entry.field for entry in metrics)
    body = [*_block("rows", lines), f"    totals {{ {totals} }}", "    meta { dataThrough durationMs cached }"]
    return _root("byDay", "timeRange: {last: {count: 7, unit: DAY}}", body)


def _by_dimension(asking: _Asking) -> str | None:
    """The first dimension that some metrics share, with the largest values first."""
    for entry in _dimensions(asking):
        metrics = _answerable(asking, MetricQuery((DimensionField(entry.field, entry.name),)))
        if metrics:
            order = f'orderBy: [{{by: "{metrics[0].field}", direction: DESC}}], limit: 10'
            body = _block("rows", [entry.field, *(metric.field for metric in metrics)])
            return _root("byDimension", order, body)
    return None


def _plain(asking: _Asking) -> str | None:
    """Numbers without any split."""
    metrics = _answerable(asking, MetricQuery(()))
    if not metrics:
        return None
    return _root("metrics", "", _block("totals", [entry.field for entry in metrics]))


def _answerable(asking: _Asking, base: MetricQuery) -> list[MetricName]:
    """A few metrics that can be asked for together with what `base` asks."""
    found: list[MetricName] = []
    for entry in _metrics(asking):
        together = replace(base, fields=(*base.fields, *_fields([*found, entry])))
        if _compiles(asking, together):
            found.append(entry)
        if len(found) == _SHOWN:
            break
    return found


def _metrics(asking: _Asking) -> Iterator[MetricName]:
    """Somebody counted, some money and some ratio, then all others; first what most other metrics are computed from."""
    uses = Counter(name for metric in asking.snapshot.model.metrics.values() for name in metrics_read(metric))
    entries = sorted(asking.snapshot.names.metrics.values(), key=lambda entry: -uses[entry.metric.name])
    first = [next((entry for entry in entries if is_one(entry.metric)), None) for is_one in (_people, _money, _ratio)]
    yield from {entry.field: entry for entry in (*first, *entries) if entry is not None}.values()


def _people(metric: Metric) -> bool:
    return isinstance(metric, Simple) and metric.agg is Aggregation.COUNT_DISTINCT


def _money(metric: Metric) -> bool:
    return isinstance(metric, Simple) and metric.agg is Aggregation.SUM and metric.format is Format.CURRENCY


def _ratio(metric: Metric) -> bool:
    return isinstance(metric, Ratio)


def _dimensions(asking: _Asking) -> Iterator[DimensionName]:
    """Text dimensions of rows, those that most metrics can be split by first."""
    model = asking.snapshot.model
    scored = {one.name for dataset in model.datasets.values() if dataset.is_made for one in dataset.dimensions}
    uses = [name for metric in model.metrics.values() for name in splits(model, metric)]
    texts = [entry for entry in asking.snapshot.names.dimensions.values() if entry.type is DimensionType.STRING]
    texts = [entry for entry in texts if entry.name not in scored]
    yield from islice(sorted(texts, key=lambda entry: -uses.count(entry.name)), 5)


def _fields(entries: list[MetricName]) -> Iterator[Field]:
    return (MetricField(entry.field, entry.metric.name) for entry in entries)


def _compiles(asking: _Asking, question: MetricQuery) -> bool:
    try:
        compile_query(asking.snapshot.model, question, asking.snapshot.facts, asking.viewer)
    except QueryError:
        return False
    return True


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"    {name} {{", *(f"      {line}" for line in lines), "    }"]


def _root(alias: str, arguments: str, body: list[str]) -> str:
    called = "metrics" if alias == "metrics" else f"{alias}: metrics"
    given = f"({arguments})" if arguments else ""
    return "\n".join([f"  {called}{given} {{", *body, "  }", ""])

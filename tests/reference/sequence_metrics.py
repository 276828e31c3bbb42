"""Conversions and retention rates as metrics: split by periods and dimensions of the entry or the cohort event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from semantic.errors import Code
from semantic.model.metric import Conversion, Metric, Retention
from semantic.model.model import Model
from semantic.model.sequence import CohortType, FunnelEntry, FunnelOrder
from semantic.query.query import Comparison, DimensionField, MetricField, MetricQuery, TimeField
from semantic.time import Duration, Grain
from tests.reference import funnel, retention
from tests.reference.attempts import Attempt
from tests.reference.clock import ONE_DAY, Period, add_months, days_of, earlier, last_day, months_of
from tests.reference.expressions import divide, minus
from tests.reference.refused import Refused, Unspecified
from tests.reference.rows import Row, Tables
from tests.reference.span import Span
from tests.reference.timeline import Happening, Timeline, dimensions_of

Holds = Callable[[Happening], bool]
Group = tuple[Period | None, tuple[Any, ...]]
"""The period of a row, and its values of the dimensions."""

Shares = dict[Group, tuple[int, int]]
"""Part and whole of each group."""


def metric_rows(model: Model, tables: Tables, query: MetricQuery) -> list[Row]:
    """The rows of a query over such metrics, without order, limit or fill. Unspecified where a tie decides."""
    return _Asked(model, tables, query).rows()


class _Asked:
    def __init__(self, model: Model, tables: Tables, query: MetricQuery) -> None:
        self.model = model
        self.query = query
        self.timeline = Timeline(model, tables, query.timezone)
        grains = [field.grain for field in query.fields if isinstance(field, TimeField)]
        if len(grains) > 1:
            raise Unspecified("two grains at once")
        self.grain = grains[0] if grains else None
        self.dimensions = [field.dimension for field in query.fields if isinstance(field, DimensionField)]
        self.metrics = {field.key: model.metric(field.metric) for field in query.metrics}
        for field in query.metrics:
            self._refuse(field)
        read = {name for metric in self.metrics.values() for name in self._datasets(metric)}
        self.range = self.timeline.range(query.time_range, read)
        entries = [name for metric in self.metrics.values() for name in self._entries(metric)]
        self.days = self.timeline.days(self.range, entries)

    def _datasets(self, metric: Metric) -> list[str]:
        match metric:
            case Conversion():
                return [step.dataset for step in self.model.funnels[metric.funnel].steps]
            case Retention():
                definition = self.model.retentions[metric.retention]
                return [definition.cohort.dataset, definition.returns.dataset]
        raise Unspecified("a metric of another type")

    def _entries(self, metric: Metric) -> list[str]:
        """The datasets whose events may come first."""
        if isinstance(metric, Conversion) and self.model.funnels[metric.funnel].order is FunnelOrder.ANY:
            return self._datasets(metric)
        return self._datasets(metric)[:1]

    def _refuse(self, field: MetricField) -> None:
        """Every dataset whose events may come first must have what is split and filtered by."""
        names = [*self.dimensions, *dimensions_of(self.query.where), *dimensions_of(field.where)]
        for dataset in self._entries(self.metrics[field.key]):
            for name in names:
                self.timeline.source.dimension(dataset, name)

    # --- rows ------------------------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        values = {field.key: self._values(field) for field in self.query.metrics}
        groups = dict.fromkeys(group for found in values.values() for group in found)
        if self.grain is None and not self.dimensions:
            groups = {(None, ()): None}
        return [self._row(group, {key: found.get(group) for key, found in values.items()}) for group in groups]

    def _row(self, group: Group, values: dict[str, Any]) -> Row:
        period, dimensions = group
        row: Row = {field.key: period for field in self.query.fields if isinstance(field, TimeField)}
        keys = [field.key for field in self.query.fields if isinstance(field, DimensionField)]
        return row | dict(zip(keys, dimensions, strict=True)) | values

    def _values(self, field: MetricField) -> dict[Group, Any]:
        before = self._rates(field, field.offset) if field.offset is not None else {}
        if field.comparison is Comparison.VALUE and field.offset is not None:
            return before
        now = self._rates(field, None)
        if field.comparison is Comparison.VALUE:
            return now
        changes = {group: minus(now.get(group), before.get(group)) for group in now | before}
        if field.comparison is Comparison.CHANGE:
            return changes
        return {group: divide(change, before.get(group)) for group, change in changes.items()}

    def _rates(self, field: MetricField, offset: Duration | None) -> dict[Group, float | None]:
        shares = self._now(field) if offset is None else self._before(field, offset)
        return {group: funnel.rate(part, whole) for group, (part, whole) in shares.items()}

    def _passes(self, field: MetricField) -> Holds:
        def passes(one: Happening) -> bool:
            conditions = (self.query.where, field.where)
            return all(self.timeline.source.holds(where, one.dataset, one.row) for where in conditions)

        return passes

    def _value(self, one: Happening) -> tuple[Any, ...]:
        return self.timeline.values(one, self.dimensions)

    # --- the periods themselves ------------------------------------------------------------------------------------

    def _now(self, field: MetricField) -> Shares:
        metric, passes = self.metrics[field.key], self._passes(field)
        if isinstance(metric, Retention):
            return self._retained(metric, self._in_range, passes, self.grain)
        assert isinstance(metric, Conversion)
        followed = funnel.Followed(self.timeline, self.model.funnels[metric.funnel])
        opens = _both(self._in_range, passes)
        found: Iterable[tuple[Period | None, Attempt]]
        if self.grain is None:
            found = [(None, attempt) for _, attempt in followed.attempts(opens, self._value)]
        else:
            found = followed.attempts_by_period(opens, self._value, self.grain)
        groups: dict[Group, list[funnel.Path]] = {}
        for period, attempt in found:
            path = funnel.path_of(attempt)
            groups.setdefault((period, path.value), []).append(path)
        return {group: self._converted(metric, paths) for group, paths in groups.items()}

    def _in_range(self, one: Happening) -> bool:
        return self.range is None or self.range.holds(one.when)

    def _converted(self, metric: Conversion, paths: list[funnel.Path]) -> tuple[int, int]:
        names = [step.name for step in self.model.funnels[metric.funnel].steps]
        first, last = names.index(metric.from_step), names.index(metric.to_step)
        return sum(len(path.times) > last for path in paths), sum(len(path.times) > first for path in paths)

    def _retained(self, metric: Retention, in_range: Holds, passes: Holds, grain: Grain | None) -> Shares:
        followed = retention.Followed(self.timeline, self.model.retentions[metric.retention])
        groups: dict[Group, list[retention.Member]] = {}
        for member in followed.members(in_range, passes, self._value):
            period = None if grain is None else self.timeline.period(member.start.when, grain)
            groups.setdefault((period, self._value(member.start)), []).append(member)
        return {group: followed.pooled(members, metric.period, metric.mature) for group, members in groups.items()}

    # --- an earlier time, for each period --------------------------------------------------------------------------

    def _before(self, field: MetricField, offset: Duration) -> Shares:
        metric, passes = self.metrics[field.key], self._passes(field)
        found: Shares = {}
        for period, (first, last) in self._earlier(offset).items():
            in_range = _on_days(first, last)
            if isinstance(metric, Retention):
                definition = self.model.retentions[metric.retention]
                if definition.cohort_type is CohortType.RECURRING and definition.grain is not Grain.DAY:
                    raise Unspecified("the first event of a part of a period")
                shares = self._retained(metric, in_range, passes, None)
            else:
                assert isinstance(metric, Conversion)
                shares = self._converted_in(metric, _both(in_range, passes))
            found |= {(period, values): share for (_, values), share in shares.items()}
        return found

    def _converted_in(self, metric: Conversion, opens: Holds) -> Shares:
        definition = self.model.funnels[metric.funnel]
        if definition.entry is FunnelEntry.FIRST and self.grain is not None:
            raise Unspecified("the first entry of an earlier range")
        followed = funnel.Followed(self.timeline, definition)
        groups: dict[Group, list[funnel.Path]] = {}
        for _, attempt in followed.attempts(opens, self._value):
            path = funnel.path_of(attempt)
            groups.setdefault((None, path.value), []).append(path)
        return {group: self._converted(metric, paths) for group, paths in groups.items()}

    def _earlier(self, offset: Duration) -> dict[Period | None, tuple[date, date]]:
        """Each period of the rows, and the first and the last day of the time that it is compared with."""
        if self.days is None:
            return {}
        if self.days.start is not None:
            raise Unspecified("days before a range of instants")
        if self.grain is None:
            return {None: _moved(self.days, offset)}
        if not _is_whole(offset, self.grain):
            raise Refused(Code.NOT_ANSWERABLE)
        periods = self.timeline.periods(self.days, self.grain)
        firsts = {period: earlier(period, offset) for period in periods}
        return {period: (first, last_day(first, self.grain)) for period, first in firsts.items()}


def _both(one: Holds, other: Holds) -> Holds:
    return lambda happening: one(happening) and other(happening)


def _on_days(first: date, last: date) -> Holds:
    return lambda happening: first <= happening.when.day <= last


def _is_whole(offset: Duration, grain: Grain) -> bool:
    """Does an offset move periods onto periods?"""
    months = months_of(offset)
    match grain:
        case Grain.DAY:
            return True
        case Grain.WEEK:
            return months is None and days_of(offset) % 7 == 0
    return months is not None and months % {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[grain] == 0


def _moved(days: Span, offset: Duration) -> tuple[date, date]:
    """As many days, earlier; whole months stay whole months."""
    first, after = earlier(days.first, offset), days.last + ONE_DAY
    if months_of(offset) is not None and days.first.day == 1 and after.day == 1:
        months = (after.year - days.first.year) * 12 + after.month - days.first.month
        return first, add_months(first, months) - ONE_DAY
    return first, first + (days.last - days.first)

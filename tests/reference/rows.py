"""Rows of the reference: de-duplicated tables, values through relationships, dimensions, filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from semantic.errors import Code
from semantic.model.dataset import Dataset, Dimension, DimensionType
from semantic.model.model import Model
from semantic.query.query import And, Compare, Condition, Not, Operator, Or
from semantic.time import Grain
from tests.reference.clock import Moment, bucket, moment
from tests.reference.expressions import Get, twin_of
from tests.reference.refused import Refused, Unspecified

Row = dict[str, Any]
Tables = Mapping[str, list[Row]]


def distinct_rows(dataset: Dataset, rows: list[Row]) -> list[Row]:
    """Rows that repeat a primary key without nulls are one: the earliest received, else the first in file order."""
    if not dataset.primary_key:
        return list(rows)
    kept: list[Row] = []
    place: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = tuple(row[column] for column in dataset.primary_key)
        if any(part is None for part in key):
            kept.append(row)
        elif key not in place:
            place[key] = len(kept)
            kept.append(row)
        elif _received_before(row, kept[place[key]]):
            kept[place[key]] = row
    return kept


def _received_before(row: Row, other: Row) -> bool:
    received, known = row.get("received_at"), other.get("received_at")
    return received is not None and (known is None or received < known)


class Source:
    """The tables of a model, with everything that can be read off a row, in one time zone."""

    def __init__(self, model: Model, tables: Tables, zone: ZoneInfo) -> None:
        self.model = model
        self.zone = zone
        self.rows = {name: distinct_rows(dataset, tables[name]) for name, dataset in model.datasets.items()}

    def moment(self, dataset: str, column: str | None, row: Row, zone: ZoneInfo | None = None) -> Moment | None:
        """Where a row stands in time, by a time column."""
        if column is None:
            return None
        return moment(row[column], zone or self.zone, ZoneInfo(self.model.datasets[dataset].timezone))

    def related(self, dataset: str, row: Row | None, path: tuple[str, ...]) -> tuple[str, Row | None]:
        """The row that relationships lead to (None: there is none), and its dataset."""
        for name in path:
            relationship = self.model.relationships[name]
            assert relationship.from_dataset == dataset
            dataset = relationship.to_dataset
            if row is None:
                continue
            wanted = {there: row[here] for here, there in relationship.columns}
            row = next((other for other in self.rows[dataset] if _matches(other, wanted)), None)
        return dataset, row

    def getter(self, dataset: str, row: Row) -> Get:
        """Reads `column` or `relationship.column` of a row."""

        def get(name: str) -> Any:
            *path, column = name.split(".")
            _, found = self.related(dataset, row, tuple(path))
            return None if found is None else found[column]

        return get

    def dimension(self, dataset: str, name: str) -> tuple[tuple[str, ...], Dimension]:
        """A dimension of a dataset and the relationships to it; DIMENSION_NOT_SHARED when it has none of that name."""
        found = next((item for item in self.dimensions(dataset) if item[0] == name), None)
        if found is None:
            raise Refused(Code.DIMENSION_NOT_SHARED)
        return found[1], found[2]

    def dimensions(
        self, dataset: str, path: tuple[str, ...] = (), seen: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, tuple[str, ...], Dimension]]:
        """Everything a dataset can be split by: (name, path, dimension)."""
        for dimension in self.model.datasets[dataset].dimensions:
            yield "_".join((*path, dimension.name)), path, dimension
        for relationship in self.model.relationships.values():
            if relationship.from_dataset == dataset and relationship.to_dataset not in (*seen, dataset):
                yield from self.dimensions(relationship.to_dataset, (*path, relationship.name), (*seen, dataset))

    def value(self, dataset: str, row: Row, name: str, grain: Grain | None = None) -> Any:
        """The value of a dimension for a row, bucketed by `grain`."""
        path, dimension = self.dimension(dataset, name)
        at, found = self.related(dataset, row, path)
        if found is None:
            return None
        raw = twin_of(dimension.expr.source)(self.getter(at, found))
        return None if raw is None else self._typed(raw, dimension.type, at, grain)

    def _typed(self, raw: Any, kind: DimensionType, dataset: str, grain: Grain | None) -> Any:
        match kind:
            case DimensionType.STRING:
                if not isinstance(raw, str | int) or isinstance(raw, bool):
                    raise Unspecified(f"the text of {raw!r}")
                return str(raw)
            case DimensionType.NUMBER:
                return float(raw) if isinstance(raw, Decimal) else raw
            case DimensionType.BOOLEAN:
                return raw
        when = moment(raw, self.zone, ZoneInfo(self.model.datasets[dataset].timezone))
        assert when is not None
        if grain is not None:
            return bucket(when, grain, self.model.week_start)
        return when.day if kind is DimensionType.DATE else when.instant

    def comparable(self, dataset: str, value: Any) -> Any:
        """A value as one of its kind: a time without zone is the instant it is in its dataset."""
        if not isinstance(value, datetime):
            return value
        when = moment(value, self.zone, ZoneInfo(self.model.datasets[dataset].timezone))
        return None if when is None else when.instant

    def holds(self, condition: Condition | None, dataset: str, row: Row) -> bool:
        """Does a row pass a query's filter? Two-valued: a comparison with null is false, its opposite true."""
        match condition:
            case None:
                return True
            case And():
                return all(self.holds(part, dataset, row) for part in condition.parts)
            case Or():
                return any(self.holds(part, dataset, row) for part in condition.parts)
            case Not():
                return not self.holds(condition.part, dataset, row)
            case Compare():
                value = self.value(dataset, row, condition.dimension)
                return compare(value, condition.operator, aware(condition.value))


def _matches(row: Row, wanted: Row) -> bool:
    return all(value is not None and row[column] == value for column, value in wanted.items())


def aware(value: Any) -> Any:
    """The values of a filter, with instants (naive UTC in queries) as aware ones."""
    if isinstance(value, tuple):
        return tuple(aware(part) for part in value)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def compare(value: Any, operator: Operator, other: Any) -> bool:
    """One comparison of a filter."""
    match operator:
        case Operator.IS_NULL:
            return (value is None) == bool(other)
        case Operator.NE:
            return not compare(value, Operator.EQ, other)
        case Operator.NOT_IN:
            return not compare(value, Operator.IN, other)
    if value is None:
        return False
    match operator:
        case Operator.EQ:
            return bool(value == other)
        case Operator.IN:
            return bool(value in other)
        case Operator.GT:
            return bool(value > other)
        case Operator.GTE:
            return bool(value >= other)
        case Operator.LT:
            return bool(value < other)
        case Operator.LTE:
            return bool(value <= other)
        case Operator.CONTAINS:
            return bool(other in value)
        case Operator.STARTS_WITH:
            return bool(value.startswith(other))
        case Operator.ENDS_WITH:
            return bool(value.endswith(other))
    raise AssertionError(operator)

"""Arguments and selection set → questions. No SQL, no metric logic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from api.resolvers import arguments
from api.resolvers.context import Context
from api.resolvers.limits import MOST_FIELDS
from api.resolvers.selection import Selected
from api.schema.names import TIME, Vocabulary
from semantic.errors import Code, QueryError
from semantic.model.facts import Kind
from semantic.query.query import ROW_COUNT, Comparison, DimensionField, Field, MetricField, MetricQuery, TimeField
from semantic.time import Grain, zone


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the rows is wanted. `limit` None: all of them. `most`: the server's own limit.

    `counts`: how many rows there are is asked for. `peeks`: whether there are more is.
    """

    limit: int | None
    offset: int
    most: int
    counts: bool = False
    peeks: bool = False

    @property
    def asked(self) -> int:
        """The limit to run with: one row more where that tells what has to be known."""
        if self.limit is None:
            return self.most + 1
        return self.limit + 1 if self.peeks and not self.counts else self.limit


@dataclass(frozen=True, slots=True)
class Questions:
    """What one root field asks: a question for each response key of `rows` and of `totals`.

    Totals without a metric need no question: they are null throughout.
    """

    zone: ZoneInfo
    page: Page
    rows: Mapping[str, MetricQuery] = field(default_factory=dict)
    totals: Mapping[str, MetricQuery | None] = field(default_factory=dict)

    def distinct(self) -> Mapping[MetricQuery, str]:
        """Every question once, those of rows first, with the response key it is for."""
        found: dict[MetricQuery, str] = {}
        for key, question in (*self.rows.items(), *self.totals.items()):
            if question is not None:
                found.setdefault(question, key)
        return found


def metrics_questions(context: Context, asked: Selected) -> Questions:
    """The questions of the root field `metrics`. QueryError when GraphQL's types let through what has no meaning."""
    page_infos = [child for child in asked.children if child.name == "pageInfo"]
    tz = _zone(context, asked.arguments)
    page = _page(context, asked.arguments, page_infos)
    base = _base(context, asked.arguments, tz)
    rows, totals = {}, {}
    for child in asked.children:
        fields = _few(_fields(context.names, child, tz)) if child.name in ("rows", "totals") else ()
        if child.name == "rows":
            rows[child.key] = _rows(context, base, fields, asked.arguments, page, tz)
        elif child.name == "totals":
            totals[child.key] = _totals(base, fields)
    if page_infos and len(set(rows.values())) != 1:
        raise QueryError(
            Code.BAD_ARGUMENT,
            f"`pageInfo` is of one `rows`, but {len(set(rows.values())) or 'no'} different ones are selected.",
            "Select `rows` once beside `pageInfo`.",
        )
    return Questions(tz, page, rows, totals)


def table_questions(context: Context, asked: Selected) -> tuple[Questions, tuple[Field, ...]]:
    """The questions of the root field `table`, and the field of each of its columns."""
    given = asked.arguments
    tz = _zone(context, given)
    names = [child.name for child in asked.children]
    page = _page(context, given, [child for child in asked.children if child.name == "pageInfo"])
    base = _base(context, given, tz)
    fields = _few(_named_fields(context.names, given))
    needs_rows = "rows" in names or "pageInfo" in names
    rows = {"rows": _rows(context, base, fields, given, page, tz)} if needs_rows else {}
    totals = {"totals": _totals(base, fields)} if "totals" in names else {}
    return Questions(tz, page, rows, totals), fields


def _few(fields: Iterable[Field]) -> tuple[Field, ...]:
    """All of them. LIMIT_EXCEEDED when they are too many for one row."""
    found = tuple(fields)
    if len(found) > MOST_FIELDS:
        message = f"A row has {len(found):,} fields here, but at most {MOST_FIELDS} are answered."
        raise QueryError(Code.LIMIT_EXCEEDED, message, "Ask for them in several requests.")
    return found


def _zone(context: Context, given: Mapping[str, Any]) -> ZoneInfo:
    name = given.get("timezone")
    return zone(context.model.timezone if name is None else name)


def _page(context: Context, given: Mapping[str, Any], page_infos: Iterable[Selected]) -> Page:
    limit, offset = given["limit"], given["offset"] or 0
    wanted = {child.name for page_info in page_infos for child in page_info.children}
    for name, value in (("limit", limit), ("offset", offset)):
        if value is not None and value < 0:
            raise QueryError(Code.BAD_ARGUMENT, f"`{name}` can't be negative.")
    if limit is not None and limit > context.max_rows:
        raise QueryError(
            Code.LIMIT_EXCEEDED,
            f"`limit` is {limit}, but at most {context.max_rows} rows are served at once.",
            "Ask page by page, with `offset`.",
        )
    return Page(limit, offset, context.max_rows, "totalCount" in wanted, "hasNextPage" in wanted)


def _base(context: Context, given: Mapping[str, Any], tz: ZoneInfo) -> MetricQuery:
    """Everything that rows and totals have in common."""
    return MetricQuery(
        fields=(),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=given.get("timezone"),
        where=arguments.condition(context.names, given.get("where"), tz),
        segments=arguments.enum_values(given.get("segments")),
        limit=None,
    )


def _rows(
    context: Context, base: MetricQuery, fields: tuple[Field, ...], given: Mapping[str, Any], page: Page, tz: ZoneInfo
) -> MetricQuery:
    return replace(
        base,
        fields=fields,
        having=arguments.having(given.get("having"), _kinds(context.names, fields), tz),
        order_by=arguments.order_by(given.get("orderBy")),
        limit=page.asked,
        offset=page.offset,
        fill=bool(given["fill"]),
        count_rows=page.counts,
    )


def _totals(base: MetricQuery, fields: tuple[Field, ...]) -> MetricQuery | None:
    metrics = tuple(item for item in fields if isinstance(item, MetricField))
    return replace(base, fields=metrics) if metrics else None


def _fields(names: Vocabulary, asked: Selected, tz: ZoneInfo) -> Iterator[Field]:
    """The fields selected in a `Row`."""
    for child in asked.children:
        if child.key == ROW_COUNT:
            raise QueryError(Code.BAD_ARGUMENT, f"The response key `{ROW_COUNT}` is taken.", "Use another alias.")
        if child.name == TIME and names.has_time:
            grain = arguments.grain(child.arguments["grain"])
            assert grain is not None
            yield TimeField(child.key, grain)
        elif child.name in names.dimensions:
            entry = names.dimensions[child.name]
            yield DimensionField(child.key, entry.name, arguments.grain(child.arguments.get("grain")))
        elif child.name in names.metrics:
            yield _metric_field(names, child, tz)


def _metric_field(names: Vocabulary, asked: Selected, tz: ZoneInfo) -> MetricField:
    given = asked.arguments
    comparison = given.get("as")
    return MetricField(
        key=asked.key,
        metric=names.metrics[asked.name].metric.name,
        where=arguments.condition(names, given.get("where"), tz),
        offset=arguments.duration(given.get("offset")),
        comparison=Comparison.VALUE if comparison is None else Comparison(comparison.value),
        rolling=arguments.duration(given.get("rolling")),
        to_date=arguments.grain(given.get("toDate")),
        model=arguments.model(given.get("model")),
    )


def _named_fields(names: Vocabulary, given: Mapping[str, Any]) -> Iterator[Field]:
    """The columns of a table: time, dimensions, metrics."""
    grain = arguments.grain(given.get("grain"))
    if grain is not None:
        yield TimeField(TIME, grain)
    dimensions = {entry.name: entry.field for entry in names.dimensions.values()}
    for name in arguments.enum_values(given.get("dimensions")):
        yield DimensionField(dimensions[name], name)
    metrics = {entry.metric.name: entry for entry in names.metrics.values()}
    asked = [metrics[name] for name in arguments.enum_values(given["metrics"])]
    model = arguments.model(given.get("model"))
    if model is not None and not any(entry.is_credited for entry in asked):
        raise QueryError(
            Code.BAD_ARGUMENT,
            "`model` is how credit is shared, but none of these metrics is of credit.",
            f"Leave it out, or ask for {next(entry.field for entry in metrics.values() if entry.is_credited)}.",
        )
    for entry in asked:
        yield MetricField(entry.field, entry.metric.name, model=model if entry.is_credited else None)


def _kinds(names: Vocabulary, fields: Iterable[Field]) -> dict[str, Kind]:
    """What the value under each response key is."""
    metrics = {entry.metric.name: entry.kind for entry in names.metrics.values()}
    dimensions = {entry.name: entry.kind for entry in names.dimensions.values()}
    found = {}
    for item in fields:
        match item:
            case TimeField(key, grain):
                found[key] = _period_kind(grain)
            case DimensionField(key, dimension, split):
                found[key] = dimensions[dimension] if split is None else _period_kind(split)
            case MetricField(key=key, metric=metric, comparison=comparison):
                found[key] = Kind.FLOAT if comparison is Comparison.CHANGE_RATIO else metrics[metric]
            case _:
                assert_never(item)
    return found


def _period_kind(grain: Grain) -> Kind:
    return Kind.TIMESTAMPTZ if grain.is_clock else Kind.DATE

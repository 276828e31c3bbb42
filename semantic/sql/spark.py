"""Spark SQL's dialect (4.x, ANSI mode, session time zone UTC)."""

from __future__ import annotations

from datetime import datetime

from semantic.errors import Code, QueryError
from semantic.model.facts import Kind
from semantic.plan.expr import Param
from semantic.plan.node import Spine
from semantic.plan.operators import TextTest
from semantic.query.query import Scalar
from semantic.sql.dialect import Dialect, counted
from semantic.sql.fragment import Binding, Fragment, build, indent, join, nest
from semantic.sql.packing import PERIOD_BITS, micros_of
from semantic.time import Grain

_STEPS = {Grain.MINUTE: "INTERVAL 1 MINUTE", Grain.HOUR: "INTERVAL 1 HOUR", Grain.DAY: "INTERVAL 1 DAY"}
_TYPES = {
    Kind.STRING: "STRING",
    Kind.INTEGER: "BIGINT",
    Kind.DECIMAL: "DECIMAL(38, 9)",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP_NTZ",
    Kind.TIMESTAMPTZ: "TIMESTAMP",
}
_TESTS = {TextTest.CONTAINS: "contains", TextTest.STARTS_WITH: "startswith", TextTest.ENDS_WITH: "endswith"}


class Spark(Dialect):
    """Spark SQL through Spark Connect."""

    name = "spark"
    word = 62
    types = _TYPES
    wide = "DECIMAL(38, 0)"
    folds_grouped = False  # in HAVING a name of the SELECT's own hides a table's; Sail loses keys grouped by number

    def quote(self, name: str) -> str:
        """Backticks."""
        return "`" + name.replace("`", "``") + "`"

    def shift(self, part: Fragment, moves: tuple[tuple[datetime, int], ...]) -> Fragment:
        """By an interval of seconds."""
        seconds = self.shift_value(part, moves, "{}")
        return build("{} + make_dt_interval(0, 0, 0, {})", nest(part, Binding.SUM), seconds, binding=Binding.SUM)

    def truncate(self, part: Fragment, grain: Grain, is_date: bool) -> Fragment:
        """Trunc for dates, date_trunc for timestamps."""
        if is_date:
            return build(f"trunc({{}}, '{grain.value}')", part)
        return build(f"date_trunc('{grain.value}', {{}})", part)

    def plus_days(self, part: Fragment, days: int) -> Fragment:
        """date_add takes negative days too."""
        return build(f"date_add({{}}, {days})", part)

    def cast(self, part: Fragment, kind: Kind) -> Fragment:
        """A plain cast: the session's zone is UTC."""
        return build(f"CAST({{}} AS {self.types[kind]})", part)

    def percentile(self, part: Fragment, p: float) -> Fragment:
        """percentile, which is exact and interpolates (percentile_approx is neither)."""
        return build(f"percentile({{}}, {p!r})", part)

    def wholes(self, left: Fragment, right: Fragment) -> Fragment:
        """By div."""
        return build("{} div {}", left, right)

    def period_index(self, day: Fragment, grain: Grain, week_start: int, since: int) -> Fragment:
        """By arithmetic; 1 January 1900 was a Monday."""
        if grain is Grain.MONTH:
            return counted(build("year({}) * 12 + month({})", day, day, binding=Binding.SUM), since)
        if grain is Grain.WEEK:
            weeks = build(f"(datediff({{}}, DATE '1900-01-01') - {week_start}) div 7", day, binding=Binding.PRODUCT)
            return counted(weeks, since)
        return counted(build("unix_date({})", day), since)

    def bit(self, place: Fragment, places: int) -> Fragment:
        """In a BIGINT, whose 63 bits must do. NOT_ANSWERABLE where they don't."""
        if places > self.word + 1:
            raise _too_long()
        return build("shiftleft(CAST(1 AS BIGINT), CAST({} AS INT))", place)

    def lowest_bit(self, word: Fragment) -> Fragment:
        """By counting the bits that change when 1 is taken away."""
        return build("bit_count({} ^ ({} - 1)) - 1", word, word, binding=Binding.SUM)

    def shifted(self, word: Fragment, by: Fragment) -> Fragment:
        """By shiftright."""
        return build("shiftright({}, CAST({} AS INT))", word, by)

    def lowest(self, word: Fragment, bits: int) -> Fragment:
        """By a mask."""
        return build(f"({{}} & {(1 << bits) - 1})", word)

    def has_bits(self, word: Fragment, bits: int) -> Fragment:
        """By a mask. NOT_ANSWERABLE beyond 62 bits."""
        if bits >= 1 << 62:
            raise _too_long()
        return build(f"({{}} & {bits}) <> 0", word)

    def row(self, parts: list[Fragment]) -> Fragment:
        """A named struct."""
        return build(
            "named_struct({})", join(", ", (build(f"'p{place}', {{}}", part) for place, part in enumerate(parts)))
        )

    def row_item(self, row: Fragment, place: int) -> Fragment:
        """A field of the struct."""
        return build(f"{{}}.p{place}", nest(row))

    def micros(self, part: Fragment) -> Fragment:
        """unix_micros, of a timestamp with a zone."""
        return build("unix_micros(CAST({} AS TIMESTAMP))", part)

    def instant(self, micros: Fragment) -> Fragment:
        """timestamp_micros."""
        return build("timestamp_micros({})", micros)

    def arg_max(self, part: Fragment, by: Fragment) -> Fragment:
        """max_by."""
        return build("max_by({}, {})", part, by)

    def period_number(self, part: Fragment, clock: bool) -> Fragment:
        """By datediff and unix_micros."""
        return build("unix_micros({}) div 900000000", part) if clock else build("datediff({}, DATE '1900-01-01')", part)

    def period_start(self, part: Fragment, clock: bool) -> Fragment:
        """By date_add and timestamp_micros."""
        if clock:
            return build("timestamp_micros({} * 900000000)", nest(part))
        return build("date_add(DATE '1900-01-01', CAST({} AS INT))", part)

    def pack_wide(self, time: Fragment, mask: Fragment, period: Fragment, code: Fragment, bits: int) -> Fragment:
        """As a decimal of 38 digits."""
        tag = build(
            f"shiftleft(CAST({{}} AS BIGINT), {bits + PERIOD_BITS}) + shiftleft(CAST({{}} AS BIGINT), {bits}) + {{}}",
            code,
            period,
            nest(mask),
        )
        micros = build("CAST(unix_micros(CAST({} AS TIMESTAMP)) AS DECIMAL(18, 0))", time)
        return build("CAST({} * CAST(18446744073709551616 AS DECIMAL(20, 0)) + ({}) AS DECIMAL(38, 0))", micros, tag)

    def pack_narrow(self, time: Fragment, mask: Fragment, since: datetime, bits: int) -> Fragment:
        """By shifting."""
        micros = build(f"unix_micros(CAST({{}} AS TIMESTAMP)) - ({micros_of(since)})", time)
        return build(f"shiftleft({{}}, {bits}) + {{}}", micros, nest(mask))

    def collect(self, part: Fragment) -> Fragment:
        """collect_list."""
        return build("collect_list({})", part)

    def explode(self, part: Fragment) -> Fragment:
        """By explode."""
        return build("explode({})", part)

    def item(self, part: Fragment, place: int) -> Fragment:
        """By get, which counts from 0 and is null beyond the end."""
        return build(f"get({{}}, {place - 1})", part)

    def numbers(self, values: tuple[int, ...]) -> Fragment:
        """A typed array parameter."""
        return Fragment("CAST(? AS ARRAY<BIGINT>)", (values,))

    def text_test(self, test: TextTest, part: Fragment, value: Fragment) -> Fragment:
        """contains, startswith, endswith."""
        return build(f"{_TESTS[test]}({{}}, {{}})", part, value)

    def in_many(self, part: Fragment, values: Param) -> Fragment:
        """array_contains: a subquery can stand in WHERE only."""
        assert isinstance(values.value, tuple)
        listed = Fragment(f"CAST(? AS ARRAY<{self.item_type(values)}>)", (values.value,))
        return build("array_contains({}, {})", listed, part)

    def unnest(self, values: Param) -> Fragment:
        """Explode of a typed array."""
        assert isinstance(values.value, tuple)
        return Fragment(f"explode(CAST(? AS ARRAY<{self.item_type(values)}>))", (values.value,))

    def spine(self, spine: Spine) -> Fragment:
        """Arrays zipped and inlined; an expansion explodes a sequence whose end is excluded."""
        columns: list[tuple[Scalar, ...]] = [tuple(values) for values in zip(*spine.rows, strict=True)]
        if not columns:
            columns = [() for _ in spine.columns]
        arrays = [
            Fragment(f"CAST(? AS ARRAY<{self.types[kind]}>)", (values,))
            for (_, kind), values in zip(spine.columns, columns, strict=True)
        ]
        wide = spine.expansion
        names = self.names([*(name for name, _ in spine.columns), *((wide.name,) if wide else ())])
        listed = Fragment(", ".join(names[name] for name, _ in spine.columns))
        plain = build("SELECT inline(arrays_zip({})) AS ({})", join(", ", arrays), listed)
        if wide is None:
            return plain
        start, end, step = names[wide.start], names[wide.end], _STEPS[wide.unit]
        unit = f"explode(sequence({start}, {end} - {step}, {step})) AS {names[wide.name]}"
        text = Fragment(f"SELECT {', '.join([*(names[name] for name in spine.output[:-1]), unit])}")
        return build("{}\nFROM (\n{}\n) AS {}", text, indent(plain), Fragment(self.quote("bounds#")))


def _too_long() -> QueryError:
    message = "Spark answers retentions of up to 61 periods, from the first cohort to the last return."
    return QueryError(Code.NOT_ANSWERABLE, message, "Ask for fewer.")


SPARK = Spark()
"""The second dialect; its text is held by goldens."""

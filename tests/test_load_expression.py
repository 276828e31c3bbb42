"""Expressions: what is allowed, its canonical text, and that it means the same before and after."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.load.allowed import TYPES
from semantic.load.expression import Parsed, Scope, parse_expression
from semantic.load.functions import FUNCTIONS

GOLDEN = Path(__file__).parent / "golden" / "expressions.txt"

ROW = """
SELECT 7.5::DOUBLE AS a, 2.5::DOUBLE AS b, 0 AS zero, NULL::INTEGER AS nothing, 9 AS i, -3 AS n,
    ' Ab-Cd-渠 ' AS s, 'b' AS r, '12' AS digits, TRUE AS yes, FALSE AS no,
    DATE '2024-02-28' AS d, TIMESTAMP '2024-03-03 23:45:10' AS t
"""

OPERATORS = """
a + b * 2 - 1
-a
+a
- -a
(a + b) * 2
a / b
a / zero
a / (b - b)
a / 4
i % 4
i % zero
n % 4
i // 4
i // zero
n // 2
a ^ 2
a ** 2
1e3
1_000
s || r
s || nothing
a = b
a == b
a <> b
a != b
a < b and b <= a or not yes
a between 1 and 8
a not between 1 and 8
a in (1, 7.5)
a not in (1, 2)
nothing is null
nothing is not null
nothing isnull
nothing notnull
yes is true
yes is not false
nothing is distinct from a
nothing is not distinct from nothing
s like '%渠%'
s not like 'A_%'
s ilike '%CD%'
s like '%!-%' escape '!'
case when a > b then 'more' when a = b then 'same' else 'less' end
case r when 'b' then 1 end
a::varchar
date '2024-03-01' > d
timestamp '2024-03-01 00:00:00' > t
d + interval 3 day
d + interval '2 weeks'
t - interval 1 month
d + 1
d - date '2024-02-01'
"a" + "b"
A + B
'it''s'
true
null
1 + 1
coalesce(nothing, zero, 1) + ifnull(nothing, 2) + nvl(nothing, 3)
ln(zero)
ln(n)
ln(a + b)
ln(case when a > 0 then a end)
log2(8)
sqrt(n)
mod(i, zero)
ceiling(a)
pow(a, 2)
ltrim(s)
rtrim(s)
trim(s, ' A')
rpad(r, 3, 'x')
len(s)
substring(s from 2 for 2)
substring(s, 2)
position('b' in r)
instr(s, 'C')
extract(quarter from t)
date_diff('day', t, d)
date_trunc('week', t)
isodow(t)
isodow(d + interval 1 day)
weekofyear(d)
if(nothing is null, 'x', 'y')
cast(a as integer)
try_cast(s as integer)
try_cast(digits as integer)
cast(a as decimal(10, 2))
"""


CONNECTION = duckdb.connect(":memory:", config={"threads": 1})
CONNECTION.execute(f"CREATE TABLE one_row AS {ROW}")


def evaluate(expression: str) -> Any:
    return CONNECTION.execute(f"SELECT {expression} FROM one_row").fetchall()[0][0]


def written() -> list[str]:
    examples = [function.example for function in FUNCTIONS]
    return [line for line in OPERATORS.splitlines() if line] + examples


@pytest.mark.parametrize("text", written())
def test_what_is_allowed_runs_and_reads_the_same_again(text: str) -> None:
    parsed = parse_expression(text, Scope.ROWS)
    assert parsed.faults == ()
    evaluate(parsed.sql)
    assert "\n" not in parsed.sql
    again = parse_expression(parsed.sql, Scope.ROWS)
    assert again.sql == parsed.sql
    assert [(name.path, name.name.lower()) for name in again.names] == [
        (name.path, name.name.lower()) for name in parsed.names
    ]


GUARDED = ("//", "%", "/", "mod", "ln", "log", "sqrt", "==", "nvl")


@pytest.mark.parametrize("text", [text for text in written() if not any(word in text for word in GUARDED)])
def test_the_canonical_text_means_what_was_written(text: str) -> None:
    assert evaluate(parse_expression(text, Scope.ROWS).sql) == evaluate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a / b", 3.0),
        ("a / zero", None),
        ("a / (b - b)", None),
        ("i % zero", None),
        ("mod(i, zero)", None),
        ("i // zero", None),
        ("i // 4", 2),
        ("n % 2", -1),
        ("ln(zero)", None),
        ("ln(n)", None),
        ("ln(1)", 0.0),
        ("log10(1000)", 3.0),
        ("log10(zero)", None),
        ("log2(8)", 3.0),
        ("sqrt(n)", None),
        ("sqrt(zero)", 0.0),
        ("isodow(date '2024-03-03')", 7),
        ("isodow(date '2024-03-04')", 1),
        ("isodow(date '1969-12-31')", 3),
        ("date_diff('day', t, date '2024-03-04')", 1),
        ("week(date '2021-01-03')", 53),
    ],
)
def test_values(text: str, value: Any) -> None:
    found = evaluate(parse_expression(text, Scope.ROWS).sql)
    assert found == value if value is None else math.isclose(found, value)


def test_weekdays_agree_with_the_engine_for_two_years() -> None:
    canonical = parse_expression("isodow(d)", Scope.ROWS).sql
    days = "SELECT unnest(range(DATE '1999-12-01', DATE '2001-12-01', INTERVAL 1 DAY))::DATE AS d"
    assert CONNECTION.execute(f"SELECT count(*) FROM ({days}) WHERE {canonical} <> isodow(d)").fetchall() == [(0,)]


def test_every_dialect(update: bool) -> None:
    """The canonical text, and Spark's rendering, of everything above. Read the diff: engines differ in silence."""
    lines = []
    for text in written():
        canonical = parse_expression(text, Scope.ROWS).sql
        spark = sqlglot.parse_one(canonical, dialect="duckdb").sql(dialect="spark", identify=True)
        lines += [text, f"    duckdb  {canonical}", f"    spark   {spark}"]
    found = "\n".join(lines) + "\n"
    if update:
        GOLDEN.write_text(found, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == found


@pytest.mark.parametrize("name", TYPES)
def test_types(name: str) -> None:
    parsed = parse_expression(f"try_cast(a as {name})", Scope.ROWS)
    assert parsed.faults == ()
    evaluate(parsed.sql)


def test_names_and_where_they_are() -> None:
    parsed = parse_expression("buyer.region.name = 'x' and Amount > \"My Column\" and amount > Amount", Scope.ROWS)
    assert [(name.path, name.name, name.offset) for name in parsed.names] == [
        ((), "Amount", 28),
        ((), "My Column", 37),
        ((), "amount", 53),
        (("buyer", "region"), "name", 0),
    ]
    assert parsed.sql == '"buyer"."region"."name" = \'x\' AND "Amount" > "My Column" AND "amount" > "Amount"'


def test_five_parts_are_the_longest_name() -> None:
    assert parse_expression("a.b.c.d.e", Scope.ROWS).names[0].path == ("a", "b", "c", "d")
    assert parse_expression("a.b.c.d.e.f", Scope.ROWS).faults[0].message == "More than 4 relationships in one name."


@pytest.mark.parametrize(
    ("text", "scope", "canonical", "claims"),
    [
        ("shop_id in (:shop_ids)", Scope.POLICY, '"shop_id" IN (:shop_ids)', ("shop_ids",)),
        ("a = :b or :b and :a", Scope.POLICY, '"a" = :b OR :b AND :a', ("a", "b")),
        ("role = 'finance'", Scope.CLAIMS, ":role = 'finance'", ("role",)),
        (":role = 'finance'", Scope.CLAIMS, ":role = 'finance'", ("role",)),
        ("is_admin", Scope.CLAIMS, ":is_admin", ("is_admin",)),
        ("'cn' in (regions)", Scope.CLAIMS, "'cn' IN (:regions)", ("regions",)),
    ],
)
def test_claims(text: str, scope: Scope, canonical: str, claims: tuple[str, ...]) -> None:
    parsed = parse_expression(text, scope)
    assert (parsed.sql, parsed.claims, parsed.faults) == (canonical, claims, ())
    assert parse_expression(parsed.sql, scope) == parsed


def test_comments_are_dropped() -> None:
    assert parse_expression("/* paid */ amount -- of the order", Scope.ROWS).sql == '"amount"'


def test_too_long_and_too_deep() -> None:
    assert parse_expression("a + " * 5_000 + "a", Scope.ROWS).faults[0].message.startswith("The expression is longer")
    assert parse_expression("(" * 4_000 + "a" + ")" * 4_000, Scope.ROWS).faults
    many = " or ".join(f"a = {number}" for number in range(900))
    assert parse_expression(many, Scope.ROWS).faults == ()


NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["a", "b", "i", "n", "2"])
        | st.builds("{} {} {}".format, NUMBERS, st.sampled_from(["+", "-", "*", "^", "**"]), NUMBERS)
        | st.builds("{} {} {}".format, NUMBERS, st.sampled_from(["/", "//", "%"]), st.sampled_from(["2", "3::int"]))
        | st.builds("-{}".format, NUMBERS)
        | st.builds("({})".format, NUMBERS)
        | st.builds("mod({}, 3)".format, NUMBERS)
        | st.builds("if({}, {}, 1)".format, BOOLEANS, NUMBERS)
    )
)
BOOLEANS: st.SearchStrategy[str] = st.deferred(
    lambda: (
        st.sampled_from(["yes", "no"])
        | st.builds("{} {} {}".format, BOOLEANS, st.sampled_from(["and", "or", "="]), BOOLEANS)
        | st.builds("{} {} {}".format, NUMBERS, st.sampled_from(["=", "<", ">=", "<>"]), NUMBERS)
        | st.builds("{} between {} and {}".format, NUMBERS, NUMBERS, NUMBERS)
        | st.builds("{} in ({}, 1)".format, NUMBERS, NUMBERS)
        | st.builds("{} is null".format, NUMBERS)
        | st.builds("{} is not true".format, BOOLEANS)
        | st.builds("not {}".format, BOOLEANS)
    )
)


@settings(max_examples=150, deadline=None)
@given(NUMBERS | BOOLEANS)
def test_precedence_is_the_engine_s(text: str) -> None:
    """Without a zero to guard against, the canonical text has the value of what was written, whatever is nested."""
    parsed = parse_expression(text, Scope.ROWS)
    try:
        wanted = evaluate(text)
    except duckdb.Error:  # `a < b = c` is no expression, and 10 ^ 400 no number
        return
    assert parsed.faults == ()
    found = evaluate(parsed.sql)
    assert found == wanted or math.isclose(found, wanted, rel_tol=1e-9) or math.isnan(wanted)


WORDS = [
    *(
        "a",
        "b",
        "amount",
        "1",
        "0.5",
        "'x'",
        '"y"',
        "(",
        ")",
        ",",
        ".",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "||",
        "=",
        "<>",
        "<",
    ),
    *(
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "true",
        "between",
        "like",
        "case",
        "when",
        "then",
        "else",
        "end",
        "::",
        "int",
    ),
    *(
        "sum(",
        "coalesce(",
        "cast(",
        "as",
        "interval",
        "day",
        "select",
        "from",
        "over",
        ":c",
        "$d",
        "?",
        "[",
        "]",
        "{",
        "}",
    ),
    *("if(", "extract(", "year", "->", "\n", "--", "/*", "*/", ";", "渠道", "@", "^", "date", "exists", "lambda", "x:"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), st.sampled_from(list(Scope)))
def test_any_text_is_accepted_or_refused(text: str, scope: Scope) -> None:
    check(text, parse_expression(text, scope), scope)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_characters_are_accepted_or_refused(text: str) -> None:
    check(text, parse_expression(text, Scope.ROWS), Scope.ROWS)


def check(text: str, parsed: Parsed, scope: Scope) -> None:
    assert all(0 <= fault.offset <= len(text) for fault in parsed.faults)
    if not parsed.faults:
        again = parse_expression(parsed.sql, scope)
        assert (again.sql, again.claims) == (parsed.sql, parsed.claims)
        statements = sqlglot.parse(f"SELECT 1 FROM t WHERE {parsed.sql}", dialect="duckdb")
        assert len(statements) == 1

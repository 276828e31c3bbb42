"""The functions an expression may call: those that mean the same on every engine Headwater renders to.

Each has an example; the tests run them, and compare the rendering for every dialect. Nulls go in, nulls come out,
unless a line says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

DATE_UNITS: Final = ("MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
INTERVAL_UNITS: Final = ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")
EXTRACT_UNITS: Final = ("MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
_TIME_FORMAT: Final = re.compile(r"(%[YmdHMS]|[-_/:. ])*")

Limit = Callable[[exp.Expr], str | None]
"""What is wrong with a call, or None."""


def _no_limit(node: exp.Expr) -> str | None:
    return None


def _unit(node: exp.Expr) -> str | None:
    unit = node.text("unit").upper()
    return None if unit in DATE_UNITS else f"date_trunc takes {_listed(DATE_UNITS)}"


def _day(node: exp.Expr) -> str | None:
    return None if node.text("unit").upper() == "DAY" else "date_diff counts days only: date_diff('day', from, to)"


def _part(node: exp.Expr) -> str | None:
    return None if node.name.upper() in EXTRACT_UNITS else f"extract takes {_listed(EXTRACT_UNITS)}"


def _base(node: exp.Expr) -> str | None:
    return None if node.expression else "log is base 10 on one engine and base e on another: write log10 or ln"


def _start(node: exp.Expr) -> str | None:
    start = node.args.get("start")
    return "substr counts from 1" if isinstance(start, exp.Literal) and start.name == "0" else None


def _size(node: exp.Expr) -> str | None:
    size = node.expression
    return None if isinstance(size, exp.Literal) else "left and right take a number of characters, such as 3"


def _globally(node: exp.Expr) -> str | None:
    option, replacement = node.args.get("modifiers"), node.args.get("replacement")
    if not isinstance(option, exp.Literal) or option.name != "g":
        return "regexp_replace replaces once on one engine, everywhere on another: add 'g' for everywhere"
    if not isinstance(replacement, exp.Literal) or re.search(r"[\\$]", replacement.name):
        return "regexp_replace takes a plain text as replacement, without \\ and $"
    return None


def _format(node: exp.Expr) -> str | None:
    form = node.args.get("format")
    if isinstance(form, exp.Literal) and _TIME_FORMAT.fullmatch(form.name):
        return None
    return "strftime takes a text of %Y %m %d %H %M %S with - _ / : . or spaces between"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(word.lower() for word in words)


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its name in expressions. `node`: what the parser makes of it; `limit`: which calls are refused."""

    name: str
    node: type[exp.Expr]
    example: str
    meaning: str
    limit: Limit = _no_limit


FUNCTIONS: Final = (
    Function("coalesce", exp.Coalesce, "coalesce(a, b, 0)", "The first that is not null; also ifnull."),
    Function("nullif", exp.Nullif, "nullif(a, 0)", "Null when both are equal, else the first."),
    Function("if", exp.If, "if(a > b, 1, 0)", "The second when the first is true, else the third."),
    Function("greatest", exp.Greatest, "greatest(a, b)", "The largest; nulls are passed over."),
    Function("least", exp.Least, "least(a, b)", "The smallest; nulls are passed over."),
    Function("abs", exp.Abs, "abs(a)", "Without its sign."),
    Function("sign", exp.Sign, "sign(a)", "-1, 0 or 1."),
    Function("round", exp.Round, "round(a, 2)", "Rounded, halves away from zero."),
    Function("floor", exp.Floor, "floor(a)", "The whole number below."),
    Function("ceil", exp.Ceil, "ceil(a)", "The whole number above; also ceiling."),
    Function("mod", exp.Mod, "mod(a, b)", "The remainder, with the sign of the first; also %. Null for zero."),
    Function("power", exp.Pow, "power(a, 2)", "To the power; also pow, ^ and **."),
    Function("sqrt", exp.Sqrt, "sqrt(a)", "The square root; null below zero."),
    Function("exp", exp.Exp, "exp(a)", "e to the power."),
    Function("ln", exp.Ln, "ln(a)", "The natural logarithm; null for zero and below."),
    Function("log10", exp.Log, "log10(a)", "The logarithm of base 10, also log2; null for zero and below.", _base),
    Function("lower", exp.Lower, "lower(s)", "In small letters."),
    Function("upper", exp.Upper, "upper(s)", "In capitals."),
    Function("trim", exp.Trim, "trim(s)", "Without spaces at both ends; also ltrim and rtrim, and trim(s, 'x')."),
    Function("length", exp.Length, "length(s)", "Characters."),
    Function("substr", exp.Substring, "substr(s, 2, 3)", "From a character (the first is 1), for a length.", _start),
    Function("left", exp.Left, "left(s, 2)", "The first characters.", _size),
    Function("right", exp.Right, "right(s, 2)", "The last characters.", _size),
    Function("lpad", exp.Pad, "lpad(s, 8, '0')", "Filled, or cut, to a length; also rpad."),
    Function("replace", exp.Replace, "replace(s, 'a', 'b')", "With one text for another."),
    Function("repeat", exp.Repeat, "repeat(s, 2)", "Several times."),
    Function("reverse", exp.Reverse, "reverse(s)", "Backwards."),
    Function(
        "concat", exp.Concat, "concat(s, '-', r)", "Texts one after another, nulls as empty; || gives null for them."
    ),
    Function("concat_ws", exp.ConcatWs, "concat_ws('-', s, r)", "Texts with one between; nulls are passed over."),
    Function("split_part", exp.SplitPart, "split_part(s, '-', 1)", "The n-th part between separators, else empty."),
    Function("strpos", exp.StrPosition, "strpos(s, 'b')", "Where a text begins in another, 0 for nowhere."),
    Function("starts_with", exp.StartsWith, "starts_with(s, 'a')", "Whether a text begins so."),
    Function("ends_with", exp.EndsWith, "ends_with(s, 'a')", "Whether a text ends so."),
    Function("contains", exp.Contains, "contains(s, 'a')", "Whether a text holds another."),
    Function("regexp_matches", exp.RegexpLike, "regexp_matches(s, '^a')", "Whether a pattern is found in a text."),
    Function("regexp_extract", exp.RegexpExtract, "regexp_extract(s, 'a(.)', 1)", "What a group matched, else empty."),
    Function(
        "regexp_replace", exp.RegexpReplace, "regexp_replace(s, 'a', 'b', 'g')", "All matches replaced.", _globally
    ),
    Function("md5", exp.MD5, "md5(s)", "The checksum of a text, as 32 hexadecimal digits."),
    Function("year", exp.Year, "year(t)", "The year of a date or time."),
    Function("quarter", exp.Quarter, "quarter(t)", "1 to 4."),
    Function("month", exp.Month, "month(t)", "1 to 12."),
    Function("weekofyear", exp.WeekOfYear, "weekofyear(t)", "The ISO week, 1 to 53; also week."),
    Function("week", exp.Week, "week(t)", "The same."),
    Function("dayofyear", exp.DayOfYear, "dayofyear(t)", "1 to 366."),
    Function("dayofmonth", exp.DayOfMonth, "dayofmonth(t)", "1 to 31; also day."),
    Function("day", exp.Day, "day(t)", "The same."),
    Function("isodow", exp.DayOfWeekIso, "isodow(t)", "1 for Monday to 7 for Sunday."),
    Function("hour", exp.Hour, "hour(t)", "0 to 23."),
    Function("minute", exp.Minute, "minute(t)", "0 to 59."),
    Function("second", exp.Second, "second(t)", "0 to 59, without fractions."),
    Function("extract", exp.Extract, "extract(year from t)", f"One of {_listed(EXTRACT_UNITS)}.", _part),
    Function("date", exp.Date, "date(t)", "The day of a time."),
    Function("date_trunc", exp.TimestampTrunc, "date_trunc('month', t)", f"{_listed(DATE_UNITS)} begun.", _unit),
    Function("date_diff", exp.DateDiff, "date_diff('day', d, t)", "Midnights from the first to the second.", _day),
    Function("last_day", exp.LastDay, "last_day(d)", "The last day of the month."),
    Function("make_date", exp.DateFromParts, "make_date(2026, 11, 1)", "The date of year, month, day."),
    Function("strftime", exp.TimeToStr, "strftime(t, '%Y-%m')", "A time as text.", _format),
    Function(
        "cast", exp.Cast, "cast(s as varchar)", "As another type; also s::varchar. What doesn't fit is a data error."
    ),
    Function("try_cast", exp.TryCast, "try_cast(s as integer)", "As another type; null when it doesn't fit."),
)

BY_NODE: Final[Mapping[type[exp.Expr], Function]] = {function.node: function for function in FUNCTIONS}

_CLOCK = "it reads the clock, and a metric must say the same whenever it is asked"
_CHANCE = "it gives another value each time"
_FILES = "an expression reads the row it is given, and no files"
_SERVER = "an expression reads the row it is given, and not the server"

REFUSED: Final[Mapping[str, tuple[str, str | None]]] = {
    **dict.fromkeys(
        ("now", "today", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "getdate"),
        (_CLOCK, "Ask for a time range in the query."),
    ),
    **dict.fromkeys(("random", "uuid", "gen_random_uuid", "rand", "setseed", "nextval"), (_CHANCE, None)),
    **dict.fromkeys(
        (
            "read_csv",
            "read_csv_auto",
            "read_parquet",
            "parquet_scan",
            "read_json",
            "read_json_auto",
            "read_text",
            "read_blob",
            "glob",
            "sniff_csv",
        ),
        (_FILES, "Declare a dataset and a relationship to it."),
    ),
    **dict.fromkeys(
        (
            "current_setting",
            "getenv",
            "getvariable",
            "current_user",
            "current_schema",
            "current_database",
            "version",
            "query",
            "query_table",
        ),
        (_SERVER, None),
    ),
    "dayofweek": ("its week begins on different days on different engines", "Use isodow: 1 is Monday, 7 is Sunday."),
    "dayname": ("its words differ between engines", "Use isodow, and labels in the client."),
    "monthname": ("its words differ between engines", "Use month, and labels in the client."),
    "date_add": ("it differs between engines", "Write d + interval 1 day."),
    "date_sub": ("it differs between engines", "Write d - interval 1 day."),
    "trunc": ("it differs between engines", "Use floor, ceil or round."),
}

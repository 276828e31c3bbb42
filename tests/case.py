"""Contract cases: reading one, laying out its tables, and comparing what came with what was expected."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml

RELATIVE = 1e-9
_ORDERED = re.compile(r"\borderBy\b")


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with DuckDB types, and rows."""

    columns: Mapping[str, str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One question about one model and its tables, and the answer."""

    id: str
    title: str
    model: Mapping[str, Any]
    tables: Mapping[str, Table]
    query: str
    expect: Mapping[str, Any]
    data_through: date | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ordered(self) -> bool:
        """Whether rows compare in order."""
        return _ORDERED.search(self.query) is not None


def read_case(path: Path) -> Case:
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    tables = {name: Table(table["columns"], table["rows"] or []) for name, table in given["tables"].items()}
    return Case(
        id=str(given["id"]),
        title=given["title"],
        model=given["model"],
        tables=tables,
        query=given["query"],
        expect=given["expect"],
        data_through=given.get("data_through"),
        variables=given.get("variables") or {},
    )


def lay_out(case: Case, root: Path) -> Path:
    """Write the tables to `root/data` and the model to `root/model`, whose path is returned."""
    (root / "data").mkdir()
    with duckdb.connect() as connection:
        for name, table in case.tables.items():
            _write(connection, table, root / "data" / f"{name}.parquet")
    model = copy.deepcopy(dict(case.model))
    if case.data_through is not None:
        for dataset in model["datasets"]:
            dataset["data_through"] = case.data_through
    folder = root / "model"
    folder.mkdir()
    (folder / "model.yml").write_text(yaml.safe_dump(model, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def _write(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in table.columns.items())
    connection.execute(f"create or replace table rows ({columns})")
    marks = ", ".join(f"cast(? as {kind})" for kind in table.columns.values())
    if table.rows:
        connection.executemany(f"insert into rows values ({marks})", [[_text(v) for v in row] for row in table.rows])
    connection.execute(f"copy rows to '{path}' (format parquet)")


def _text(value: Any) -> str | None:
    """A value as text, which DuckDB casts to the declared type."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return repr(value)


def differences(case: Case, answer: Mapping[str, Any]) -> list[str]:
    """Where an answer is not what the case expects; empty when it is."""
    if "errors" in case.expect:
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        expected = [error["code"] for error in case.expect["errors"]]
        found = [] if codes == expected else [f"errors: {codes} instead of {expected}: {answer.get('errors')}"]
    else:
        found = [f"errors: {answer['errors']}"] if answer.get("errors") else []
    if "data" in case.expect and not (found and answer.get("data") is None):
        found += _compare(case.expect["data"], answer.get("data"), "data", case.ordered)
    return found


def _compare(expected: Any, actual: Any, at: str, ordered: bool) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        if list(expected) != list(actual) and set(expected) != set(actual):
            yield f"{at}: fields {sorted(actual)} instead of {sorted(expected)}"
        for name in expected:
            if name in actual:
                yield from _compare(expected[name], actual[name], f"{at}.{name}", ordered)
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _compare_lists(expected, actual, at, ordered)
    elif not same(expected, actual):
        yield f"{at}: {actual!r} instead of {expected!r}"


def _compare_lists(expected: list[Any], actual: list[Any], at: str, ordered: bool) -> Iterator[str]:
    if len(expected) != len(actual):
        yield f"{at}: {len(actual)} rows instead of {len(expected)}"
    if ordered or not all(isinstance(item, Mapping) for item in expected):
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from _compare(one, other, f"{at}[{index}]", ordered)
        return
    left = list(actual)
    for item in expected:
        match = next((i for i, other in enumerate(left) if not any(_compare(item, other, at, ordered))), None)
        if match is None:
            yield f"{at}: no row {item!r}"
        else:
            left.pop(match)
    yield from (f"{at}: unexpected row {item!r}" for item in left)


def same(expected: Any, actual: Any) -> bool:
    """Equal: whole numbers exactly, others to RELATIVE; a number is never a boolean or a text."""
    if isinstance(expected, date):
        expected = expected.isoformat()
    if _is_number(expected) and _is_number(actual):
        if isinstance(expected, int) and isinstance(actual, int):
            return expected == actual
        return math.isclose(expected, actual, rel_tol=RELATIVE)
    return type(expected) is type(actual) and bool(expected == actual)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def case_files(folders: Iterable[Path]) -> list[Path]:
    """Every case in the folders, sorted."""
    return [path for folder in folders for path in sorted(folder.glob("*.yml"))]

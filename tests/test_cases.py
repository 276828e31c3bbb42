"""The contract cases, through a real socket: tests/cases, and the folder that HEADWATER_CASES names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings
from tests.case import Case, Table, case_files, differences, lay_out, read_case, same
from tests.live import LiveServer

OWN = Path(__file__).parent / "cases"
FOREIGN = os.environ.get("HEADWATER_CASES")
FOLDERS = [OWN, *([Path(FOREIGN)] if FOREIGN else [])]


@pytest.mark.parametrize("path", case_files(FOLDERS), ids=lambda path: path.stem)
def test_case(path: Path, tmp_path: Path, live: LiveServer) -> None:
    case = read_case(path)
    with live.serving(Settings(anonymous=True, model=lay_out(case, tmp_path), reload=False, deadline=0)):
        reply = live.ask(case.query, case.variables)
    assert reply.status == 200, reply.body.decode()
    found = differences(case, reply.json)
    assert not found, f"{case.id}: {case.title}\n" + "\n".join(found)


def test_the_named_folder_has_cases() -> None:
    for folder in FOLDERS:
        assert case_files([folder]), f"no cases in {folder}"


def test_ids_are_unique() -> None:
    ids = [read_case(path).id for path in case_files([OWN])]
    assert len(ids) == len(set(ids))


ROWS: list[dict[str, object]] = [{"channel": "ads", "uv": 2, "rate": 0.5}, {"channel": None, "uv": 1, "rate": None}]


def expecting(expect: Any, query: str = "{ metrics { rows { channel } } }") -> Case:
    return Case("X", "a case", {}, {"t": Table({}, [])}, query, expect)


def test_rows_compare_in_any_order_unless_the_query_orders() -> None:
    data = {"data": {"metrics": {"rows": ROWS}}}
    turned = {"data": {"metrics": {"rows": ROWS[::-1]}}}
    assert differences(expecting(data), turned) == []
    assert differences(expecting(data, "{ metrics(orderBy: []) { rows { channel } } }"), turned) != []


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"metrics": {"rows": ROWS[:1]}}},
        {"data": {"metrics": {"rows": [*ROWS, ROWS[0]]}}},
        {"data": {"metrics": {"rows": [ROWS[0] | {"uv": 3}, ROWS[1]]}}},
        {"data": {"metrics": {"rows": [ROWS[0] | {"rate": None}, ROWS[1]]}}},
        {"data": {"metrics": {"rows": [ROWS[0] | {"more": 1}, ROWS[1]]}}},
        {"data": None, "errors": [{"message": "no", "extensions": {"code": "INTERNAL"}}]},
        {"data": {"metrics": {"rows": ROWS}}, "errors": [{"message": "no", "extensions": {"code": "INTERNAL"}}]},
    ],
)
def test_what_differs_is_found(wrong: dict[str, object]) -> None:
    assert differences(expecting({"data": {"metrics": {"rows": ROWS}}}), wrong) != []


def test_error_codes_compare() -> None:
    case = expecting({"errors": [{"code": "BAD_TIME_RANGE"}]})
    assert differences(case, {"errors": [{"message": "no", "extensions": {"code": "BAD_TIME_RANGE"}}]}) == []
    assert differences(case, {"errors": [{"message": "no", "extensions": {"code": "INTERNAL"}}]}) != []
    assert differences(case, {"data": {}}) != []


@pytest.mark.parametrize(
    ("expected", "actual", "equal"),
    [
        (2**62, 2**62, True),
        (2**62, 2**62 + 1, False),
        (0.1 + 0.2, 0.3, True),
        (1.0, 1.00000001, False),
        (1, True, False),
        (1, "1", False),
        (None, 0, False),
        (100, 100.0, True),
    ],
)
def test_values_compare(expected: object, actual: object, equal: bool) -> None:
    assert same(expected, actual) is equal

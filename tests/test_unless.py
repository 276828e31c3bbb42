"""Whom `unless` frees: what is unknown of a viewer, such as a claim of another type, frees nobody."""

from __future__ import annotations

from typing import Any

import pytest

from semantic.load import load_texts
from semantic.query.unless import holds

MODEL = """
version: 1
datasets: [{name: visits, source: visits.parquet}]
policies: [{name: some, dataset: visits, entities: false, unless: "UNLESS"}]
"""


@pytest.mark.parametrize(
    ("unless", "freed", "bound"),
    [
        ("admin", [True], [False, 1, "true", None, (True,)]),
        ("admin = true", [True, (True, "x")], [False, 1, 1.0, "true", None, (1,), (False,)]),
        ("not (admin = true)", [False, (False,)], [True, 0, "no", None, (0,), (False, 0)]),
        ("admin <> false", [True], [False, 1, "x", None, (True,)]),
        ("admin in (true)", [True, (True,)], [1, "true", None]),
        ("admin in (1, 2)", [1, 2.0, (3, 2)], [True, "1", None, (True,), (), (3,)]),
        ("not (admin in (1, 2))", [3, (), (3,)], [1, True, "1", None, (True,), (3, True)]),
        ("admin = 1", [1, 1.0, (1,)], [True, "1", None, (True,)]),
        ("admin = -1", [-1], [1, True, None]),
        ("-admin = -1", [1], [True, "1", None]),
        ("admin >= 1", [1, 1.5, 7], [True, 0, "7", None, (7,)]),
        ("not (admin > 1)", [1], [2, False, "0", None, (1,)]),
        ("not (admin <> 'head')", ["head"], ["x", True, None, ("head",), ("x",)]),
        ("admin = 'head'", ["head", ("x", "head")], ["x", True, 1, None, ("x",), ()]),
        ("admin is true", [True], [False, 1, "true", None, (True,)]),
        ("admin is not true", [False, None], [True, 1, "true", (True,)]),
        ("admin = 0.1", [0.1], [1, 2.5, "1.5", True, None]),
        ("admin is false", [False], [True, 0, "false", None, (False,)]),
        ("(admin = 1) is true", [1], [2, True, None]),
        ("admin is null", [None], [True, 0, "", ()]),
        ("admin is not null", [True, 0, "", ()], [None]),
        ("admin = 1 and (not admin = 2 or admin is null)", [1, (1, 3)], [2, (1, 2), True, None]),
        ("not (admin = other)", [], ["x", (), None]),
        ("admin = admin", ["x", 1], [("x",), None]),
        ("(admin = 1) is null", [], [1, 2, True, None]),
        ("lower(admin) is null", [], ["x", None]),
    ],
)
def test_whom_it_frees(unless: str, freed: list[Any], bound: list[Any]) -> None:
    policy = load_texts({"m.yml": MODEL.replace("UNLESS", unless)}).policies["some"]
    assert policy.unless is not None
    for claim in freed:
        assert holds(policy.unless, {} if claim is None else {"admin": claim}), claim
    for claim in bound:
        assert not holds(policy.unless, {} if claim is None else {"admin": claim}), claim

"""Errors go from one process to another as they are."""

from __future__ import annotations

import pickle

import pytest

from semantic.errors import (
    Code,
    DataError,
    HeadwaterError,
    ModelError,
    OurError,
    Overloaded,
    Position,
    Problem,
    QueryError,
    RateLimited,
    Timeout,
    UserError,
)

ERRORS = [
    UserError(Code.BAD_VALUE, "wrong", "right"),
    QueryError(Code.NO_METRIC, "none"),
    RateLimited("too often", "later", 0.5),
    ModelError([Problem(Code.BAD_NAME, "bad", Position("a.yml", 1, 2, "x: y"), "good"), Problem(Code.NO_MODEL, "no")]),
    OurError(Code.INTERNAL, "ours", detail="of the log"),
    DataError("gone", "look", "there"),
    Overloaded("full", "later", 3.0),
    Timeout("late", "less", 5.0),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_whole(error: HeadwaterError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert (str(arrived), arrived.args, vars(arrived)) == (str(error), error.args, vars(error))

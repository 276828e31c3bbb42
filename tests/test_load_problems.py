"""Broken models and the whole text each of them gets. `pytest --update` writes the texts anew.

A file of tests/golden/models holds the model's files under `-- name --` and then what the load says. Unless it brings a
base.yml of its own, tests/golden/models/base.yml, which is right, is part of the model.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semantic.errors import ModelError
from semantic.load import load_texts

FOLDER = Path(__file__).parent / "golden" / "models"
CASES = sorted(FOLDER.glob("*.txt"))
HEADING = re.compile(r"^-- (\S+) --\n", re.MULTILINE)
PROBLEMS = "-- problems --\n"


def files_of(case: str) -> dict[str, str]:
    """The model's files of a case."""
    model, _, _ = case.partition(PROBLEMS)
    _, *parts = HEADING.split(model)
    base = {"base.yml": (FOLDER / "base.yml").read_text(encoding="utf-8")}
    return base | dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_broken_model_says_what_is_wrong(path: Path, update: bool) -> None:
    case = path.read_text(encoding="utf-8")
    with pytest.raises(ModelError) as raised:
        load_texts(files_of(case))
    model, _, _ = case.partition(PROBLEMS)
    found = f"{model}{PROBLEMS}{raised.value}\n"
    if update:
        path.write_text(found, encoding="utf-8")
    assert case == found or update


def test_the_base_alone_is_right() -> None:
    assert load_texts({"base.yml": (FOLDER / "base.yml").read_text(encoding="utf-8")}).metrics.keys() >= {"uv", "gmv"}


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60

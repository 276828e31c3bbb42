"""Every golden query compiles to the plan and the SQL that its file holds. `pytest tests/test_compile.py --update`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiling.golden import FILES, read


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden_plan(path: Path, update: bool) -> None:
    text = read(path).text()
    if update:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text

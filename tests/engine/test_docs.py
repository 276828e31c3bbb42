"""docs/engine.md tells every setting, with its default."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

from engine import EngineSettings
from engine.settings import MIB

DOC = Path(__file__).parents[2] / "docs/engine.md"


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", DOC.read_text(encoding="utf-8"), re.MULTILINE))
    assert list(rows) == [field.name for field in fields(EngineSettings)]
    told = {f"{256 * MIB}": "256 MiB"}
    for field in fields(EngineSettings):
        if field.default not in (MISSING, None):
            text = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            assert rows[field.name] == told.get(text, text)

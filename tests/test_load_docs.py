"""docs/model.md says what the format is: its tables are made from the format's. `pytest --update` makes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semantic.load.allowed import TYPES
from semantic.load.format import MODEL
from semantic.load.functions import FUNCTIONS
from semantic.load.read_entity import SHAPE as ENTITY
from semantic.load.read_list import ListOf
from semantic.load.read_money import RATES
from semantic.load.read_shape import ByKey, ByType, Shape
from semantic.load.read_source import SHAPE as SOURCE
from semantic.time import Unit

DOCUMENT = Path(__file__).parent.parent / "docs" / "model.md"
PLACE = re.compile(r"<!-- (keys: [a-z ]+|functions) -->\n(?:\n\|(?:.*\n)+?(?=\n|<!--|\Z))?")


def shapes(reader: Any) -> Iterator[Shape]:
    match reader:
        case Shape():
            yield reader
            for key in reader.keys.values():
                yield from shapes(key.reader)
        case ByType() | ByKey():
            for shape in reader.shapes.values():
                yield from shapes(shape)
        case ListOf():
            yield from shapes(reader.reader)


SHAPES = {shape.title: shape for shape in (*shapes(MODEL), SOURCE, ENTITY, RATES)}


def table_of(place: str) -> str:
    if place == "functions":
        rows = [f"| `{function.example}` | {function.meaning} |" for function in FUNCTIONS]
        return "\n".join(["| example | meaning |", "| --- | --- |", *rows])
    shape = SHAPES[place.removeprefix("keys: ")]
    rows = [f"| `{name}` | {'yes' if key.required else ''} | {key.doc} |" for name, key in shape.keys.items()]
    return "\n".join([f"| {shape.title} | needed | {shape.doc} |", "| --- | --- | --- |", *rows])


def test_the_tables_are_those_of_the_format(update: bool) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    made = PLACE.sub(lambda found: f"<!-- {found[1]} -->\n\n{table_of(found[1])}\n", text)
    if update:
        DOCUMENT.write_text(made, encoding="utf-8")
    assert made == text or update
    assert sorted(re.findall("<!-- keys: ([a-z ]+) -->", text)) == sorted(SHAPES)
    assert text.count("<!-- functions -->") == 1


def test_types_units_and_words_are_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in TYPES if not re.search(rf"\b{name}\b", text)] == []
    assert [unit for unit in Unit if unit not in text] == []

"""Whatever a file holds, it loads or it is told why: no other error leaves the loader."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.errors import ModelError
from semantic.load import check_columns, load_texts
from semantic.model.facts import Kind

TEXT = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("models/whole/**/*.y*ml"))
)
TREE = yaml.load(TEXT, Loader=yaml.BaseLoader)
LINES = TEXT.splitlines()

STRANGE = st.sampled_from(
    ["", "null", "~", "true", "yes", "0", "-1", "1e400", "0x1F", "12:30", "2026-13-45", "7 days", "time", "and", "a b",
     "中文", "x" * 500, "sum(a)", "a.b.c", ":x", "*", "&a", "{", "[", "'", '"', "- -", "\t", "# x", "|", ">", "uv",
     "users", "name", "a\nb\x07\u2028c"]
)  # fmt: skip


def paths(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(path for key, value in below for path in paths(value, (*here, key)))]


PATHS = [path for path in paths(TREE) if path]


def load(text: str) -> None:
    try:
        model = load_texts({"m.yml": text})
    except ModelError as error:
        assert_told(error, text)
    else:
        check_columns(model, {name: {"user_id": Kind.STRING} for name in model.datasets})


def assert_told(error: ModelError, text: str) -> None:
    """Every problem says something, at a place that is there."""
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 2
    assert error.problems
    for problem in error.problems:
        assert problem.message
        assert problem.position is None or 1 <= problem.position.line <= lines
        assert "\n" not in problem.message
        str(problem).encode()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_value_changed(data: st.DataObject) -> None:
    """Values of the tree replaced by strange ones, taken away, swapped, doubled."""
    tree = copy.deepcopy(TREE)
    for _ in range(data.draw(st.integers(1, 3))):
        *around, key = data.draw(st.sampled_from(PATHS))
        try:
            parent = tree
            for step in around:
                parent = parent[step]
            change(parent, key, data)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took that place away
    load(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False))


def change(parent: Any, key: Any, data: st.DataObject) -> None:
    value = parent[key]
    how = data.draw(st.sampled_from(["strange", "gone", "wrapped", "elsewhere", "renamed"]))
    if how == "strange":
        parent[key] = data.draw(STRANGE)
    elif how == "gone":
        del parent[key]
    elif how == "wrapped":
        parent[key] = data.draw(st.sampled_from([[value], {"name": value}, [value, value], {}, []]))
    elif how == "elsewhere":
        *around, other = data.draw(st.sampled_from(PATHS))
        found = TREE
        for step in (*around, other):
            found = found[step]
        parent[key] = copy.deepcopy(found)
    elif isinstance(parent, dict):
        parent[data.draw(STRANGE)] = parent.pop(key)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_line_changed(data: st.DataObject) -> None:
    """Characters of the text replaced, lines taken away, moved and doubled: mostly no YAML any more."""
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        line = lines[index]
        at = data.draw(st.integers(0, len(line)))
        how = data.draw(st.sampled_from(["insert", "cut", "gone", "double", "move", "indent"]))
        if how == "insert":
            lines[index] = line[:at] + data.draw(STRANGE | st.text(max_size=4)) + line[at:]
        elif how == "cut":
            lines[index] = line[:at]
        elif how == "gone" and len(lines) > 1:
            del lines[index]
        elif how == "double":
            lines.insert(index, line)
        elif how == "move":
            lines.append(lines.pop(index))
        else:
            lines[index] = " " + line
    load("\n".join(lines))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape")))
def test_any_text(text: str) -> None:
    load(text)

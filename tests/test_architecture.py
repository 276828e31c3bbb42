"""The house holds: imports go one way, nothing is circular, files and functions stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("semantic", "engine", "api", "demo")

ROOMS = (
    "semantic.errors",
    "semantic.time",
    "semantic.model",
    "semantic.load",
    "semantic.query",
    "semantic.plan",
    "semantic.lower",
    "semantic.rewrite",
    "semantic.sql",
    "semantic.compile",
    "semantic.report",
    "engine",
    "api.schema",
    "api.resolvers",
    "api",
)
"""Leftmost first: a room imports itself and what stands before it."""

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """The longest room that a module lies in."""
    found = [room for room in ROOMS if module == room or module.startswith(room + ".")]
    return max(found, key=len, default=None)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if (ROOT / Path(*whole.split("."))).with_suffix(".py").exists() else node.module


def own(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in (*PACKAGES, "tests", "bench")


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_one_way(path: Path) -> None:
    room = room_of(module_of(path))
    for name in filter(own, imports_of(path)):
        target = room_of(name)
        if module_of(path).split(".")[0] == "demo":
            assert name.split(".")[0] == "demo", f"{path.name} imports {name}: demo stands alone"
        elif room is not None and name.split(".")[0] != "demo":
            assert target is not None, f"{path.name} imports {name}, which is in no room"
            assert ROOMS.index(target) <= ROOMS.index(room), f"{path.name} imports {name}, which stands to its right"
        else:
            assert room is None or room.startswith("api"), f"{path.name} imports {name}"


def test_no_module_imports_itself_around_a_corner() -> None:
    graph = {module_of(path): {name for name in imports_of(path) if own(name)} for path in FILES}
    state: dict[str, int] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert state.get(module) != 1, " → ".join((*trail, module))
        if state.get(module) == 2:
            return
        state[module] = 1
        for name in sorted(graph.get(module, ())):
            if name != module:
                visit(name, (*trail, module))
        state[module] = 2

    for module in sorted(graph):
        visit(module, ())


def test_semantic_is_pure() -> None:
    """No connection, clock, thread or web framework in the compiler; files are read in one place."""
    banned = {"duckdb", "pyarrow", "strawberry", "fastapi", "starlette", "graphql", "threading", "asyncio", "time"}
    for path in (ROOT / "semantic").rglob("*.py"):
        for name in imports_of(path):
            assert name.split(".")[0] not in banned, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_functions_are_small(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"

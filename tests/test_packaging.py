"""What is shipped: the wheel, the lock files, the container's recipe and the bundled page."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
ROOMS = ("api", "engine", "semantic", "demo")
PAGE = ROOT / "api" / "pages" / "graphiql"
LOCKS = ("requirements.lock", "requirements-dev.lock")
MOUNTED_AT = "./static/graphiql/"


def project() -> dict[str, object]:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(table, dict)
    return table


def locked(name: str) -> list[Requirement]:
    return [Requirement(line) for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]


def declared() -> list[Requirement]:
    return [*runtime(), *optional(), *extra("test"), *extra("lint")]


def optional() -> list[Requirement]:
    return [*extra("fast"), *extra("fit"), *extra("delta"), *extra("iceberg"), *extra("s3"), *extra("traces")]


def extra(name: str) -> list[Requirement]:
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    return [Requirement(text) for text in extras[name]]


def runtime() -> list[Requirement]:
    dependencies = project()["dependencies"]
    assert isinstance(dependencies, list)
    return [Requirement(text) for text in dependencies]


def shipped_files() -> list[str]:
    """The files that a wheel must hold: code and data of the four rooms, as they lie in the checkout."""
    found = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that nothing an earlier build left behind gets into it."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for room in (*ROOMS, "tests"):
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_the_rooms_and_no_other(wheel: Path) -> None:
    inside = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert sorted(inside) == shipped_files()
    assert "api/pages/graphiql/index.html" in inside


def test_the_wheel_brings_the_command_and_the_licence(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "headwater = api.cli:main" in archive.read(entry_points).decode()
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())


def test_the_installed_wheel_runs_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    program = (
        "import importlib.resources as r, api, sys; from api.cli import main; print(api.__file__);"
        "print(r.files('api').joinpath('pages/graphiql/index.html').is_file()); sys.argv[1:] = ['--help']; main()"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-W", "error", "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert ran.returncode == 0, ran.stderr
    place, has_page, *help_text = ran.stdout.splitlines()
    assert place.startswith(str(tmp_path))
    assert has_page == "True"
    assert any("serve" in line for line in help_text)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_versions_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-", text, re.MULTILINE), "an option in a lock file"
    for requirement in locked(name):
        (pin,) = requirement.specifier
        assert pin.operator == "==", requirement
        assert "*" not in pin.version, requirement


def test_the_locked_versions_are_allowed_by_the_project() -> None:
    pins = {canonicalize_name(pin.name): pin for pin in locked("requirements-dev.lock")}
    for wanted in declared():
        (pin,) = pins[canonicalize_name(wanted.name)].specifier
        assert wanted.specifier.contains(Version(pin.version), prereleases=True), f"{wanted} is locked to {pin}"


def test_the_locks_agree_and_the_smaller_one_serves() -> None:
    small, large = ({str(pin) for pin in locked(name)} for name in LOCKS)
    assert small < large
    names = {canonicalize_name(pin.name) for pin in locked("requirements.lock")}
    assert {canonicalize_name(wanted.name) for wanted in runtime()} <= names
    assert "pytest" not in names


def imported(room: str) -> Iterator[tuple[str, str]]:
    """Every package that the room's code imports, with the file that does."""
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                yield from ((alias.name.split(".", 1)[0], path.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".", 1)[0], path.name


def test_every_package_that_the_code_imports_is_declared() -> None:
    ours = {*ROOMS, *sys.stdlib_module_names}
    distributions = packages_distributions()
    allowed = {canonicalize_name(wanted.name) for wanted in [*runtime(), *optional()]}
    undeclared = {
        f"{package} in {place}"
        for room in ROOMS
        for package, place in imported(room)
        if package not in ours
        and not allowed & {canonicalize_name(name) for name in distributions.get(package, [package])}
    }
    assert undeclared == set()


def test_every_dependency_says_from_when_it_works() -> None:
    unbounded = [str(wanted) for wanted in runtime() if not wanted.specifier]
    assert unbounded == []


def test_the_container_is_built_and_run_by_what_is_tried_outside_of_one() -> None:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    tried = (ROOT / "scripts" / "image-try.sh").read_text(encoding="utf-8")
    (build,) = re.findall(r"^RUN (scripts/\S+)", recipe, re.MULTILINE)
    assert os.access(ROOT / build, os.X_OK)
    assert build in tried
    commands = [json.loads(found) for found in re.findall(r"CMD (\[.*\])$", recipe, re.MULTILINE)]
    assert ["headwater", "serve"] in commands
    assert ["headwater", "health"] in commands
    for program, command in commands:
        assert f'/bin/{program}" {command}' in tried


def test_the_container_does_not_run_as_root_and_is_watched() -> None:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (\S+)", recipe, re.MULTILINE)[-1] == "headwater"
    assert re.search(r"^HEALTHCHECK ", recipe, re.MULTILINE)


def test_what_the_container_copies_passes_the_ignore_file() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"]
    for pattern in kept:
        assert list(ROOT.glob(pattern)), f"{pattern} matches nothing"
    assert set(ROOMS) < set(kept)


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_a_shell_script_parses_and_may_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", script], check=True)


class _Page(HTMLParser):
    """The addresses that a page loads at once, and its inline scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [value for name in ("src", "href") if (value := given.get(name))]
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(data)


def test_the_page_loads_only_files_that_are_shipped_beside_it() -> None:
    page = _Page()
    page.feed((PAGE / "index.html").read_text(encoding="utf-8"))
    assert page.inline == [], "a strict content security policy forbids inline scripts"
    assert any(address.endswith(".js") for address in page.addresses)
    for address in page.addresses:
        assert address.startswith(MOUNTED_AT), address
        assert (PAGE / address.removeprefix(MOUNTED_AT)).is_file(), address


def test_the_page_ships_without_source_maps_and_with_its_licences() -> None:
    assert [path.name for path in PAGE.rglob("*.map")] == []
    notices = (PAGE / "LICENSES.txt").read_text(encoding="utf-8")
    for package in ("graphiql", "monaco-editor", "react", "graphql-ws"):
        assert re.search(rf"^{re.escape(package)} \d", notices, re.MULTILINE), package


def test_the_pages_lock_file_does_not_say_where_packages_came_from() -> None:
    lock = json.loads((ROOT / "web" / "graphiql" / "package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"]
    assert [path for path, package in lock["packages"].items() if "resolved" in package] == []

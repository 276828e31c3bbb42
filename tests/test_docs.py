"""The README and the docs hold: their examples run and answer what they show, and what they name is there.

`pytest tests/test_docs.py --update` writes the shown answers anew.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from rich.console import Console

import demo
from api.cli import COMMANDS, cli
from api.errors import RequestCode
from api.settings import SETTINGS, Settings
from api.tables import parsed, print_field
from semantic.errors import Code
from semantic.load import load_texts
from tests.live import LiveServer
from tests.pages import (
    DOCS,
    QUICKSTART,
    README,
    ROOT,
    Block,
    anchors,
    answered,
    blocks,
    commands,
    inline_code,
    links,
    pages,
    write_outcomes,
)

WIDTH = 100
FIVE_MINUTES = "Your own Parquet in five minutes"
ASKED_ELSEWHERE = {DOCS / "graphql.md"}
"""Their examples are asked of another model, in tests/api."""
QUERIES = [pair for page in pages() if page not in ASKED_ELSEWHERE for pair in answered(page, "graphql")]
YAML = [block for page in pages() for block in blocks(page) if block.language in ("yaml", "yml")]


def place(value: object) -> str:
    return value.place if isinstance(value, Block) else ""


def plain(text: str) -> str:
    """Without colours and without the blanks that end lines."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n")
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def must_show(shown: Block, outcome: str, update: bool) -> None:
    if update:
        write_outcomes(shown.page, {shown: outcome})
    else:
        assert plain(shown.text) == outcome, f"{shown.place} shows something else; --update writes it"


# --- examples ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop as `make demo` makes it."""
    out = tmp_path_factory.mktemp("demo")
    demo.generate(out)
    return out


@pytest.fixture(scope="module")
def served_shop(shop: Path, live: LiveServer) -> Iterator[LiveServer]:
    with live.serving(Settings(model=shop, reload=False)):
        yield live


def table(body: bytes) -> str:
    """An answer as a terminal shows it."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for name, value in parsed(body)["data"].items():
        print_field(console, name, value)
    return plain(out.getvalue())


@pytest.mark.parametrize(("query", "shown"), QUERIES, ids=place)
def test_a_query_is_answered_as_shown(query: Block, shown: Block | None, served_shop: LiveServer, update: bool) -> None:
    reply = served_shop.ask(query.text)
    assert "errors" not in reply.json, reply.json["errors"]
    assert all(reply.json["data"].values())
    if shown:
        must_show(shown, table(reply.body), update)


TABLES = DOCS / "tables.md"


@pytest.mark.parametrize("block", [one for one in blocks(TABLES) if one.language == "python"], ids=place)
def test_a_notebook_reads_tables_as_shown(block: Block, served_shop: LiveServer) -> None:
    known: dict[str, Any] = {}
    exec(block.text.replace("127.0.0.1:8000", f"127.0.0.1:{served_shop.port}"), known)
    columns = known["shown"].column_names if hasattr(known["shown"], "column_names") else known["shown"].columns
    assert list(columns) == ["time", "channel", "uv", "gmv"]
    assert len(known["shown"]) > 100


def test_curl_reads_tables_as_shown(served_shop: LiveServer) -> None:
    lines = [line for block in blocks(TABLES) if block.language == "sh" for line in block.text.splitlines()]
    answers = [fetched(line.replace("127.0.0.1:8000", f"127.0.0.1:{served_shop.port}")) for line in lines]
    assert answers[0].startswith('"time","channel","uv","gmv"\n2026-')
    assert json.loads(answers[1])["rows"][0][0] > 100
    assert answers[2].startswith('"gmv"\n')


def test_the_readme_tells_the_truth_about_its_totals(served_shop: LiveServer) -> None:
    (query, _), *_ = answered(README, "graphql")
    found = served_shop.ask(query.text).json["data"]["metrics"]
    together, added_up = found["totals"]["uv"], sum(row["uv"] for row in found["rows"])
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert f"The total is {together:,} people and not the {added_up:,} that the channels add up to" in text


def test_the_numbers_page_tells_the_truth_about_its_totals(served_shop: LiveServer) -> None:
    page = DOCS / "numbers.md"
    (query, _), *_ = answered(page, "graphql")
    found = served_shop.ask(query.text).json["data"]["metrics"]
    together, added_up = found["totals"]["uv"], sum(row["uv"] for row in found["rows"])
    text = page.read_text(encoding="utf-8")
    assert f"{added_up:,} would be the days added up; {together:,} are people." in text


@pytest.mark.parametrize("block", YAML, ids=place)
def test_yaml_is_a_model_or_part_of_the_demo_shops(block: Block) -> None:
    found = yaml.safe_load(block.text)
    if "version" in found:
        load_texts({"model.yml": block.text})
        return
    whole: dict[str, dict[str, object]] = {}
    for path in (ROOT / "demo" / "model").glob("*.yml"):
        for section, entries in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if isinstance(entries, list):
                whole.setdefault(section, {}).update({entry["name"]: entry for entry in entries})
    for section, entries in found.items():
        for entry in entries:
            assert is_part(entry, whole[section][entry["name"]]), entry["name"]


def is_part(shown: object, real: object) -> bool:
    """Whether what is shown is there; mappings may have more."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return all(is_part(value, real.get(key)) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(is_part, shown, real))
    return shown == real


def test_there_are_examples() -> None:
    assert len(QUERIES) >= 3
    assert YAML
    assert {block.language for page in pages() for block in blocks(page)} <= {
        *("", "sh", "text", "json", "yaml", "graphql", "sql", "python", "js")
    }


# --- the quickstarts, typed in ----------------------------------------------------------------------------------------


def typed_in(page: Path, section: str) -> list[tuple[Block, Block | None]]:
    """The commands to type, but those that install: the tests run in what they made."""
    found = list(answered(page, "sh", section))
    install = [block for block, _ in found if block.text.startswith("make install\n")]
    assert len(install) == 1
    return [(block, shown) for block, shown in found if block not in install]


@pytest.mark.parametrize(("page", "section"), [(README, FIVE_MINUTES), (QUICKSTART, "")], ids=["README", "quickstart"])
def test_the_quickstart_works_in_an_empty_folder(page: Path, section: str, tmp_path: Path, update: bool) -> None:
    folder = tmp_path
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    bin_folder = str(Path(sys.executable).parent)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    environment |= {"PATH": f"{bin_folder}:{os.environ['PATH']}", "TERM": "xterm", "COLUMNS": str(WIDTH)}
    outcomes: dict[Block, str] = {}
    with serving(environment | {"HEADWATER_PORT": port}) as start:
        for block, shown in typed_in(page, section):
            text = block.text.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
            if text == "headwater serve\n":
                start(folder, f"http://127.0.0.1:{port}")
                continue
            output, folder = typed(text, folder, tmp_path, environment)
            if shown:
                outcomes[shown] = output
    if update:
        write_outcomes(page, outcomes)
    for shown, output in outcomes.items():
        assert update or plain(shown.text) == output, shown.place


def typed(text: str, folder: Path, keep: Path, environment: dict[str, str]) -> tuple[str, Path]:
    """Run commands at a terminal; what they printed, and the folder they ended in."""
    ended_in = keep / ".ended-in"
    if text.startswith("curl "):
        return fetched(text), folder
    terminal, other_end = os.openpty()
    script = f"set -euo pipefail\n{text}\npwd > {shlex.quote(str(ended_in))}\n"
    with (keep / ".errors").open("w+b") as errors:
        command = ["bash", "-c", script]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=other_end, stderr=errors)
        os.close(other_end)
        output = b"".join(chunks(terminal))
        os.close(terminal)
        errors.seek(0)
        assert process.wait(60) == 0, f"{text}\n{output.decode()}\n{errors.read().decode()}"
    return plain(output.decode()), Path(ended_in.read_text(encoding="utf-8").strip())


def chunks(terminal: int) -> Iterator[bytes]:
    with suppress(OSError):  # the end of a terminal whose other end was closed
        while chunk := os.read(terminal, 65536):
            yield chunk


def fetched(text: str) -> str:
    """What `curl` would print; it need not be installed."""
    _, silent, address, *options = shlex.split(text)
    assert silent == "-s"
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in given if option == "-H")
    body = next((value.encode() for option, value in given if option == "-d"), None)
    request = urllib.request.Request(address, body, headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return plain(response.read().decode())


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[Callable[[Path, str], None]]:
    """A function that starts `headwater serve` in a folder and waits until it answers."""
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, address: str) -> None:
        process = subprocess.Popen(["headwater", "serve"], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        started.append(process)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(f"{address}/readyz", timeout=2).close()
                return
            time.sleep(0.05)
        pytest.fail("the server did not become ready")

    try:
        yield start
    finally:
        for process in started:
            process.terminate()
            process.wait(20)


# --- what is named ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if fragment:
            assert fragment in anchors(found), target


def test_every_page_of_the_docs_is_in_the_index() -> None:
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= set(links(DOCS / "index.md"))


def options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_with_their_options(page: Path) -> None:
    for command in commands(page, "headwater"):
        name, *words = command.split()[1:]
        if not re.fullmatch(r"[a-z][a-z-]*", name):
            continue
        assert name in COMMANDS, f"{page.name}: {command}"
        found = cli.get_command(click.Context(cli), name)
        assert found is not None
        if isinstance(found, click.Group) and words:
            found = found.commands[words[0]]
        unknown = {word.partition("=")[0] for word in words if word.startswith("--")} - options(found) - {"--help"}
        assert unknown == set(), f"{page.name}: {command}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {command.split()[1] for page in pages() for command in commands(page, "make")}
    assert {"demo", "test", "install", "lint"} <= named
    assert named <= targets


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    sources = chain(*((ROOT / room).rglob("*.py") for room in ("api", "engine", "scripts", "tests", "examples")))
    code = "".join(path.read_text(encoding="utf-8") for path in (*sources, ROOT / "Makefile") if path != Path(__file__))
    read = {*re.findall(r"\bHEADWATER_[A-Z]+(?:_[A-Z]+)*\b", code), *(setting.variable for setting in SETTINGS)}
    text = "".join(page.read_text(encoding="utf-8") for page in pages())
    assert set(re.findall(r"\bHEADWATER_[A-Z]+(?:_[A-Z]+)*\b", text)) == read


def test_files_and_folders_that_are_named_exist() -> None:
    rooms = "api|semantic|engine|demo|tests|docs|examples|web|scripts|\\.ci"
    for page in (README, ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")):
        for code in inline_code(page):
            if re.fullmatch(rf"(?:{rooms})/[\w./-]*", code):
                assert (ROOT / code).exists(), f"{page.name}: {code}"


def test_error_codes_exist() -> None:
    codes = {*Code.__members__, *RequestCode.__members__}
    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"\(`([A-Z]+(?:_[A-Z]+)+)`\)", text))
    assert named
    assert named <= codes


def test_the_picture_is_small_and_there() -> None:
    pictures = list((DOCS / "images").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 300_000, picture.name


def test_the_schema_line_of_the_quickstart_is_right() -> None:
    schema = json.loads(subprocess.check_output([Path(sys.executable).with_name("headwater"), "model-schema"]))
    assert schema["$schema"].startswith("https://json-schema.org/")

"""The JSON Schema: it accepts every model of the project, and refuses what is plainly wrong."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from semantic.errors import ModelError
from semantic.load import json_schema, load_texts
from tests.test_load_problems import CASES, files_of

ROOT = Path(__file__).parent.parent
FOLDERS = ("tests/models", "tests/golden/models", "demo/model", "examples")
MODELS = sorted(
    path for folder in FOLDERS for ending in ("yml", "yaml") for path in (ROOT / folder).rglob(f"*.{ending}")
)
VALIDATOR = jsonschema.Draft202012Validator(json_schema(), format_checker=jsonschema.FormatChecker())


class Yaml12(yaml.CSafeLoader):
    """As editors read YAML: 1.2, in which dates, `on` and `12:30` are texts."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] in ("null", "int", "float")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
Yaml12.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def complaints(text: str) -> list[str]:
    document = yaml.load(text, Loader=Yaml12)
    return [] if document is None else [error.message for error in VALIDATOR.iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", MODELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_accepts_every_model_file(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "cases").glob("*.yml")), ids=lambda path: path.stem)
def test_it_accepts_the_models_of_the_cases(path: Path) -> None:
    model = yaml.load(path.read_text(encoding="utf-8"), Loader=Yaml12)["model"]
    assert [error.message for error in VALIDATOR.iter_errors(model)] == []


ABOUT_THE_WHOLE = re.compile(
    r"\[(YAML_SYNTAX|DUPLICATE_NAME|NAME_COLLISION|UNKNOWN_REFERENCE|CYCLIC_METRIC|BAD_EXPRESSION|AMBIGUOUS_PATH)\]"
)
"""What no schema of one file can see."""

TOO_FINE = {
    "version-missing",
    "timezone-unknown",
    "zone-of-dataset-unknown",
    "source-above-the-folder",
    "source-absolute",
    "source-scheme-unknown",
    "duration-of-months",
    "funnel-window-of-a-month",
    "cumulative-window-of-seconds",
    "cumulative-without-time",
    "derived-without-metrics",
    "conversion-steps",
    "dimension-default-of-a-number",
    "funnel-any-order",
    "funnel-size",
    "relationship-to-itself",
    "retention-mature",
    "retention-elapsed-months",
}
"""What the schema leaves to the load."""


def plain_cases() -> list[Path]:
    """Cases that are wrong in themselves: every problem is one that a schema of one file could see."""
    return [path for path in CASES if not ABOUT_THE_WHOLE.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", plain_cases(), ids=lambda path: path.stem)
def test_it_refuses_what_is_wrong_in_itself(path: Path) -> None:
    texts = [text for name, text in files_of(path.read_text(encoding="utf-8")).items()]
    assert any(complaints(text) for text in texts) is (path.stem not in TOO_FINE)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_it_refuses_does_not_load(path: Path) -> None:
    """An editor never underlines what the program takes."""
    for text in files_of(path.read_text(encoding="utf-8")).values():
        try:
            load_texts({"base.yml": text})
        except ModelError:
            continue
        assert complaints(text) == []

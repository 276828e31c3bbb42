"""Where the model is, when nobody says so, and which folder its sources start from."""

from __future__ import annotations

import re
from pathlib import Path

from semantic.errors import Code, UserError

SUFFIXES = (".yml", ".yaml")
SHOWN = 3
"""Files that an error names."""
_VERSION = re.compile(rb"^version\s*:", re.MULTILINE)


def find_model(given: Path | None, here: Path) -> Path:
    """The model's folder: the given one, else `here` or `here/model`. UserError NO_MODEL says what to do."""
    if given is not None:
        return _checked(given)
    for folder in (here, here / "model"):
        if folder.is_dir() and has_model(folder):
            return folder
    found = [path.name for path in _files(here)]
    message = "There is no model in this folder: no *.yml file with `version:` in it, nor in a folder `model`."
    if found:
        message = (
            f"There is no model in this folder: no file of it says `version:`, not {', '.join(found[:SHOWN])} either."
        )
    begin = f"If {found[0]} is of a model, write `version: 1` into it. Or name one" if found else "Name one"
    raise UserError(
        Code.NO_MODEL,
        message,
        f"{begin} with --model DIR, or make the demo shop and serve it:\n\n"
        "  headwater demo --out shop\n"
        "  headwater serve --model shop",
    )


def _checked(folder: Path) -> Path:
    if folder.is_file():
        raise UserError(
            Code.NO_MODEL, f"{folder} is a file.", f"A model is a folder; did you mean --model {folder.parent}?"
        )
    if not folder.is_dir():
        raise UserError(Code.NO_MODEL, f"There is no folder {folder}.")
    return folder


def has_model(folder: Path) -> bool:
    """Whether a *.yml file directly in the folder says `version:`."""
    return any(_VERSION.search(path.read_bytes()) for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES and path.is_file()]


def find_root(model: Path, given: Path | None = None) -> Path:
    """Where `source` paths start: the given one, else the model's, or the one around a folder `model`."""
    if given is not None:
        return given
    whole = model.resolve()
    return whole.parent if whole.name == "model" else whole

"""The reader of a dataset's `source`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from semantic.errors import Code
from semantic.load.log import Log
from semantic.load.read_shape import Key, Shape
from semantic.load.read_values import Choice, Line
from semantic.load.reader import BAD, Bad, JsonSchema
from semantic.load.source import Node, Pairs
from semantic.model.dataset import Source, SourceFormat
from semantic.model.places import Path

REMOTE: Final = ("s3", "gs", "gcs", "r2", "az", "abfss", "https")
"""Schemes of places outside the model folder."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_CSV = re.compile(r"\.(csv|tsv)(\.gz|\.zst)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path or glob below the model folder, or of a remote store."""

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """The path, when it stays inside."""
        text = Line("a path or glob of files").read(node, path, log)
        if text is BAD:
            return BAD
        reason = _escapes(text)
        if reason is None:
            return text
        log.problem(
            Code.BAD_VALUE, f'"{text}" {reason}.', node.at, "Write it relative to the model's folder, or as s3://…."
        )
        return BAD

    def schema(self) -> JsonSchema:
        """A text."""
        return {"type": "string", "minLength": 1, "examples": ["data/orders/*.parquet"]}


def _escapes(path: str) -> str | None:
    scheme = _SCHEME.match(path)
    if scheme:
        known = scheme[1].lower() in REMOTE
        return None if known else f"has the scheme {scheme[1]}, which is none of {', '.join(REMOTE)}"
    if path.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", path):
        return "is an absolute path"
    if ".." in re.split(r"[/\\]", path):
        return "leaves the model's folder"
    return None


SHAPE: Final = Shape(
    "source",
    "Where rows come from, with the format spelled out.",
    {
        "path": Key(FilePath(), "A path or glob, relative to the model's folder, or s3://…", required=True),
        "format": Key(Choice(SourceFormat), "parquet (default; csv for *.csv), iceberg or delta."),
    },
)


@dataclass(frozen=True, slots=True)
class SourceReader:
    """A path, or a mapping of path and format."""

    def read(self, node: Node, path: Path, log: Log) -> Source | Bad:
        """The source; the format follows the file's ending when it is not given."""
        if not isinstance(node, Pairs):
            place = FilePath().read(node, path, log)
            return BAD if place is BAD else Source(place, _format_of(place))
        fields = SHAPE.read(node, path, log)
        if fields is BAD or not fields.usable:
            return BAD
        return Source(fields["path"], fields.get("format", _format_of(fields["path"])))

    def schema(self) -> JsonSchema:
        """A text or an object."""
        return {"anyOf": [FilePath().schema(), SHAPE.schema()]}


def _format_of(path: str) -> SourceFormat:
    return SourceFormat.CSV if _CSV.search(path) else SourceFormat.PARQUET

"""Readers of durations, dates and time zones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from semantic.errors import QueryError, did_you_mean
from semantic.load.log import Log
from semantic.load.reader import Bad, JsonSchema, text_of, wrong
from semantic.load.source import Node
from semantic.model.places import Path
from semantic.time import Duration, Unit, parse_duration, zone

_DURATION_PATTERN: Final = rf"^\s*[0-9]*[1-9][0-9]*\s*({'|'.join(Unit)})s?\s*$"


@dataclass(frozen=True, slots=True)
class Span:
    """A duration such as `7 days`. `word`: a word allowed in its place, read as None."""

    word: str | None = None

    def read(self, node: Node, path: Path, log: Log) -> Duration | Bad | None:
        """The duration."""
        text = text_of(node)
        if text is not None and text == self.word:
            return None
        duration = parse_duration(text) if text else None
        if duration is None or duration.count > 100_000_000:
            also = f" or `{self.word}`" if self.word else ""
            return wrong(node, f'a duration such as "7 days"{also}', log, f"Units: {', '.join(Unit)}.")
        return duration

    def schema(self) -> JsonSchema:
        """A pattern."""
        duration = {"type": "string", "pattern": _DURATION_PATTERN, "examples": ["7 days"]}
        return {"anyOf": [duration, {"const": self.word}]} if self.word else duration


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar date."""

    def read(self, node: Node, path: Path, log: Log) -> date | Bad:
        """`2026-11-30`."""
        text = text_of(node) or ""
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
        return wrong(node, 'a date such as "2026-11-30"', log)

    def schema(self) -> JsonSchema:
        """A date."""
        return {"type": "string", "format": "date"}


@dataclass(frozen=True, slots=True)
class Zone:
    """An IANA time zone."""

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """Its name, known to the time zone database."""
        name = text_of(node)
        try:
            if name is not None:
                return str(zone(name))
        except QueryError:
            pass
        import zoneinfo

        near = did_you_mean(name or "", zoneinfo.available_timezones())
        return wrong(node, 'an IANA time zone such as "Asia/Shanghai"', log, near)

    def schema(self) -> JsonSchema:
        """A name."""
        return {"type": "string", "examples": ["Asia/Shanghai", "UTC"]}

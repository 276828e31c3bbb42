"""Every setting: read from `HEADWATER_*` variables and the command line, described here and nowhere else.

`freshness_check` is the variable `HEADWATER_FRESHNESS_CHECK` and the option `--freshness-check`; the option wins.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semantic.errors import Code, UserError

if TYPE_CHECKING:
    from engine.settings import EngineSettings

PREFIX = "HEADWATER_"
MIB = 1024 * 1024
DEFAULT_LIMIT = 1000
"""The `limit` of a query that names none."""
LOG_LEVELS = ("debug", "info", "warning", "error")

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?\s*", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def _seconds(text: str) -> float:
    number = float(text.removesuffix("s"))
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _rows(text: str) -> int:
    number = int(text)
    if number < DEFAULT_LIMIT:
        raise ValueError
    return number


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _POWERS.get((match[2] or "").upper(), 0))


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in known:
        raise ValueError
    return known[text.strip().lower()]


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError
    return text.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How Headwater runs; `SETTINGS` says what each is for. Times are seconds, sizes bytes."""

    model: Path | None = None
    root: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    reload: bool = True
    freshness_check: float = 1.0
    deadline: float = 30.0
    concurrency: int | None = None
    queue: int = 200
    threads: int | None = None
    memory_limit: int | None = None
    spill_dir: Path | None = None
    cache_bytes: int = 256 * MIB
    max_rows: int = 100_000
    max_request: int = 4 * MIB
    show_sql: bool | None = None
    log_level: str = "info"

    @property
    def may_show_sql(self) -> bool:
        """`show_sql`, or when it is not set: whether only this machine can ask."""
        return is_loopback(self.host) if self.show_sql is None else self.show_sql

    @property
    def engine(self) -> EngineSettings:
        """Those of the engine."""
        from engine.settings import EngineSettings, cores  # with it comes DuckDB, which most commands don't need

        return EngineSettings(
            threads=self.threads or cores(),
            memory_limit=self.memory_limit,
            spill_directory=self.spill_dir,
            concurrent=self.concurrency or cores(),
            queue_length=self.queue,
            deadline_seconds=self.deadline,
            cache_bytes=self.cache_bytes,
            freshness_check=self.freshness_check,
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it is for, its default as the docs write it, and how its text is read."""

    name: str
    parse: Callable[[str], Any]
    help: str
    default: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{PREFIX}{self.name.upper()}"

    @property
    def option(self) -> str:
        """The command line option."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def expected(self) -> str:
        """What a value must be, for people."""
        return _EXPECTED[self.parse][0]

    @property
    def metavar(self) -> str:
        """The word for a value in a command's help."""
        return _EXPECTED[self.parse][1]


_EXPECTED: Mapping[Callable[[str], Any], tuple[str, str]] = {
    str: ("text", "TEXT"),
    _path: ("a folder", "DIR"),
    _port: ("a port from 0 to 65535", "PORT"),
    _seconds: ("a number of seconds, such as 1 or 0.5", "SECONDS"),
    _count: ("a whole number of at least 1", "N"),
    _rows: (f"a whole number of at least {DEFAULT_LIMIT}, the limit of a query that names none", "N"),
    _size: ("a size, such as 512MB or 2GiB", "SIZE"),
    _flag: ("1 or 0", "FLAG"),
    _level: (f"one of {', '.join(LOG_LEVELS)}", "LEVEL"),
}
"""What a value must be, for people, and its word in a command's help."""

SETTINGS = (
    Setting("model", _path, "The folder of the model's *.yml files.", "this folder, or the folder model in it"),
    Setting(
        "root",
        _path,
        "The folder that the model's source paths start from.",
        "the model's folder, or the one around it when that is named model",
    ),
    Setting("host", str, "The address to listen at; 0.0.0.0 is every one of this machine's.", "127.0.0.1"),
    Setting("port", _port, "The port to listen at; 0 takes a free one.", "8000"),
    Setting("reload", _flag, "Whether a changed model takes effect without a restart.", "1"),
    Setting("freshness_check", _seconds, "Seconds for which the files are not looked at again.", "1"),
    Setting("deadline", _seconds, "Seconds after which a query is stopped; 0 is never.", "30"),
    Setting("concurrency", _count, "Queries that run at the same time; others wait.", "the number of cores"),
    Setting("queue", _count, "Queries that may wait; more are refused.", "200"),
    Setting("threads", _count, "Threads that all running queries share.", "the number of cores"),
    Setting("memory_limit", _size, "Memory for running queries.", "DuckDB's: four fifths of the machine's"),
    Setting("spill_dir", _path, "Where queries larger than the memory put rows.", "the system's temporary folder"),
    Setting("cache_bytes", _size, "Memory for answers that are kept.", "256MiB"),
    Setting("max_rows", _rows, "The largest limit a query may ask for.", "100000"),
    Setting("max_request", _size, "The largest request body.", "4MiB"),
    Setting("show_sql", _flag, "Whether callers are shown SQL.", "1 at a loopback address, else 0"),
    Setting("log_level", _level, "How much is logged: debug, info, warning or error.", "info"),
)
"""Every setting, in the order of the docs."""


def read_value(setting: Setting, text: str, source: str) -> Any:
    """The value written as `text`; UserError that names `source` when it is not one."""
    try:
        return setting.parse(text)
    except (ValueError, OverflowError):
        raise UserError(Code.BAD_VALUE, f'{source} is "{text}", but must be {setting.expected}.') from None


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Settings from `HEADWATER_*` variables; an empty one counts as not set. UserError when one has no meaning."""
    given = ((setting, environment.get(setting.variable, "")) for setting in SETTINGS)
    return Settings(**{one.name: read_value(one, text, one.variable) for one, text in given if text.strip()})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

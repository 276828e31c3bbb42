"""How the text of a setting is read, and what it must be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

DEFAULT_LIMIT = 1000
"""The `limit` of a query that names none."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Of signed tokens. None with a shared secret: whoever could check tokens could also make them."""
OPEN, HARDENED = "open", "hardened"
PROFILES = (OPEN, HARDENED)
JSON = "json"
LOG_FORMATS = ("text", JSON)
LOG_LEVELS = ("debug", "info", "warning", "error")

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?\s*", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


def folder(text: str) -> Path:
    """A folder; `~` is the home of whoever runs it."""
    return Path(text).expanduser()


def port(text: str) -> int:
    """A port of this machine."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def seconds(text: str) -> float:
    """Seconds, with or without an `s`."""
    number = float(text.removesuffix("s"))
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def count(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def rows(text: str) -> int:
    """Rows that a query may ask for."""
    number = int(text)
    if number < DEFAULT_LIMIT:
        raise ValueError
    return number


def size(text: str) -> int:
    """A size as bytes."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** _POWERS.get((match[2] or "").upper(), 0))


def flag(text: str) -> bool:
    """Yes or no."""
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in known:
        raise ValueError
    return known[text.strip().lower()]


def file(text: str) -> Path:
    """A path."""
    return Path(text).expanduser()


def words(text: str) -> tuple[str, ...]:
    """Words with commas between them."""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def algorithms(text: str) -> tuple[str, ...]:
    """Algorithms of signed tokens."""
    found = words(text)
    if not found or not set(found) <= set(ALGORITHMS):
        raise ValueError
    return found


def networks(text: str) -> tuple[Network, ...]:
    """Addresses, and ranges of them."""
    return tuple(ipaddress.ip_network(word) for word in words(text))


def header(text: str) -> str:
    """The name of a header, in small letters."""
    if not re.fullmatch(r"[A-Za-z0-9-]+", text):
        raise ValueError
    return text.lower()


def level(text: str) -> str:
    """How much is logged."""
    if text.lower() not in LOG_LEVELS:
        raise ValueError
    return text.lower()


def most(text: str) -> int:
    """A limit: a whole number, 0 for none."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def rate(text: str) -> float:
    """How often in a second; 0 for as often as one likes."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def profile(text: str) -> str:
    """One of the profiles."""
    if text.lower() not in PROFILES:
        raise ValueError
    return text.lower()


def log_format(text: str) -> str:
    """Whom the log is for."""
    if text.lower() not in LOG_FORMATS:
        raise ValueError
    return text.lower()


EXPECTED: Mapping[Callable[[str], Any], tuple[str, str]] = {
    str: ("text", "TEXT"),
    folder: ("a folder", "DIR"),
    port: ("a port from 0 to 65535", "PORT"),
    seconds: ("a number of seconds, such as 1 or 0.5", "SECONDS"),
    count: ("a whole number of at least 1", "N"),
    rows: (f"a whole number of at least {DEFAULT_LIMIT}, the limit of a query that names none", "N"),
    size: ("a size, such as 512MB or 2GiB", "SIZE"),
    flag: ("1 or 0", "FLAG"),
    most: ("a whole number, 0 for no limit", "N"),
    file: ("a file", "FILE"),
    words: ("words with commas between them", "WORDS"),
    algorithms: (f"some of {', '.join(ALGORITHMS)}, with commas between them", "NAMES"),
    networks: ("addresses such as 10.0.0.5 or 10.0.0.0/8, with commas between them", "ADDRESSES"),
    header: ("the name of a header", "NAME"),
    rate: ("a number of requests a second, 0 for no limit", "N"),
    profile: (f"one of {', '.join(PROFILES)}", "PROFILE"),
    log_format: (f"one of {', '.join(LOG_FORMATS)}", "FORMAT"),
    level: (f"one of {', '.join(LOG_LEVELS)}", "LEVEL"),
}
"""What a value must be, for people, and its word in a command's help."""

"""API keys: who they stand for, until when. Of a key itself only its SHA-256 is kept.

A key is `hw_<id>_<secret>`: the id finds its record, the secret has 256 random bits, so that a plain hash of it can't
be turned back. The file is read again whenever it changes; one that can't be read lets nobody in.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from api.viewers.claims import is_claim, viewer_of
from api.viewers.grants import Grant
from api.viewers.refused import bad_credentials
from semantic.errors import Code, UserError

LOG = logging.getLogger("headwater")

PREFIX = "hw_"
FILE_NAME = "headwater.keys.json"
_KEY = re.compile(r"hw_([0-9a-f]{8})_([\w-]{43})", re.ASCII)
_NOBODY = "0" * 64
"""A hash that no key has, to compare with when there is no record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is known of a key. Times are aware; `expires` None: never; `revoked`: since when it is no longer valid."""

    id: str
    name: str
    hash: str = field(repr=False)
    claims: Mapping[str, Any]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "valid"


def new_key(name: str, claims: Mapping[str, Any], expires: datetime | None = None) -> tuple[str, KeyRecord]:
    """A new key, to be told once, and its record."""
    number, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    text = f"{PREFIX}{number}_{secret}"
    record = KeyRecord(
        id=number, name=name, hash=hash_of(text), claims=claims, created=datetime.now(UTC), expires=expires
    )
    return text, record


def hash_of(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_keys(path: Path) -> tuple[KeyRecord, ...]:
    """The records of a file; none when there is no such file. UserError BAD_VALUE when it is not one of ours."""
    try:
        given = orjson.loads(path.read_bytes())
        return tuple(_record(item) for item in given["keys"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what `headwater keys` writes"
        raise UserError(Code.BAD_VALUE, f"The key file {path} can't be read: {reason}.") from error


def _record(given: Mapping[str, Any]) -> KeyRecord:
    claims = given["claims"]
    if not all(isinstance(name, str) and is_claim(value) for name, value in claims.items()):
        raise ValueError(claims)
    if not re.fullmatch(r"[0-9a-f]{64}", given["sha256"]):
        raise ValueError("sha256")
    return KeyRecord(
        id=str(given["id"]),
        name=str(given["name"]),
        hash=given["sha256"],
        claims=claims,
        created=_moment(given["created"]),
        expires=None if given.get("expires") is None else _moment(given["expires"]),
        revoked=None if given.get("revoked") is None else _moment(given["revoked"]),
    )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def write_keys(path: Path, records: tuple[KeyRecord, ...]) -> None:
    """Put these records in place of the file, readable by its owner only. A reader sees the old file or the new one.

    UserError BAD_VALUE when it can't be written.
    """
    body = orjson.dumps({"version": 1, "keys": [_written(one) for one in records]}, option=orjson.OPT_INDENT_2)
    try:
        _replace(path, body + b"\n")
    except OSError as error:
        raise UserError(Code.BAD_VALUE, f"The key file {path} can't be written: {error.strerror}.") from error


def _replace(path: Path, body: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _written(record: KeyRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "sha256": record.hash,
        "claims": dict(record.claims),
        "created": record.created.isoformat(timespec="seconds"),
        "expires": record.expires and record.expires.isoformat(timespec="seconds"),
        "revoked": record.revoked and record.revoked.isoformat(timespec="seconds"),
    }


def revoke(records: tuple[KeyRecord, ...], number: str) -> tuple[KeyRecord, ...]:
    """The records with one revoked. UserError UNKNOWN_NAME when there is no such key."""
    if all(one.id != number for one in records):
        raise UserError(Code.UNKNOWN_NAME, f'There is no key "{number}".', "`headwater keys list` shows them.")
    now = datetime.now(UTC)
    return tuple(replace(one, revoked=one.revoked or now) if one.id == number else one for one in records)


class Keys:
    """The keys of a file, looked at again whenever it changes. Used by one event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._records: Mapping[str, KeyRecord] = {}

    @property
    def exist(self) -> bool:
        """Whether there is a key file."""
        return os.path.exists(self._path)

    def grant(self, key: str) -> Grant:
        """Whom a key stands for. Unauthenticated when it is not valid; whether it ever was takes as long to say."""
        match = _KEY.fullmatch(key)
        records = self._current()
        record = records.get(match[1]) if match else None
        same = hmac.compare_digest(hash_of(key), _NOBODY if record is None else record.hash)
        if record is None or not same or record.state(datetime.now(UTC)) != "valid":
            raise bad_credentials("The API key is not valid: it is unknown, has expired or was revoked.")
        ends = math.inf if record.expires is None else record.expires.timestamp()
        return Grant(viewer_of(record.name, record.claims), records, self._current, ends=ends)

    def _current(self) -> Mapping[str, KeyRecord]:
        """The records of the file as it is now; another object whenever it was read anew."""
        seen = _stamp(self._path)
        if seen != self._seen:
            self._seen = seen
            try:
                self._records = {one.id: one for one in read_keys(self._path)}
            except UserError as error:
                LOG.error("No API key is valid. %s", error)
                self._records = {}
        return self._records


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when a file does."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino

"""The files of a dataset: which they are, what tells one state of them from another, and when they have come to rest.

A state is known by (path, size, time of change, inode, time of the inode's change) of every file. A file that is
renamed over another, or rewritten in place, even with the same size and a set-back clock, changes one of them.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from engine.places import Pattern
from semantic.errors import DataError

SETTLE_ROUNDS = 20
"""How many times `settle_seconds` files are waited for."""


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
    """One file as it is now; times are nanoseconds since 1970. Remote stores have no inode but an ETag."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a dataset in file order (by path), and a name for their state that tells no path.

    `partitions`: the hive partitions and their DuckDB types, where the source declares them (None: told by the paths).
    """

    stamps: tuple[Stamp, ...]
    version: str
    partitions: tuple[tuple[str, str], ...] | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, in file order."""
        return tuple(stamp.path for stamp in self.stamps)


class Store(Protocol):
    """Where a dataset's files are listed. Blocking: call it off the event loop."""

    def listing(self) -> Listing:
        """The files now, after they came to rest. DataError when there are none, or they keep changing."""
        ...

    def unchanged(self, listing: Listing) -> bool:
        """Whether every file of a listing is still what it was."""
        ...


class Changing(DataError):
    """The files are being replaced all the time."""


def changing(dataset: str) -> Changing:
    """The error for files that don't come to rest."""
    return Changing(
        f'The data of "{dataset}" kept changing while it was read.',
        "Ask again; publish files by renaming them into place, all at once.",
    )


def version_of(stamps: Iterable[Stamp]) -> str:
    """A short name of a state of files."""
    digest = hashlib.blake2b(digest_size=12)
    for stamp in stamps:
        digest.update(repr(stamp).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Files of this machine that match a pattern.

    `*` and `**` pass over hidden files and over names that begin with `_`, where writers keep what is not finished yet,
    unless the name is a hive partition (`_day=1`).
    """

    dataset: str
    pattern: Pattern
    settle_seconds: float

    def listing(self) -> Listing:
        """The files at rest: none changed within the last `settle_seconds`, or files were only ever added."""
        stamps = self._stamps()
        first = stamps
        for _ in range(SETTLE_ROUNDS):
            wait = self._unrest(stamps)
            if wait <= 0:
                return Listing(stamps, version_of(stamps))
            time.sleep(wait)
            stamps = self._stamps()
        if not set(first) <= set(stamps):
            raise changing(self.dataset)
        return Listing(stamps, version_of(stamps))

    def unchanged(self, listing: Listing) -> bool:
        """Whether every file of a listing is still what it was."""
        return all(stamp_of(stamp.path) == stamp for stamp in listing.stamps)

    def _unrest(self, stamps: Iterable[Stamp]) -> float:
        """Seconds until the youngest change is old enough; a clock that is ahead of ours can't be judged."""
        age = (time.time_ns() - max(stamp.ctime_ns for stamp in stamps)) / 1e9
        return self.settle_seconds - age if age >= -self.settle_seconds else 0.0

    def _stamps(self) -> tuple[Stamp, ...]:
        found = (stamp_of(path) for path in self._paths())
        stamps = tuple(sorted(stamp for stamp in found if stamp is not None))
        if not stamps:
            raise self._nothing()
        return stamps

    def _paths(self) -> Iterable[str]:
        base, rest = self.pattern.base, self.pattern.rest
        if not rest:
            return (base,)
        names = glob.iglob(os.path.join(*rest), root_dir=base, recursive=True)
        pattern = "/".join(rest)
        return (os.path.join(base, name) for name in names if not is_unfinished(name, pattern))

    def _nothing(self) -> DataError:
        source = os.path.join(self.pattern.base, *self.pattern.rest)
        if os.path.isdir(source):
            advice = "Name its files, as in data/events/**/*.parquet."
            return DataError(f'The source of "{self.dataset}" is a folder.', advice, source)
        return DataError(
            f'There is no data for "{self.dataset}": no file matches its source.',
            "Check the path, which starts from the model's project folder.",
            source,
        )


def is_unfinished(name: str, pattern: str) -> bool:
    """Whether a path below the source's plain folder is hidden, or begins a part with `_` that the pattern doesn't."""
    parts = name.replace(os.sep, "/").split("/")
    if any(part.startswith(".") for part in parts):
        return True
    asked = any(part.startswith("_") for part in pattern.split("/"))
    return not asked and any(part.startswith("_") and "=" not in part for part in parts)


def stamp_of(path: str) -> Stamp | None:
    """The file as it is now, or None when it is gone or no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Stamp(path, found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)

"""Where queries put rows that don't fit in memory: folders of this process's own, which go with it.

A process that is killed can't remove its folder. It held a lock, which ends with it: whoever comes next removes what is
no longer locked.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

PREFIX, LOCK = "headwater-", ".lock"

_homes: dict[tuple[int, Path], Path] = {}
"""This process's folder within each that was asked for; a process that was forked has its own."""


def spill_folder(within: Path | None) -> str:
    """A place for one database, in `within` (None: the system's temporary folder). It need not be made.

    Where nothing can be written, a query that doesn't fit in memory fails; the others don't.
    """
    place = os.getpid(), within or Path(tempfile.gettempdir())
    if place not in _homes:
        try:
            _homes[place] = _move_in(place[1])
        except OSError:
            return str(place[1] / f"{PREFIX}{uuid4().hex}")
    return str(_homes[place] / uuid4().hex)


def _move_in(within: Path) -> Path:
    """A folder that is removed when this process ends, and not by others before."""
    within.mkdir(parents=True, exist_ok=True)
    sweep(within)
    home = within / f"{PREFIX}{uuid4().hex}"
    _lock(home)
    home.mkdir(mode=0o700)
    atexit.register(_move_out, home, os.getpid())
    return home


def move_out() -> None:
    """Remove this process's folders now, where it won't end by itself."""
    for home in _homes.values():
        _move_out(home, os.getpid())


def _move_out(home: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(home, ignore_errors=True)
        Path(f"{home}{LOCK}").unlink(missing_ok=True)


def sweep(within: Path) -> None:
    """Remove the folders of processes that were killed."""
    for path in within.glob(f"{PREFIX}*{LOCK}"):
        try:
            lock = os.open(path, os.O_RDWR)
        except OSError:  # somebody else's, or gone already
            continue
        try:
            if os.fstat(lock).st_uid == os.getuid() and _is_ours(lock):
                shutil.rmtree(str(path).removesuffix(LOCK), ignore_errors=True)
                path.unlink(missing_ok=True)
        finally:
            os.close(lock)


if sys.platform == "win32":

    def _lock(home: Path) -> None:
        """No locks of this kind there: nothing is swept."""
        Path(f"{home}{LOCK}").touch()

    def _is_ours(lock: int) -> bool:
        return False

else:
    import fcntl

    def _lock(home: Path) -> None:
        """Lock the folder for as long as the process lives. Under the name it is swept by, the lock is never free."""
        lock = os.open(f"{home}.new", os.O_RDWR | os.O_CREAT, 0o600)
        _is_ours(lock)
        os.rename(f"{home}.new", f"{home}{LOCK}")

    def _is_ours(lock: int) -> bool:
        """Take the lock, if no living process has it."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

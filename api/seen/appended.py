"""A file that lines are added to, by any number of processes, and that is put aside when it is full."""

from __future__ import annotations

import os
from pathlib import Path

from api.locking import locked


class Appended:
    """Each line is written whole. When the file would grow beyond `most_bytes` it is renamed to `<file>.1`, that to
    `<file>.2` and so on, and begun anew; `keep` of them are kept.
    """

    def __init__(self, path: Path, most_bytes: int, keep: int) -> None:
        """OSError when it can't be written."""
        self._path = path
        self._most = most_bytes
        self._keep = keep
        self._file = self._open()

    def add(self, line: bytes) -> None:
        """Write a line, or several, each with its newline at its end. OSError."""
        while not self._added(line):
            os.close(self._file)
            self._file = self._open()

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def _added(self, line: bytes) -> bool:
        """Whether the line was written; if not, the file that has the name now is another one."""
        with locked(self._file):
            found = os.fstat(self._file)
            if not self._is_named(found):
                return False
            if found.st_size and found.st_size + len(line) > self._most:
                self._put_aside()
                return False
            while line:
                line = line[os.write(self._file, line) :]
            return True

    def _is_named(self, found: os.stat_result) -> bool:
        """Whether it has its name still. Not so, when another process has put it aside."""
        try:
            return os.path.samestat(found, os.stat(self._path))
        except FileNotFoundError:
            return False

    def _put_aside(self) -> None:
        for number in range(self._keep - 1, 0, -1):
            older = Path(f"{self._path}.{number}")
            if older.exists():
                older.replace(f"{self._path}.{number + 1}")
        self._path.replace(f"{self._path}.1")

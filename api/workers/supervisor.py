"""Several workers behind one socket: started, replaced when they end, and stopped together.

The socket is bound once and all of them accept from it: whoever connects while one is dead is answered by another, and
connections that nobody has accepted yet wait for whoever comes next. The supervisor itself answers nothing and loads
nothing of what answering takes.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client.multiprocess import mark_process_dead

from api.seen.lines import start_logging
from api.serving import STOP_SECONDS, Started, listen
from api.settings import Settings
from api.workers.counts import AWAY, Counts
from api.workers.crew import Crew
from api.workers.worker import SIGNALS, work
from semantic.errors import Code, HeadwaterError, OurError, UserError

LOG = logging.getLogger("headwater")

GRACE = 5.0
"""Seconds beyond what stopping may take, after which a worker is killed."""
STEADY = 60.0
"""Seconds after which a worker's end is no longer taken for a failed start."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries at most."""
TRIES = 3
"""A server none of whose workers ever answered gives up after so many."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: BaseProcess
    line: Connection

    async def hear(self) -> Started | HeadwaterError | None:
        """What it says next; None when it says nothing more."""
        await _readable(self.line.fileno())
        try:
            said: Started | HeadwaterError = self.line.recv()
        except (EOFError, OSError):
            return None
        return said

    async def end(self) -> str:
        """Wait for its end: how it ended."""
        await _readable(self.process.sentinel)
        self.process.join()
        self.line.close()
        status = self.process.exitcode
        return f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.process.is_alive() and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


async def _readable(descriptor: int) -> None:
    """Wait until something can be read, or the other end has closed."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


class Supervisor:
    """The workers of one server."""

    def __init__(
        self, settings: Settings, listening: socket.socket, folder: Path, started: Callable[[Started], None]
    ) -> None:
        self._settings = settings
        self._listening = listening
        self._folder = folder
        self._started = started
        self._spawn = multiprocessing.get_context("spawn")
        self._workers: dict[int, _Worker] = {}
        self._answering: set[int] = set()
        self._counts = Counts(Crew(folder, 0).connections, settings.workers)
        for place in range(settings.workers):
            self._counts.note(place, AWAY)
        self._has_started = False
        self._told = ""
        self._stopping = asyncio.Event()
        self.signalled: int | None = None

    async def run(self) -> None:
        """Serve until a signal. HeadwaterError when nobody can answer."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signal, number)
        places = [asyncio.create_task(self._fill(place)) for place in range(self._settings.workers)]
        asked = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([*places, asked], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._stop(places)
        for ended in await asyncio.gather(*places, return_exceptions=True):
            if ended is not None:
                raise ended  # all of them had the same reason

    def _signal(self, number: int) -> None:
        """Stop; a second Ctrl-C waits for nothing."""
        hurry = self._stopping.is_set() and number == signal.SIGINT
        self.signalled = number
        self._stopping.set()
        for worker in self._workers.values():
            worker.signal(signal.SIGINT if hurry else signal.SIGTERM)

    async def _stop(self, places: list[asyncio.Task[None]]) -> None:
        """End every worker: in peace, or when that takes too long, not."""
        self._stopping.set()
        for worker in self._workers.values():
            worker.signal(signal.SIGTERM)
        _, late = await asyncio.wait(places, timeout=self._settings.drain + STOP_SECONDS + GRACE)
        if late:
            LOG.error("%d workers did not stop in time and are killed.", len(late))
            for worker in self._workers.values():
                worker.signal(signal.SIGKILL)
            await asyncio.wait(late)

    async def _fill(self, place: int) -> None:
        """Have a worker in this place, until all are to stop. HeadwaterError when that is hopeless."""
        failures = 0
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            ended = await self._one(place)
            if self._stopping.is_set():
                return
            lived = asyncio.get_running_loop().time() - began
            failures = 1 if lived > STEADY else failures + 1
            if isinstance(ended, str):
                LOG.error("A worker has ended (%s) and is replaced.", ended)
            if failures >= TRIES and not self._has_started and not self._answering:
                raise OurError(Code.INTERNAL, f"A worker has ended before it could answer ({ended}), again and again.")
            await self._pause(failures)

    async def _one(self, place: int) -> str | HeadwaterError:
        """Start a worker and wait for its end: how it ended, or why it could not begin."""
        worker = self._workers[place] = self._start(place)
        try:
            said = await worker.hear()
            if isinstance(said, Started):
                self._answers(place, said)
                said = await worker.hear()
            ended = await worker.end()
        finally:
            del self._workers[place]
            self._answering.discard(place)
            self._counts.note(place, AWAY)
            mark_process_dead(place, str(self._folder))  # type: ignore[no-untyped-call]
        if not isinstance(said, HeadwaterError) or self._stopping.is_set():
            return ended
        if not self._answering:
            raise said
        if self._told != str(said):
            LOG.error("A worker can't be replaced; it is tried again, and others answer meanwhile.\n%s", said)
        self._told = str(said)
        return said

    def _start(self, place: int) -> _Worker:
        ours, theirs = self._spawn.Pipe()
        crew = Crew(self._folder, place)
        process = self._spawn.Process(
            target=work, args=(self._settings, crew, self._listening, theirs), name=f"headwater-{place}"
        )
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until it can do something about them
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return _Worker(process, ours)

    def _answers(self, place: int, said: Started) -> None:
        self._answering.add(place)
        if not self._has_started and len(self._answering) == self._settings.workers:
            self._has_started = True
            self._started(said)

    async def _pause(self, failures: int) -> None:
        """The first worker that ends is replaced at once, one that keeps ending ever later."""
        seconds = min(LONGEST_PAUSE, 2.0 ** (failures - 2)) if failures > 1 else 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def supervise(settings: Settings, started: Callable[[Started, int], None]) -> None:
    """Serve until a signal, with as many workers as the settings say. `started` is called with the port when all of
    them answer. ModelError, DataError, UserError.
    """
    if sys.platform == "win32":
        raise UserError(Code.BAD_VALUE, "This system can't have several workers.", "Serve with --workers 1.")
    with ExitStack() as opened:
        listening = opened.enter_context(closing(listen(settings.host, settings.port)))
        try:
            made = opened.enter_context(TemporaryDirectory(prefix="headwater-workers-", ignore_cleanup_errors=True))
        except OSError as error:
            message = f"Workers need a temporary folder, which can't be made: {error.strerror}."
            raise UserError(Code.BAD_VALUE, message, "Set TMPDIR to a folder that can be written.") from None
        folder = Path(made)
        start_logging(settings.log_level, settings.logs_json, Crew(folder, 0).log)
        port = listening.getsockname()[1]
        supervisor = Supervisor(settings, listening, folder, lambda said: started(said, port))
        asyncio.run(supervisor.run())
    if supervisor.signalled is not None:  # what the signal would have done, had nobody minded it
        signal.raise_signal(supervisor.signalled)

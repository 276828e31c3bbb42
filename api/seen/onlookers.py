"""Everybody who looks on, as the settings say."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

from api.running import Running
from api.seen.audit import AuditLog
from api.seen.batch import SOON, Batch
from api.seen.log import RequestLog, SlowLog
from api.seen.metrics import Metrics
from api.seen.record import Record, Watcher
from api.seen.traces import Traces
from api.served import Served
from api.workers.crew import Crew

NOTED_EVERY = 1.0
"""Seconds after which a worker writes down anew what is true of it."""


class Onlookers:
    """Of one server, a watcher themselves, told soon, of many requests at once. UserError when one can't begin.

    The audit log, and each of several workers, are told before the next requests are read: whatever ends the process,
    no line and no count of an earlier request is lost.
    """

    def __init__(self, served: Served, running: Running, crew: Crew | None = None) -> None:
        settings = served.settings
        self.metrics = Metrics(served, running, crew)
        self.watchers: list[Watcher] = [self.metrics, RequestLog()]
        self._batches = [Batch(self.watchers, SOON if crew is None else 0)]
        self._open: list[AuditLog | Traces] = []
        if settings.slow_query:
            self.watchers.append(SlowLog(settings.slow_query))
        if settings.traces:
            traces = Traces(version("headwater"))
            self.watchers.append(traces)
            self._open.append(traces)
        if settings.audit_log is not None:
            audit = AuditLog(settings.audit_log, settings.audit_bytes, settings.audit_files)
            self._batches.append(Batch([audit], 0))
            self._open.append(audit)

    def seen(self, record: Record) -> None:
        """A request has ended."""
        for batch in self._batches:
            batch.seen(record)

    def flush(self) -> None:
        """Tell of every request that has ended."""
        for batch in self._batches:
            batch.flush()

    def text(self) -> bytes:
        """What Prometheus reads, of every request that has ended."""
        self.flush()
        return self.metrics.text()

    async def note(self) -> None:
        """Keep what is true of this worker known to the others, for ever."""
        while True:
            self.metrics.note()
            await asyncio.sleep(NOTED_EVERY)

    def close(self) -> None:
        """Write what is left."""
        self.flush()
        for one in self._open:
            one.close()

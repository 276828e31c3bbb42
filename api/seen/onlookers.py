"""Everybody who looks on, as the settings say."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

from api.running import Running
from api.seen.audit import AuditLog
from api.seen.batch import SOON, Batch
from api.seen.log import RequestLog, SlowLog
from api.seen.metrics import Metrics
from api.seen.record import Watcher
from api.seen.traces import Traces
from api.served import Served
from api.workers.crew import Crew

NOTED_EVERY = 1.0
"""Seconds after which a worker writes down anew what is true of it."""


class Onlookers:
    """Of one server; whatever is `told` of reaches them soon. UserError when one of them can't begin.

    With an audit log they are told before the next requests are read: of those, no end of the process loses a line.
    """

    def __init__(self, served: Served, running: Running, crew: Crew | None = None) -> None:
        settings = served.settings
        self.metrics = Metrics(served, running, crew)
        self.watchers: list[Watcher] = [self.metrics, RequestLog()]
        self._open: list[AuditLog | Traces] = []
        if settings.slow_query:
            self.watchers.append(SlowLog(settings.slow_query))
        if settings.audit_log is not None:
            self._open.append(AuditLog(settings.audit_log, settings.audit_bytes, settings.audit_files))
        if settings.traces:
            self._open.append(Traces(version("headwater")))
        self.watchers += self._open
        self.told = Batch(self.watchers, SOON if settings.audit_log is None else 0)

    def text(self) -> bytes:
        """What Prometheus reads, of every request that has ended."""
        self.told.flush()
        return self.metrics.text()

    async def note(self) -> None:
        """Keep what is true of this worker known to the others, for ever."""
        while True:
            self.metrics.note()
            await asyncio.sleep(NOTED_EVERY)

    def close(self) -> None:
        """Write what is left."""
        self.told.flush()
        for one in self._open:
            one.close()

"""`/metricsz`: counts and durations, for Prometheus. Labels are few and never a caller's words."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from api.running import Running
from api.seen.record import Record
from api.seen.together import Together
from api.served import Served
from api.workers.crew import Crew
from engine.load import load_of

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


class Metrics:
    """Of one server. A watcher of requests, and the text that Prometheus reads. `crew`: of all its workers."""

    def __init__(self, served: Served, running: Running, crew: Crew | None = None) -> None:
        now = _Now(served, running)
        self._registry = CollectorRegistry()
        self._together = None if crew is None else Together(crew.folder, now)
        if self._together is None:
            self._registry.register(now)
            ProcessCollector(registry=self._registry)
        self._seconds = self._histogram("request_seconds", "Requests by door and status.", ("door", "status"))
        self._query_seconds = self._histogram("query_seconds", "Statements that were run.")
        self._answers = self._counter("answers", "Requests with questions, by where answers came from.", ("cache",))
        self._errors = self._counter("errors", "Errors in answers, by code.", ("code",))
        self._rows = self._counter("rows", "Rows answered.")
        self._read = self._counter("rows_read", "Rows of files read for answers, as estimated.")
        self._bytes = self._counter("answer_bytes", "Bytes of answers sent.")
        self._hit, self._miss = self._answers.labels("hit"), self._answers.labels("miss")
        self._held: dict[Counter, float] = {}
        self._by_door: dict[tuple[str, int], Histogram] = {}

    def _histogram(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Histogram:
        return Histogram(f"headwater_{name}", text, labels, buckets=BUCKETS, registry=self._registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"headwater_{name}", text, labels, registry=self._registry)

    def seen(self, record: Record) -> None:
        """Count a request."""
        key = record.door, record.status
        known = self._by_door.get(key)
        if known is None:
            known = self._by_door[key] = self._seconds.labels(record.door, str(record.status))
        known.observe(record.seconds)
        self._add(self._bytes, record.size)
        for code in record.notes.codes:
            self._errors.labels(code).inc()
        account = record.account
        if not account.datasets:
            return
        self._add(self._rows, account.rows)
        if record.cached:
            self._add(self._hit, 1)
            return
        self._add(self._miss, 1)
        self._add(self._read, account.read)
        for ran in account.ran:
            self._query_seconds.observe(ran.seconds)

    def _add(self, counter: Counter, number: float) -> None:
        """Count when all is told: a counter of several processes takes longer than a sum."""
        self._held[counter] = self._held.get(counter, 0) + number

    def flush(self) -> None:
        """Count what was held back."""
        held, self._held = self._held, {}
        for counter, number in held.items():
            counter.inc(number)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._together or self._registry)

    def note(self) -> None:
        """Write down what is true now, where other workers find it."""
        if self._together is not None:
            self._together.note()


class _Now(Collector):
    """What is true at the moment it is asked for."""

    def __init__(self, served: Served, running: Running) -> None:
        self._served = served
        self._running = running

    def collect(self) -> Iterable[Metric]:
        """The gauges."""
        snapshot = self._served.snapshot
        load = load_of(snapshot.engine)
        yield _gauge("workers", "Processes that answer.", 1)
        yield _gauge("requests_running", "Requests in flight.", len(self._running))
        yield _gauge("queries_running", "Queries that run.", load.running)
        yield _gauge("queries_waiting", "Queries that wait for their turn.", load.waiting)
        yield _gauge("cache_bytes", "Bytes of answers that are kept.", load.kept_bytes)
        yield _gauge("model_problem", "1 when the model on disk can't be used.", self._served.problem is not None)
        yield InfoMetricFamily("headwater_model", "The model in service.", {"version": snapshot.version})


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"headwater_{name}", text, float(value))

"""`/metricsz` of several workers: whichever is asked tells of all of them.

Counts are kept in files of the crew's folder that all workers map into memory (prometheus_client's multiprocess mode):
a file for each place, so that whoever takes the place of one that died goes on counting where it was. What is true only
of the moment each worker writes down there, too, and the supervisor removes it when the worker has died.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api.workers.crew import Crew

INFO = "headwater_model_info"
_MODES: Mapping[str, Literal["livemax", "livemin"]] = {
    INFO: "livemax",
    "headwater_model_problem": "livemax",
    "process_max_fds": "livemin",
    "process_start_time_seconds": "livemin",
}
"""How a gauge of several workers becomes one; all others are sums."""

_FILES = ("counter", "histogram", "gauge_livesum", "gauge_livemax", "gauge_livemin")
_EMPTY = 65_536
"""Bytes of a file at first."""


def join_metrics(crew: Crew) -> None:
    """Count from now on together with the others. To be said before any metric is made."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(crew.folder)
    for kind in _FILES:
        file, new = (crew.folder / f"{kind}_{crew.place}.{ending}" for ending in ("db", "new"))
        if not file.exists():
            new.write_bytes(bytes(_EMPTY))
            new.rename(file)  # while the library makes one it is too short to be read for a moment
    values.ValueClass = values.MultiProcessValue(lambda: crew.place)  # type: ignore[no-untyped-call]


class Together(Collector):
    """The metrics of all workers. What is true of this one at the moment is what `now` collects."""

    def __init__(self, folder: Path, now: Collector) -> None:
        self._files = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]
        self._now = (now, ProcessCollector(registry=None))
        self._own = CollectorRegistry()  # nobody collects from it: the files are read
        self._gauges: dict[str, Gauge] = {}
        self._counters: dict[str, tuple[Counter, float]] = {}
        self._version: dict[str, str] = {}

    def note(self) -> None:
        """Write down what is true of this worker now."""
        for collector in self._now:
            for metric in collector.collect():
                if metric.type == "counter":
                    self._count(metric)
                else:
                    self._set(metric)

    def collect(self) -> Iterable[Metric]:
        """The metrics of all workers, as of their latest notes."""
        self.note()
        metrics: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]
        for metric in metrics:
            if metric.name == INFO:  # of versions that were in service before, nothing is said any more
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric

    def _set(self, metric: Metric) -> None:
        (sample,) = metric.samples
        gauge = self._gauges.get(sample.name)
        if gauge is None:
            gauge = self._gauges[sample.name] = Gauge(
                sample.name,
                metric.documentation,
                tuple(sample.labels),
                registry=self._own,
                multiprocess_mode=_MODES.get(sample.name, "livesum"),
            )
        if sample.name == INFO and sample.labels != self._version:
            if self._version:
                gauge.labels(**self._version).set(0)
            self._version = dict(sample.labels)
        (gauge.labels(**sample.labels) if sample.labels else gauge).set(sample.value)

    def _count(self, metric: Metric) -> None:
        (sample,) = metric.samples
        if metric.name not in self._counters:
            self._counters[metric.name] = Counter(metric.name, metric.documentation, registry=self._own), 0.0
        counter, before = self._counters[metric.name]
        counter.inc(sample.value - before)
        self._counters[metric.name] = counter, sample.value

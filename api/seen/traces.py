"""Traces for OpenTelemetry, by its conventions for HTTP, GraphQL and databases. Needs the extra `traces`.

Spans are made after an answer was sent, from what is known of it then, and exported by a thread of their own: answering
waits for nothing. Where they go is said by the `OTEL_…` variables that every OpenTelemetry SDK reads.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from api.seen.record import Record
from semantic.errors import Code, UserError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

PATIENCE = 2.0
"""Seconds that a server which stops waits for the last spans."""
METHODS = {"GET", "HEAD", "POST"}


class Traces:
    """A watcher. One span for a request, one below it for each statement that was run; never a value."""

    def __init__(self, version: str, exporter: SpanExporter | None = None) -> None:
        """`exporter`: where spans go, instead of where the variables say. UserError when the extra is missing."""
        try:
            from opentelemetry import trace
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

            if exporter is None:
                from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

                exporter = OTLPSpanExporter()
        except ImportError:
            message = "Traces need packages that are not installed."
            raise UserError(Code.BAD_VALUE, message, "Install headwater[traces].") from None
        resource = Resource.create({"service.name": "headwater", "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("headwater", version)
        self._parents = TraceContextTextMapPropagator()
        self._trace = trace

    def seen(self, record: Record) -> None:
        """Make the spans of a request."""
        kind, status = self._trace.SpanKind, self._trace.Status(self._trace.StatusCode.ERROR)
        parent = self._parents.extract({"traceparent": record.parent}) if record.parent else None
        span = self._tracer.start_span(
            _name(record), parent, kind.SERVER, _attributes(record), start_time=record.began, record_exception=False
        )
        if record.status >= 500 or record.notes.codes:
            span.set_status(status)
        within = self._trace.set_span_in_context(span)
        for ran in record.account.ran:
            datasets = ran.statement.datasets
            statement = self._tracer.start_span(
                f"SELECT {' '.join(datasets)}",
                within,
                kind.CLIENT,
                {
                    "db.system.name": "duckdb",
                    "db.operation.name": "SELECT",
                    "db.collection.name": ", ".join(datasets),
                    "db.query.text": ran.statement.sql,
                    "db.response.returned_rows": ran.rows,
                },
                start_time=ran.ended - int(ran.seconds * 1e9),
            )
            statement.end(ran.ended)
        span.end(record.began + int(record.seconds * 1e9))

    def flush(self) -> None:
        """Spans are exported in their own time."""

    def close(self) -> None:
        """Export what is left; what can't be exported soon is lost."""
        closing = Thread(target=self._provider.shutdown, name="headwater-traces", daemon=True)
        closing.start()
        closing.join(PATIENCE)


def _name(record: Record) -> str:
    kind = record.notes.kind
    if kind is None:
        return f"{record.method if record.method in METHODS else 'HTTP'} {_ROUTES[record.door]}"
    return kind if record.name is None else f"{kind} {record.name}"


_ROUTES = {"graphql": "/graphql", "table": "/v1/table"}


def _attributes(record: Record) -> dict[str, str | int | bool]:
    notes = record.notes
    found: dict[str, str | int | bool] = {
        "http.request.method": record.method if record.method in METHODS else "_OTHER",
        "http.route": _ROUTES[record.door],
        "http.response.status_code": record.status,
        "user.id": notes.viewer.id,
        "headwater.cached": record.cached,
        "headwater.rows": record.account.rows,
    }
    if notes.kind is not None:
        found["graphql.operation.type"] = notes.kind
    if record.name is not None:
        found["graphql.operation.name"] = record.name
    if notes.codes:
        found["error.type"] = notes.codes[0]
    elif record.status >= 500:
        found["error.type"] = str(record.status)
    return found

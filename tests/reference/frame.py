"""Where the rows of one simple metric inside a field come from: the row's own period, a window, or an earlier time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from semantic.errors import Code
from semantic.model.metric import Cumulative, Derived, Metric, Ratio, Simple
from semantic.model.model import Model
from semantic.query.query import Comparison, MetricField
from semantic.time import Duration, Grain
from tests.reference.refused import Refused, Unspecified


@dataclass(frozen=True, slots=True)
class Frame:
    """The time arguments that hold for a metric; none set: rows of the target period and the time range.

    `twice`: a window was set inside another.
    """

    window: Duration | None = None
    to_date: Grain | None = None
    offset: Duration | None = None
    twice: bool = False

    @property
    def is_plain(self) -> bool:
        return self == Frame()

    @property
    def is_window(self) -> bool:
        return self.window is not None or self.to_date is not None

    def of(self, metric: Cumulative) -> Frame:
        """The frame of what a cumulative metric accumulates."""
        return replace(self, window=metric.window, to_date=metric.grain_to_date, twice=self.is_window)


def frames_of(field: MetricField) -> tuple[Frame, ...]:
    """The frames a field reads: a change needs the value now (first) and the one before."""
    frame = Frame(field.rolling, field.to_date, field.offset)
    if field.rolling is not None and field.to_date is not None:
        raise Refused(Code.BAD_ARGUMENT)
    if field.comparison is Comparison.VALUE:
        return (frame,)
    if field.offset is None:
        raise Refused(Code.BAD_ARGUMENT)
    return (replace(frame, offset=None), frame)


def leaves(model: Model, metric: Metric, frame: Frame) -> Iterator[tuple[Simple, Frame]]:
    """Every simple metric inside a metric, and the frame of its rows."""
    match metric:
        case Simple():
            yield metric, frame
        case Ratio():
            yield from leaves(model, model.metrics[metric.numerator], frame)
            yield from leaves(model, model.metrics[metric.denominator], frame)
        case Derived():
            for ref in metric.expr.refs:
                yield from leaves(model, model.metrics[ref.name], frame)
        case Cumulative():
            yield from leaves(model, model.metrics[metric.metric], frame.of(metric))
        case _:
            raise Unspecified(f"a metric of type {type(metric).__name__}")

"""The call of the funnel kernel: what an event is, and what an attempt is, as numbers."""

from __future__ import annotations

from datetime import datetime

from semantic.model.sequence import FunnelOrder
from semantic.plan.node import Match
from semantic.plan.spec import MatchSpec
from semantic.sql.dialect import Dialect
from semantic.sql.expression import Columns
from semantic.sql.fragment import Fragment, build
from semantic.sql.packing import FUNNEL, FUNNEL_NARROW, RECORD_HEAD, micros_of

ENDLESS = 1 << 61
"""A window that has no end, in microseconds."""

_NARROW_BITS = 62
_ORDERS = {FunnelOrder.ORDERED: 0, FunnelOrder.STRICT: 1, FunnelOrder.ANY: 2}
_NONE = Fragment("0")


def matched(plan: Match, columns: Columns, dialect: Dialect) -> Fragment:
    """The records of each group of events."""
    spec = plan.spec
    time, mask = columns["time"], columns["mask"]
    numbers = dialect.numbers(_numbers(spec))
    if _is_narrow(spec):
        assert spec.since is not None
        packed = dialect.pack_narrow(time, mask, spec.since, spec.bits)
        return build(f"{FUNNEL_NARROW}({{}}, {{}})", dialect.collect(packed), numbers)
    period = columns["period"] if spec.periods else _NONE
    code = columns["code"] if spec.codes else _NONE
    packed = dialect.pack_wide(time, mask, period, code)
    return build(f"{FUNNEL}({{}}, {{}})", dialect.collect(packed), numbers)


def record_column(plan: Match, record: Fragment, place: int, dialect: Dialect) -> Fragment:
    """One number of a record, from 1; times of narrow events count from `since` and are put back."""
    number = dialect.item(record, place)
    since = plan.spec.since
    if place <= RECORD_HEAD or since is None or not _is_narrow(plan.spec):
        return number
    return build(f"{{}} + ({micros_of(since)})", number)


def _is_narrow(spec: MatchSpec) -> bool:
    """Whether time and mask fit one word: no code, no period, and no more than some decades of data."""
    if spec.codes or spec.periods or spec.since is None:
        return False
    micros = int((datetime(2100, 1, 1) - spec.since).total_seconds()) * 1_000_000
    return micros > 0 and micros.bit_length() + spec.bits <= _NARROW_BITS


def _numbers(spec: MatchSpec) -> tuple[int, ...]:
    window = ENDLESS if spec.window is None else min(spec.window, ENDLESS)
    passive = -1 if spec.passive is None else spec.passive
    head = (
        spec.steps,
        window,
        _ORDERS[spec.order],
        int(spec.first),
        int(spec.periods),
        int(spec.codes),
        int(spec.times),
        passive,
        spec.bits,
    )
    rules = (
        number for rule in spec.exclusions for number in (rule.bit, rule.from_step, rule.to_step, int(rule.removes))
    )
    return (*head, *rules)

"""The call of the funnel kernel: what an event is, and what an attempt is, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semantic.model.sequence import FunnelOrder
from semantic.plan.node import Match
from semantic.plan.spec import MatchSpec
from semantic.sql.dialect import Dialect
from semantic.sql.expression import Columns
from semantic.sql.fragment import Fragment, build, nest
from semantic.sql.packing import (
    CODE_BITS,
    FUNNEL,
    FUNNEL_HELD,
    FUNNEL_MANY,
    FUNNEL_NARROW,
    NARROW_BITS,
    PERIOD_BITS,
    RECORD_HEAD,
    micros_of,
)

ENDLESS = 1 << 61
"""A window that has no end, in microseconds."""

_ORDERS = {FunnelOrder.ORDERED: 0, FunnelOrder.STRICT: 1, FunnelOrder.ANY: 2}
_NONE = Fragment("0")


@dataclass(frozen=True, slots=True)
class Groups:
    """How events are collected: what they are grouped by, and each group's records. `own`: a record begins with its
    entity, the only key.
    """

    keys: Mapping[str, Fragment]
    records: Fragment
    own: bool = False


def grouped(plan: Match, columns: Columns, dialect: Dialect) -> Groups:
    """Events as numbers, in lists, put to the kernel."""
    spec = plan.spec
    keys = {name: columns[name] for name in plan.keys}
    time, mask = columns["time"], columns["mask"]
    numbers = dialect.numbers(_numbers(spec))
    period = columns["period"] if spec.periods else _NONE
    code = columns["code"] if spec.codes else _NONE
    if spec.held:
        wide = dialect.collect(dialect.pack_wide(time, mask, period, code, spec.bits))
        return Groups(keys, build(f"{FUNNEL_HELD}({{}}, {{}}, {{}})", wide, dialect.collect(columns["held"]), numbers))
    if _free_bits(spec) >= 0:
        assert spec.since is not None
        room = _room(spec)
        tagged = _tagged(spec, code, mask, room)
        event = dialect.pack_narrow(time, tagged, spec.since, spec.bits + room)
        shared = dialect.shared_list(keys[plan.keys[0]], event, spec.events) if spec.longs else None
        if shared is not None:
            group, owned = shared
            labels = _labels(spec, period, code, room, dialect)
            call = build(f"{FUNNEL_MANY}({{}}, {{}}, {{}})", dialect.collect(owned), labels, numbers)
            return Groups({"group#": group}, call, own=True)
        if _is_narrow(spec):
            return Groups(keys, build(f"{FUNNEL_NARROW}({{}}, {{}})", dialect.collect(event), numbers))
    packed = dialect.pack_wide(time, mask, period, code, spec.bits)
    return Groups(keys, build(f"{FUNNEL}({{}}, {{}})", dialect.collect(packed), numbers))


def _tagged(spec: MatchSpec, code: Fragment, mask: Fragment, room: int) -> Fragment:
    """A mask below its code, or below all ones where that is too large for its room."""
    if not room:
        return mask
    short = nest(code) if _have_room(spec, room) else build(f"least({{}}, {(1 << room) - 1})", code)
    return build(f"{{}} * {1 << spec.bits} + {{}}", short, nest(mask))


def _have_room(spec: MatchSpec, room: int) -> bool:
    """Whether no code is too large."""
    return spec.largest is not None and spec.largest < (1 << room) - 1


def _labels(spec: MatchSpec, period: Fragment, code: Fragment, room: int, dialect: Dialect) -> Fragment:
    """The list of the labels that don't stand in their events; never null, of which no function is told."""
    none = dialect.numbers(())
    if (not spec.periods and not spec.codes) or (room and _have_room(spec, room)):
        return none
    every = dialect.collect(build(f"{{}} * {1 << PERIOD_BITS} + {{}}", nest(code), nest(period)))
    if not room:
        return every
    return build(f"coalesce({{}} FILTER (WHERE {{}} >= {(1 << room) - 1}), {{}})", every, code, none)


def _room(spec: MatchSpec) -> int:
    """Bits for a code in an event that shares its list; 0 when all labels stand beside."""
    return min(_free_bits(spec), CODE_BITS) if spec.longs and spec.codes and not spec.periods else 0


def record_columns(plan: Match, groups: Groups, record: Fragment, dialect: Dialect) -> dict[str, Fragment]:
    """The numbers of a record by name; times that count from `since` are put back."""
    spec = plan.spec
    names = plan.output if groups.own else plan.output[len(plan.keys) :]
    head = RECORD_HEAD + len(names) - len(plan.output[len(plan.keys) :])
    found = {}
    for place, name in enumerate(names, start=1):
        number = dialect.item(record, place)
        if place > head and spec.since is not None and (groups.own or _is_narrow(spec)):
            number = build(f"{{}} + ({micros_of(spec.since)})", number)
        found[name] = number
    return found


def _is_narrow(spec: MatchSpec) -> bool:
    """Whether an event is one word: no code and no period beside what fits it."""
    return not spec.codes and not spec.periods and not spec.held and _free_bits(spec) >= 0


def _free_bits(spec: MatchSpec) -> int:
    """Bits that time and mask leave free in a word; below 0: they don't fit it."""
    if spec.since is None or spec.until is None or spec.until < spec.since:
        return -1
    return NARROW_BITS - (micros_of(spec.until) - micros_of(spec.since)).bit_length() - spec.bits


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
        _room(spec) if _free_bits(spec) >= 0 else 0,
    )
    rules = (
        number for rule in spec.exclusions for number in (rule.bit, rule.from_step, rule.to_step, int(rule.removes))
    )
    return (*head, *rules)

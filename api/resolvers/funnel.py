"""The root field `funnel`, and the parts of its answer."""

from __future__ import annotations

import time

from api.resolvers.context import Context
from api.resolvers.funnels import funnel_questions
from api.resolvers.reports import Report, answer_report, meta
from api.resolvers.selection import Info, selected
from api.schema.funnel import FunnelResolvers
from api.schema.language import choose, locales_of
from semantic.errors import Code, QueryError
from semantic.query.bound import BoundFunnel
from semantic.report import funnel as report
from semantic.report.group import Row


async def funnel(root: None, info: Info, **_arguments: object) -> Report:
    """Answer everything selected below `funnel`."""
    started = time.perf_counter()
    context = info.context
    return await answer_report(context, funnel_questions(context, selected(info.core)), started)


def steps(root: Report, info: Info) -> tuple[report.FunnelStep, ...]:
    """`steps`, under its response key. Their rows may be those of the groups."""
    part = root.part(info.key, BoundFunnel)
    assert part is not None
    bound, rows = part
    return report.funnel_steps(bound, report.whole(bound, rows), _locale(root.context))


def groups(root: Report, info: Info) -> tuple[report.FunnelGroup, ...]:
    """`groups`: none without a breakdown. LIMIT_EXCEEDED when there are too many."""
    part = root.part(info.key, BoundFunnel)
    if part is None:
        return ()
    _check_size(root.context, *part)
    return report.funnel_groups(*part, _locale(root.context))


def periods(root: Report, info: Info) -> tuple[report.FunnelPeriod, ...]:
    """`periods`: none without a grain. LIMIT_EXCEEDED when there are too many."""
    part = root.part(info.key, BoundFunnel)
    if part is None:
        return ()
    _check_size(root.context, *part)
    return report.funnel_periods(*part, _locale(root.context))


def _locale(context: Context) -> str | None:
    """The language of labels."""
    return choose(context.locale, locales_of(context.model))


def _check_size(context: Context, bound: BoundFunnel, rows: list[Row]) -> None:
    steps = len(rows) * len(bound.funnel.steps)
    if steps > context.max_rows:
        raise QueryError(
            Code.LIMIT_EXCEEDED,
            f"There are {steps} steps in {len(rows)} funnels: more than {context.max_rows}, the most that are served "
            "at once.",
            "Filter, or split by fewer values or a coarser grain.",
        )


def time_to_convert(root: Report, info: Info, **_arguments: object) -> tuple[report.TimeBucket, ...]:
    """`timeToConvert`, under its response key."""
    part = root.part(info.key, BoundFunnel)
    assert part is not None
    return report.time_buckets(*part)


def drop_offs(root: Report, info: Info, **_arguments: object) -> tuple[report.DropOff, ...]:
    """`dropOffs`, under its response key. FORBIDDEN for viewers who may not see entities."""
    part = root.part(info.key, BoundFunnel)
    if part is None:
        raise QueryError(Code.FORBIDDEN, "You may not see who the entities are.", "Ask for `steps`, which counts them.")
    return report.drop_offs(*part)


RESOLVERS = FunnelResolvers(
    funnel=funnel,
    steps=steps,
    groups=groups,
    periods=periods,
    time_to_convert=time_to_convert,
    drop_offs=drop_offs,
    meta=meta,
)
"""How `funnel` and its fields are answered."""

"""Arguments and selection set of `funnel` → questions about a funnel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from api.resolvers import arguments
from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.selection import Selected
from semantic.errors import Code, QueryError
from semantic.model.sequence import FunnelEntry, FunnelOrder
from semantic.query.funnel import AdHocFunnel, AdHocStep, FunnelQuery, FunnelReport
from semantic.time import zone

Given = Mapping[str, Any]

_TIMES = {"averageSeconds", "medianSeconds"}


def funnel_questions(context: Context, asked: Selected) -> dict[str, Question]:
    """The questions of the root field, by the response keys that need one. BAD_ARGUMENT when none or two are meant."""
    given = asked.arguments
    base = _base(context, given)
    found: dict[str, Question] = {}
    for child in asked.children:
        question = _question(context, base, given, child)
        if question is not None:
            found[child.key] = question
    return _fewer(asked, found)


def _fewer(asked: Selected, found: dict[str, Question]) -> dict[str, Question]:
    """Counts of the whole are the sums of the groups' (semantics.md §1): where those are asked for, they are enough."""
    split = next((found[child.key] for child in asked.children if child.name == "groups" and child.key in found), None)
    if split is None:
        return found
    counted = {child.key for child in asked.children if child.name == "steps" and not _wants_times([child])}
    return {key: split if key in counted else question for key, question in found.items()}


def _base(context: Context, given: Given) -> FunnelQuery:
    """Everything that the questions have in common."""
    timezone = given.get("timezone")
    tz = zone(context.model.timezone if timezone is None else timezone)
    window, same_day = arguments.duration(given.get("window")), bool(given.get("sameDay"))
    return FunnelQuery(
        funnel=_which(context, given, tz),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=timezone,
        where=arguments.condition(context.names, given.get("where"), tz),
        segments=arguments.enum_values(given.get("segments")),
        window=window,
        same_day=same_day,
    )


def _which(context: Context, given: Given, tz: ZoneInfo) -> str | AdHocFunnel:
    name, steps = given.get("name"), given.get("steps")
    own = [argument for argument in ("entity", "order", "entry") if given.get(argument) is not None]
    if (name is None) == (steps is None):
        said = "neither is" if name is None else "both are"
        raise QueryError(
            Code.BAD_ARGUMENT,
            f"A funnel is one of the model's, by `name`, or the query's own, by `steps`; {said} given.",
            "Give exactly one of `name` and `steps`.",
        )
    if name is not None:
        if own:
            raise QueryError(
                Code.BAD_ARGUMENT,
                f"`{own[0]}` is for funnels given by `steps`; the model says it of `{name.name}`.",
                f"Leave `{own[0]}` out.",
            )
        return str(name.value)
    return _own(context, steps or (), given, tz)


def _own(context: Context, steps: Sequence[Given], given: Given, tz: ZoneInfo) -> AdHocFunnel:
    window, order, entry = arguments.duration(given.get("window")), given.get("order"), given.get("entry")
    if window is None and not given.get("sameDay"):
        raise QueryError(
            Code.BAD_ARGUMENT,
            "A funnel given by `steps` needs a window.",
            "Give `window: {count: 7, unit: DAY}`, or `sameDay: true`.",
        )
    return AdHocFunnel(
        steps=tuple(
            AdHocStep(
                name=step["name"],
                where=arguments.condition(context.names, step.get("where"), tz),
                dataset=arguments.enum_value(step.get("dataset")),
            )
            for step in steps
        ),
        window=window,
        entity=arguments.enum_value(given.get("entity")),
        order=FunnelOrder.ORDERED if order is None else FunnelOrder(order.value),
        entry=FunnelEntry.ANY if entry is None else FunnelEntry(entry.value),
    )


def _question(context: Context, base: FunnelQuery, given: Given, child: Selected) -> FunnelQuery | None:
    """What a field of `Funnel` needs to know; None when it needs nothing, or when it will be refused."""
    own = child.arguments
    match child.name:
        case "steps":
            return replace(base, times=_wants_times([child]))
        case "groups":
            breakdown = arguments.enum_values(given.get("breakdown"))
            return replace(base, breakdown=breakdown, times=_wants_times(child.children)) if breakdown else None
        case "periods":
            grain = arguments.grain(given.get("grain"))
            return replace(base, grain=grain, times=_wants_times(child.children)) if grain else None
        case "timeToConvert":
            buckets = 24 if own["buckets"] is None else own["buckets"]
            return replace(base, report=FunnelReport.HISTOGRAM, buckets=buckets, step=own.get("step"))
        case "dropOffs" if context.may_see_entities:
            limit, offset = 100 if own["limit"] is None else own["limit"], own["offset"] or 0
            report = FunnelReport.DROP_OFFS
            return replace(base, report=report, step=own["step"], limit=limit, offset=offset)
        case _:
            return None


def _wants_times(asked: Sequence[Selected]) -> bool:
    """Whether any of these fields is of steps, and of how long they took."""
    return any(leaf.name in _TIMES for child in asked if child.name == "steps" for leaf in child.children)

"""Bind a question about a funnel: names → definitions, dates absolute, everything refused that has no right answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.model.reach import reachable
from semantic.model.sequence import Funnel, Step
from semantic.query.bind import condition_dimensions, days_with_data, dimension_key, least_through, with_related
from semantic.query.bound import BoundFunnel
from semantic.query.funnel import AdHocFunnel, AdHocStep, FunnelQuery
from semantic.query.notice import incomplete
from semantic.query.period import resolve
from semantic.query.query import Condition, DimensionField
from semantic.time import Duration, Grain, zone

MAX_STEPS = 12
MAX_BUCKETS = 1000
MAX_ENTITIES = 10_000
MAX_WINDOW_DAYS = 36_525


def funnel_datasets(model: Model, query: FunnelQuery) -> tuple[str, ...]:
    """The datasets whose facts the question needs, sorted. QueryError for unknown names."""
    funnel, _ = _definition(model, query)
    needed: dict[str, None] = {}
    for dataset in funnel.datasets:
        with_related(model, dataset, needed)
    return tuple(sorted(needed))


def bind_funnel(model: Model, query: FunnelQuery, facts: Facts) -> BoundFunnel:
    """The question with every name resolved and every date absolute."""
    _check_numbers(query)
    funnel, filters = _definition(model, query)
    tz = zone(query.timezone or model.timezone)
    entries = funnel.entry_datasets
    for name in (*query.breakdown, *condition_dimensions(query.where)):
        _check_splits(model, funnel, entries, name)
    through = least_through(model, funnel.datasets, facts)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    _check_grain(model, facts, query.grain, entries)
    _check_segments(model, query.segments, entries)
    days = days_with_data(((name, model.datasets[name].time_dimension) for name in entries), facts, tz)
    step = query.step if query.step is not None else len(funnel.steps)
    if not 1 <= step <= len(funnel.steps):
        raise QueryError(Code.BAD_ARGUMENT, f"`step` must be 1 to {len(funnel.steps)}.")
    fields = (DimensionField(f"by{place}", name) for place, name in enumerate(query.breakdown))
    return BoundFunnel(
        model=model,
        facts=facts,
        funnel=funnel,
        filters=filters,
        report=query.report,
        zone=tz,
        week_start=model.week_start,
        span=span,
        days=days,
        data_through=through,
        where=query.where,
        segments=query.segments,
        dimensions=tuple(dimension_key(model, field, entries, facts) for field in fields),
        grain=query.grain,
        times=query.times,
        step=step,
        buckets=query.buckets,
        limit=query.limit,
        offset=query.offset,
        warnings=tuple(incomplete(span, days, through)),
    )


def _definition(model: Model, query: FunnelQuery) -> tuple[Funnel, tuple[Condition | None, ...]]:
    """The funnel, named or given, with the window that the question asks for, and the filters of given steps."""
    filters: tuple[Condition | None, ...] = ()
    if isinstance(query.funnel, str):
        found = model.funnels.get(query.funnel)
        if found is None:
            near = did_you_mean(query.funnel, model.funnels)
            raise QueryError(Code.UNKNOWN_NAME, f'There is no funnel "{query.funnel}".', near)
        funnel = found
    else:
        funnel = _given(model, query.funnel)
        filters = tuple(step.where for step in query.funnel.steps)
    if query.window is not None or query.same_day:
        funnel = replace(funnel, window=query.window)
    return funnel, filters


def _given(model: Model, asked: AdHocFunnel) -> Funnel:
    """A funnel the query defines, with its datasets and entity found. BAD_ARGUMENT."""
    if not 2 <= len(asked.steps) <= MAX_STEPS:
        raise QueryError(Code.BAD_ARGUMENT, f"A funnel needs 2 to {MAX_STEPS} steps; {len(asked.steps)} are given.")
    names = [step.name for step in asked.steps]
    if len(set(names)) != len(names):
        raise QueryError(Code.BAD_ARGUMENT, "Two steps have the same name.", "Give each step a name of its own.")
    steps = tuple(Step(step.name, _dataset_of(model, asked, step)) for step in asked.steps)
    entities = [dict(model.datasets[step.dataset].entities) for step in steps]
    shared = [entity for entity in entities[0] if all(entity in other for other in entities)]
    entity = asked.entity or next(iter(shared), "")
    if entity not in shared:
        options = ", ".join(shared) or "none"
        raise QueryError(Code.BAD_ARGUMENT, f"The steps' datasets share these entities: {options}; not {entity!r}.")
    return Funnel(
        name="",
        entity=entity,
        dataset=steps[0].dataset,
        steps=steps,
        window=asked.window,
        order=asked.order,
        entry=asked.entry,
    )


def _dataset_of(model: Model, asked: AdHocFunnel, step: AdHocStep) -> str:
    """Where a given step's events are: the dataset it names, or the first that can hold such a step."""
    needed = set(condition_dimensions(step.where))
    able = [
        name
        for name, dataset in model.datasets.items()
        if dataset.time_dimension
        and (dataset.entity_column(asked.entity) if asked.entity else dataset.entities)
        and needed <= set(reachable(model, name))
    ]
    if step.dataset is not None and step.dataset not in model.datasets:
        near = did_you_mean(step.dataset, model.datasets)
        raise QueryError(Code.UNKNOWN_NAME, f'There is no dataset "{step.dataset}".', near)
    chosen = step.dataset if step.dataset is not None else next(iter(able), None)
    if chosen is None or chosen not in able:
        what = f'Dataset "{step.dataset}"' if step.dataset else "No dataset"
        verb = "lacks" if step.dataset else "has"
        raise QueryError(
            Code.BAD_ARGUMENT,
            f'{what} {verb} what step "{step.name}" needs: a time dimension, the entity, and {_listed(needed)}.',
        )
    return chosen


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names)) or "no dimension"


def _check_numbers(query: FunnelQuery) -> None:
    if not 1 <= query.buckets <= MAX_BUCKETS:
        raise QueryError(Code.BAD_ARGUMENT, f"`buckets` must be 1 to {MAX_BUCKETS}.")
    if not 1 <= query.limit <= MAX_ENTITIES or query.offset < 0:
        raise QueryError(Code.BAD_ARGUMENT, f"`limit` must be 1 to {MAX_ENTITIES}, `offset` not negative.")
    if len(set(query.breakdown)) != len(query.breakdown):
        raise QueryError(Code.BAD_ARGUMENT, "`breakdown` names a dimension twice.")
    if query.window is not None and query.same_day:
        raise QueryError(Code.BAD_ARGUMENT, "`window` and `sameDay` exclude each other.", "Give one of them.")
    _check_window(query.window)
    _check_window(None if isinstance(query.funnel, str) else query.funnel.window)


def _check_window(window: Duration | None) -> None:
    if window is None:
        return
    if window.seconds is None:
        raise QueryError(Code.BAD_ARGUMENT, f"`window`: {window} has no fixed length.", "Use weeks or shorter units.")
    if not 1 <= window.seconds <= MAX_WINDOW_DAYS * 86_400:
        raise QueryError(Code.BAD_ARGUMENT, f"`window` must be 1 second to {MAX_WINDOW_DAYS} days.")


def _check_splits(model: Model, funnel: Funnel, entries: Iterable[str], name: str) -> None:
    for dataset in entries:
        known = reachable(model, dataset)
        if name not in known:
            shown = model.shown(known)
            title = f'Funnel "{funnel.name}"' if funnel.name else "The funnel"
            raise QueryError(
                Code.DIMENSION_NOT_SHARED,
                f'{title} can\'t be split or filtered by "{name}": its entries are rows of "{dataset}". '
                f"It can be by: {', '.join(shown) or 'nothing'}.",
                did_you_mean(name, shown),
            )


def _check_grain(model: Model, facts: Facts, grain: Grain | None, entries: Iterable[str]) -> None:
    if grain is None:
        return
    if grain is Grain.MINUTE:
        raise QueryError(Code.GRAIN_NOT_POSSIBLE, "A funnel's trend can't be by MINUTE.", "Use HOUR or coarser.")
    for name in entries:
        column = model.datasets[name].time_dimension or ""
        if grain.is_clock and facts.datasets[name].columns.get(column) is Kind.DATE:
            raise QueryError(
                Code.GRAIN_NOT_POSSIBLE, f'"{name}" has days only: no trend by {grain.name}.', "Use DAY or coarser."
            )


def _check_segments(model: Model, segments: Iterable[str], entries: Iterable[str]) -> None:
    for name in entries:
        known = {segment.name for segment in model.datasets[name].segments}
        for segment in segments:
            if segment not in known:
                raise QueryError(
                    Code.SEGMENT_NOT_SHARED,
                    f'Segment "{segment}" is not defined for dataset "{name}", whose rows enter the funnel.',
                    did_you_mean(segment, known),
                )

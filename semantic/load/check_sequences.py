"""Rules on funnels, retentions and attributions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from semantic.errors import Code, Problem
from semantic.load.check_dimensions import is_whole, reached
from semantic.load.check_steps import check_step_order
from semantic.load.suggest import near
from semantic.model.model import Model
from semantic.model.places import Path
from semantic.model.sequence import Clock, Exclude, Funnel, FunnelOrder
from semantic.time import Grain

MOST = 19
"""Steps and exclusions of one funnel."""


def check_entities(model: Model) -> Iterator[Problem]:
    """The entity is known in every dataset whose events are followed."""
    for funnel in model.funnels.values():
        at = ("funnels", funnel.name, "entity")
        yield from check_entity(model, at, funnel.entity, funnel.datasets)
    for retention in model.retentions.values():
        at = ("retentions", retention.name, "entity")
        datasets = [retention.cohort.dataset, retention.returns.dataset]
        yield from check_entity(model, at, retention.entity, datasets)
    for attribution in model.attributions.values():
        at = ("attributions", attribution.name, "entity")
        datasets = [attribution.conversion.dataset, attribution.touch.dataset]
        yield from check_entity(model, at, attribution.entity, datasets)


def check_entity(model: Model, at: Path, entity: str, datasets: Iterable[str]) -> Iterator[Problem]:
    """The datasets have the entity; `at` is what names it."""
    for name in dict.fromkeys(datasets):
        known = model.places.names("datasets", name, "entities")
        if entity not in known:
            message = f'The dataset "{name}" has no entity "{entity}".'
            yield Problem(Code.UNKNOWN_REFERENCE, message, model.places.at(*at), near(entity, known))


def check_held(model: Model) -> Iterator[Problem]:
    """A held dimension is one of every step."""
    for funnel in model.funnels.values():
        for name in funnel.hold:
            at = ("funnels", funnel.name, "hold", name)
            for dataset in dict.fromkeys(step.dataset for step in funnel.steps):
                yield from check_dimension(model, at, name, dataset)


def check_dimension(model: Model, at: Path, name: str, dataset: str) -> Iterator[Problem]:
    """The name is a dimension that rows of the dataset can be split by."""
    known = [dimension.name for dimension in reached(model, dataset)]
    is_written = ("datasets", dataset, "dimensions", name) in model.places
    if name not in known and not is_written and is_whole(model):
        message = f'The dataset "{dataset}" has no dimension "{name}".'
        yield Problem(Code.UNKNOWN_REFERENCE, message, model.places.at(*at), near(name, known))


def check_exclusions(model: Model) -> Iterator[Problem]:
    """An exclusion lies between two steps of its funnel, in their order; in any order, the first and the last."""
    for funnel in model.funnels.values():
        for index, exclude in enumerate(funnel.exclude, start=1):
            at = ("funnels", funnel.name, "exclude", str(index))
            problems = list(check_step_order(model, at, funnel, exclude.from_step, exclude.to_step))
            if funnel.order is FunnelOrder.ANY and not problems:
                problems += _check_whole(model, at, funnel, exclude)
            yield from problems


def _check_whole(model: Model, at: Path, funnel: Funnel, exclude: Exclude) -> Iterator[Problem]:
    """What comes in any order has a beginning and an end, but nothing between two steps."""
    first, last = funnel.steps[0].name, funnel.steps[-1].name
    for key, step, wanted in (("from", exclude.from_step, first), ("to", exclude.to_step, last)):
        if step != wanted:
            yield Problem(
                Code.BAD_VALUE,
                f'"{step}" comes at no certain place in a funnel of any order: an exclusion is of the whole attempt.',
                model.places.at(*at, key),
                f"Write from: {first}, to: {last}.",
            )


def check_sizes(model: Model) -> Iterator[Problem]:
    """The steps and exclusions of a funnel fit one word of the kernel."""
    for funnel in model.funnels.values():
        count = len(funnel.steps) + len(funnel.exclude)
        if count > MOST:
            at = model.places.at("funnels", funnel.name, "steps")
            message = f"The funnel has {count} steps and exclusions; at most {MOST} are possible together."
            yield Problem(Code.BAD_VALUE, message, at)


def check_brackets(model: Model) -> Iterator[Problem]:
    """Brackets rise and don't overlap."""
    for retention in model.retentions.values():
        for index, (before, after) in enumerate(pairwise(retention.brackets), start=2):
            if after[0] <= before[1]:
                message = f"The bracket {list(after)} begins before {list(before)} has ended."
                at = model.places.at("retentions", retention.name, "brackets", str(index))
                yield Problem(Code.BAD_VALUE, message, at)


def check_clocks(model: Model) -> Iterator[Problem]:
    """Elapsed time has no months."""
    for retention in model.retentions.values():
        if retention.clock is Clock.ELAPSED and retention.grain is Grain.MONTH:
            at = model.places.at("retentions", retention.name, "grain")
            message = "A month has no fixed length, so it can't be counted by the elapsed clock."
            yield Problem(Code.BAD_VALUE, message, at, "Use day or week, or clock: calendar.")


MAX_LOOKBACK_DAYS = 3_660
"""Ten years: what a touch is worth by time_decay must not vanish in a float."""


def check_touches(model: Model) -> Iterator[Problem]:
    """Credit is split by dimensions of the touch."""
    for attribution in model.attributions.values():
        for name in attribution.touch_dimensions:
            at = ("attributions", attribution.name, "touch", "dimensions", name)
            yield from check_dimension(model, at, name, attribution.touch.dataset)
        if (attribution.lookback.seconds or 0) > MAX_LOOKBACK_DAYS * 86_400:
            at_key = model.places.at("attributions", attribution.name, "lookback")
            message = f"A lookback is at most {MAX_LOOKBACK_DAYS:,} days, not {attribution.lookback}."
            yield Problem(Code.BAD_VALUE, message, at_key)

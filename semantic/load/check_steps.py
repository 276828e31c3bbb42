"""The rule on two steps of a funnel that something lies between."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.load.suggest import near
from semantic.model.model import Model
from semantic.model.places import Path
from semantic.model.sequence import Funnel


def check_step_order(model: Model, at: Path, funnel: Funnel, from_step: str, to_step: str) -> Iterator[Problem]:
    """Both are steps of the funnel, and `to` comes after `from`; `at` is what has these two keys."""
    steps = [step.name for step in funnel.steps]
    written = model.places.names("funnels", funnel.name, "steps")
    for key, step in (("from", from_step), ("to", to_step)):
        if step not in written:
            message = f'The funnel "{funnel.name}" has no step "{step}".'
            yield Problem(Code.UNKNOWN_REFERENCE, message, model.places.at(*at, key), near(step, steps))
    if {from_step, to_step} <= set(steps) and steps.index(from_step) >= steps.index(to_step):
        message = f'The step "{to_step}" does not come after "{from_step}".'
        yield Problem(Code.BAD_VALUE, message, model.places.at(*at, "to"))

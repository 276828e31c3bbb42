"""What a model as a whole must hold: references first, then every rule over what is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from semantic.errors import Problem
from semantic.load.check_dimensions import check_defaults, check_paths, check_relationships, check_vocabulary
from semantic.load.check_expressions import check_dimension_cycles, check_relationship_paths
from semantic.load.check_firsts import check_firsts
from semantic.load.check_identities import check_computed, check_identities
from semantic.load.check_metrics import (
    check_conversions,
    check_derived,
    check_mature,
    check_paybacks,
    check_periods,
    check_time,
    check_towers,
)
from semantic.load.check_money import check_currencies
from semantic.load.check_names import check_row_fields
from semantic.load.check_policies import check_hidden, check_protected, check_rollups
from semantic.load.check_scores import check_scored, check_scores
from semantic.load.check_sequences import (
    check_brackets,
    check_clocks,
    check_entities,
    check_exclusions,
    check_held,
    check_sizes,
    check_touches,
)
from semantic.load.log import Reference
from semantic.load.references import cycles, dangling, sound
from semantic.model.model import Model

Rule = Callable[[Model], Iterator[Problem]]

RULES: Final[tuple[Rule, ...]] = (
    check_relationships,
    check_paths,
    check_vocabulary,
    check_defaults,
    check_row_fields,
    check_relationship_paths,
    check_dimension_cycles,
    check_computed,
    check_identities,
    check_currencies,
    check_derived,
    check_towers,
    check_time,
    check_conversions,
    check_periods,
    check_mature,
    check_paybacks,
    check_entities,
    check_held,
    check_exclusions,
    check_sizes,
    check_brackets,
    check_clocks,
    check_touches,
    check_scores,
    check_scored,
    check_firsts,
    check_rollups,
    check_hidden,
    check_protected,
)


def check(model: Model, references: Iterable[Reference]) -> list[Problem]:
    """Every problem of a model that was read. What rests on something broken, reported already, is passed over."""
    references = list(references)
    problems = list(dangling(references, model.places))
    round_trips = list(cycles(references, model.places))
    problems += [problem for _, problem in round_trips]
    whole = sound(model, references, [("metrics", name) for cycle, _ in round_trips for name in cycle])
    for rule in RULES:
        problems += rule(whole)
    return problems

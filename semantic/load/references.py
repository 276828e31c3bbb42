"""Who names whom: what is named but not there, metrics that go round, and the sound rest of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from semantic.errors import Code, Problem
from semantic.load.format import SECTIONS
from semantic.load.log import Reference
from semantic.load.suggest import near
from semantic.model.model import Model
from semantic.model.places import Path, Places


def dangling(references: Iterable[Reference], places: Places) -> Iterator[Problem]:
    """References to what no file defines."""
    for reference in references:
        if not any((section, reference.name) in places for section in reference.sections):
            what = " and no ".join(section.removesuffix("s") for section in reference.sections)
            message = f'There is no {what} "{reference.name}".'
            known = (name for section in reference.sections for name in places.names(section))
            suggestion = near(reference.name, tuple(known))
            yield Problem(Code.UNKNOWN_REFERENCE, message, reference.at, suggestion)


def cycles(references: Iterable[Reference], places: Places) -> Iterator[tuple[tuple[str, ...], Problem]]:
    """Metrics that are computed from themselves: each cycle once, by its names."""
    targets: dict[str, list[str]] = {}
    for reference in references:
        if reference.section == "metrics" and reference.owner[:1] == ("metrics",):
            targets.setdefault(reference.owner[1], []).append(reference.name)
    done: set[str] = set()
    for start in targets:
        for cycle in _cycles_from(start, targets, done):
            way = " → ".join((*cycle, cycle[0]))
            message = f"These metrics are computed from each other: {way}."
            if len(cycle) == 1:
                message = f'The metric "{cycle[0]}" is computed from itself.'
            yield cycle, Problem(Code.CYCLIC_METRIC, message, places.at("metrics", cycle[0]))


def _cycles_from(start: str, targets: Mapping[str, list[str]], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Depth first, without recursion: a name met again on the way there closes a cycle."""
    way: list[str] = []
    stack: list[tuple[str, bool]] = [(start, True)]
    while stack:
        name, enters = stack.pop()
        if not enters:
            way.pop()
            done.add(name)
        elif name in way:
            yield tuple(way[way.index(name) :])
        elif name not in done:
            way.append(name)
            stack.append((name, False))
            stack.extend((target, True) for target in reversed(targets.get(name, [])))


def sound(model: Model, references: Iterable[Reference], bad: Iterable[Path]) -> Model:
    """The model without `bad` items and without everything that names, by however many steps, what is not in it."""
    written = model.places
    kept: dict[str, dict[str, Any]] = {section: dict(getattr(model, section)) for section in SECTIONS}
    for section, name in bad:
        kept[section].pop(name, None)
    pending = list(references)
    while True:
        broken = [
            r
            for r in pending
            if r.owner[1] in kept[r.owner[0]]
            and not any(r.name in kept[section] and (section, r.name) in written for section in r.sections)
        ]
        if not broken:
            sections: Any = {section: MappingProxyType(items) for section, items in kept.items()}
            return replace(model, **sections)
        for reference in broken:
            kept[reference.owner[0]].pop(reference.owner[1], None)

"""Journeys by looping over the events of one entity after the other, from docs/numbers.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

Name = str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something somebody did. `anchor`: whether it passes `from` or `to`."""

    who: str | None
    at: datetime
    name: Name
    anchor: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of a question. `start`, `end`: of the time range, the end excluded."""

    start: datetime
    end: datetime
    backward: bool
    steps: int
    within: timedelta
    gap: timedelta | None
    repeats: bool
    limit: int


def paths(events: Iterable[Event], asked: Asked) -> list[tuple[Name, ...]]:
    """The path of everybody who has one, from the anchor outwards."""
    people: dict[str, list[Event]] = {}
    for event in events:
        if event.who is not None:
            people.setdefault(event.who, []).append(event)
    found = (_path(own, asked) for own in people.values())
    return [path for path in found if path]


def _path(events: list[Event], asked: Asked) -> tuple[Name, ...]:
    ordered = sorted(events, key=lambda one: (one.at, one.name is None, one.name or ""))
    if asked.backward:
        ordered.reverse()
    anchors = [one for one in ordered if one.anchor and asked.start <= one.at < asked.end]
    if not anchors:
        return ()
    anchor = anchors[0]
    rest = [one for one in ordered if one is not anchor and not _is_nearer(one, anchor, ordered)]
    names, last = [anchor.name], anchor.at
    for event in rest:
        away, pause = abs(event.at - anchor.at), abs(event.at - last)
        if away > asked.within or (asked.gap is not None and pause > asked.gap):
            break
        last = event.at
        if asked.repeats or event.name != names[-1]:
            names.append(event.name)
    return tuple(names[: asked.steps + 1])


def _is_nearer(event: Event, anchor: Event, ordered: Sequence[Event]) -> bool:
    """Whether an event lies on the other side of the anchor. Of its equals the anchor is the first."""
    if (event.at, event.name) == (anchor.at, anchor.name):
        return False
    return ordered.index(event) < ordered.index(anchor)


def sequences(found: Sequence[tuple[Name, ...]], asked: Asked) -> list[tuple[tuple[Name, ...], int]]:
    """The most common paths, in order of time, with how many have each."""
    counts = Counter(found)
    ranked = sorted(counts, key=lambda path: (-counts[path], len(path), [(name is None, name or "") for name in path]))
    return [(path[::-1] if asked.backward else path, counts[path]) for path in ranked[: asked.limit]]


Node = tuple[int, Name, bool]


def flows(
    found: Sequence[tuple[Name, ...]], asked: Asked
) -> tuple[Mapping[Node, int], Mapping[Node, int], Mapping[tuple[Node, Node], int]]:
    """How many are at each node, end at it, and go from one to the next (in order of time)."""
    direction = -1 if asked.backward else 1
    at_step = [Counter(path[step] for path in found if len(path) > step) for step in range(asked.steps + 1)]
    common = [
        sorted(counts, key=lambda name: (-counts[name], name is None, name or ""))[: asked.limit] for counts in at_step
    ]

    def node(step: int, name: Name) -> Node:
        return (direction * step, name, False) if name in common[step] else (direction * step, None, True)

    here: Counter[Node] = Counter()
    ended: Counter[Node] = Counter()
    links: Counter[tuple[Node, Node]] = Counter()
    for path in found:
        nodes = [node(step, name) for step, name in enumerate(path)]
        here.update(nodes)
        if len(path) <= asked.steps:
            ended[nodes[-1]] += 1
        pairs = pairwise(nodes)
        links.update((later, earlier) if asked.backward else (earlier, later) for earlier, later in pairs)
    return here, ended, links

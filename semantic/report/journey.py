"""Journeys as a picture of flows: nodes, the links between them, and the most common whole paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semantic.query.bound import BoundJourney
from semantic.report.group import Row, share


@dataclass(frozen=True, slots=True)
class PathNode:
    """Entities whose event at a place of the path has a name. `step`: 0 is the anchor, negative before it. `other`: any
    of the names that have no node of their own. `drop_off`: whose path has no further event; None: too far away to say.
    """

    step: int
    name: str | None
    other: bool
    count: int
    drop_off: int | None


@dataclass(frozen=True, slots=True)
class PathLink:
    """Entities that go from one node to the next; `source` and `target` are places in the list of nodes, from 0."""

    source: int
    target: int
    count: int
    share: float | None


@dataclass(frozen=True, slots=True)
class PathSequence:
    """A whole path, in order of time, and how many entities have it."""

    names: tuple[str | None, ...]
    count: int
    share: float | None


_Place = tuple[int, str | None, bool]


def path_count(rows: Iterable[Row]) -> int:
    """The entities with an anchor."""
    return sum(row["count"] for row in rows if row["step"] == 0)


def path_nodes(bound: BoundJourney, rows: Sequence[Row]) -> tuple[PathNode, ...]:
    """The nodes, from the first step to the last, at each the most common first and what is left over last."""
    counts: Counter[_Place] = Counter()
    ended: Counter[_Place] = Counter()
    for row in rows:
        counts[_here(row)] += row["count"]
        ended[_here(row)] += row["count"] if row["ends"] else 0
    direction = -1 if bound.backward else 1
    return tuple(
        PathNode(direction * place[0], place[1], place[2], counts[place], _drop_off(bound, place, ended[place]))
        for place in sorted(counts, key=lambda place: (direction * place[0], *_rank(place, counts)))
    )


def _drop_off(bound: BoundJourney, place: _Place, ended: int) -> int | None:
    return ended if place[0] < bound.steps else None


def _rank(place: _Place, counts: Counter[_Place]) -> tuple[bool, int, bool, str]:
    _, name, other = place
    return other, -counts[place], name is None, name or ""


def _here(row: Row) -> _Place:
    return row["step"], row["name"], bool(row["other"])


def path_links(bound: BoundJourney, rows: Sequence[Row]) -> tuple[PathLink, ...]:
    """The links, in the order of their nodes."""
    nodes = path_nodes(bound, rows)
    places = {(abs(node.step), node.name, node.other): place for place, node in enumerate(nodes)}
    found = []
    for row in rows:
        if not row["ends"]:
            here, there = places[_here(row)], places[row["step"] + 1, row["next"], bool(row["next_other"])]
            source, target = (there, here) if bound.backward else (here, there)
            found.append(PathLink(source, target, row["count"], share(row["count"], nodes[source].count)))
    return tuple(sorted(found, key=lambda link: (link.source, link.target)))


def path_sequences(bound: BoundJourney, rows: Iterable[Row]) -> tuple[PathSequence, ...]:
    """The most common paths, most common first."""
    return tuple(_sequence(bound, row) for row in rows)


def _sequence(bound: BoundJourney, row: Row) -> PathSequence:
    names = tuple(row[f"name{step}"] for step in range(row["length"]))
    return PathSequence(names[::-1] if bound.backward else names, row["count"], share(row["count"], row["total"]))

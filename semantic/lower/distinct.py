"""Distinct counts over windows of days, by bits: what the join of window.py says, reading each row once.

    Rows ─▶ Aggregate by (value, dimensions): a word with one bit for each day ─▶ Aggregate by (word, dimensions): how
         many values ─▶ Join with every target ─▶ Filter to those of whose window a bit is set ─▶ Aggregate by target

Any number of windows share the words. A time range too long for one word is cut into pieces of targets, each with the
days that its windows reach back to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from semantic.lower.frames import Interval
from semantic.lower.rows import Named, Rows
from semantic.model.facts import Kind
from semantic.plan.expr import AnyOf, Binary, BitOf, Col, Expr, PeriodIndex, Shares
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Spine, Union
from semantic.plan.operators import BinaryOp
from semantic.query.bound import DimensionKey, Frame
from semantic.query.cells import period_index
from semantic.query.period import Moment
from semantic.time import Grain

VALUE = "value#"
VALUES = "values#"
"""How many values share a word."""

Windows = Mapping[Frame, tuple[Interval, ...]]
"""The windows of each frame, one for each target; all frames have the same targets."""
Reader = Callable[[date, date], Rows]
"""The rows between two days, the second excluded."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some targets, and the days [first, after) of all their windows.

    The first bit of a word is the day before: where clocks go back over midnight, a row may come late for its day.
    """

    windows: Windows
    first: date
    after: date

    def bit(self, day: date) -> int:
        """The bit of a day."""
        return (day - self.first).days + 1

    @property
    def places(self) -> int:
        """How many bits its words need; the last stands for none of its days: windows end before it."""
        return self.bit(self.after) + 1


def fits(found: tuple[Interval, ...], word: int) -> bool:
    """Whether each of a frame's windows fits into a word of so many bits."""
    return bool(found) and all(_fits(*_days((item,)), word) for item in found)


def counted(windows: Windows, read: Reader, word: int) -> Plan:
    """Columns: the query's keys, then the leaves'. A row for each target and dimension values that a window has."""
    plans = tuple(_counted(piece, read(piece.first, piece.after)) for piece in _pieces(windows, word))
    return plans[0] if len(plans) == 1 else Union(plans)


def _pieces(windows: Windows, word: int) -> Iterator[Piece]:
    """Runs of targets, each as long as fits into a word."""
    frames, targets = tuple(windows), list(zip(*windows.values(), strict=True))
    begin = 0
    while begin < len(targets):
        end = begin + 1
        first, after = _days(targets[begin])
        while end < len(targets):
            low, high = _days(targets[end])
            low, high = min(first, low), max(after, high)
            if not _fits(low, high, word):
                break
            first, after = low, high
            end += 1
        chosen = zip(*targets[begin:end], strict=True)
        yield Piece(dict(zip(frames, chosen, strict=True)), first, after)
        begin = end


def _fits(first: date, after: date, word: int) -> bool:
    return (after - first).days < word


def _days(windows: Iterable[Interval]) -> tuple[date, date]:
    """The first of their days, and the day after the last."""
    edges = [(_day(item.start), _day(item.end)) for item in windows]
    return min(start for start, _ in edges), max(end for _, end in edges)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _counted(piece: Piece, rows: Rows) -> Plan:
    words, entities = _words(piece, rows)
    kept = tuple((name, Col(name)) for name in entities.output if name != VALUE)
    # rows whose value is not known make groups of windows, and count in none
    patterns = Aggregate(entities, kept, ((VALUES, Agg(Fold.COUNT, Col(VALUE))),))
    every = Join(patterns, _targets(piece, rows), JoinKind.CROSS)
    seen = {name: (words[rows.own_where(leaf)], leaf.frame) for leaf, name in rows.items}
    hits = {one: Shares(Col(one[0]), Col(_window(piece, one[1]))) for one in seen.values()}
    widest = [hits[one] for one in hits if not any(_covers(piece, other, one) for other in hits)]
    read = Filter(every, widest[0] if len(widest) == 1 else AnyOf(tuple(widest)))
    counts = []
    for name, one in seen.items():
        always = len(widest) == 1 and hits[one] == widest[0]
        counts.append((name, Agg(Fold.SUM, Col(VALUES), None if always else hits[one])))
    return Aggregate(read, tuple((key.name, Col(key.name)) for key in rows.bound.keys), tuple(counts))


def _covers(piece: Piece, wide: tuple[str, Frame], narrow: tuple[str, Frame]) -> bool:
    """Whether a hit in one (word, window) is a hit in another; of two that always hit together the first covers."""
    if wide == narrow or wide[0] != narrow[0]:
        return False
    pairs = tuple(zip(piece.windows[wide[1]], piece.windows[narrow[1]], strict=True))
    days = [(*_days((one,)), *_days((other,))) for one, other in pairs]
    same = all((first, after) == (start, end) for first, after, start, end in days)
    frames = tuple(piece.windows)
    covered = all(first <= start and end <= after for first, after, start, end in days)
    return covered and (not same or frames.index(wide[1]) < frames.index(narrow[1]))


def _words(piece: Piece, rows: Rows) -> tuple[dict[Expr | None, str], Plan]:
    """Each value and the words of its days, one for each filter that a leaf has of its own."""
    (leaf, _), *_rest = rows.items
    value = rows.argument(leaf.metric)
    assert value is not None
    since = period_index(piece.first, Grain.DAY, rows.scope.week_start) - piece.bit(piece.first)
    place = PeriodIndex(rows.bucket(Grain.DAY), Grain.DAY, since=since)
    wheres = dict.fromkeys(rows.own_where(leaf) for leaf, _ in rows.items)
    words = {where: f"word{index}#" for index, where in enumerate(wheres)}
    folds = tuple((name, Agg(Fold.BIT_OR, BitOf(place, piece.places), where)) for where, name in words.items())
    dimensions: Named = tuple((key.name, rows.key(key)) for key in rows.bound.keys if isinstance(key, DimensionKey))
    entities = rows.fold(((VALUE, value), *dimensions), folds)
    return words, entities


def _targets(piece: Piece, rows: Rows) -> Plan:
    """The targets, with a word for each frame that has the bits of its window set."""
    times = tuple((key.name, key.kind) for key in rows.bound.time_keys)
    edges = tuple((f"{edge}{place}#", Kind.INTEGER) for place in range(len(piece.windows)) for edge in ("low", "high"))
    values = []
    for windows in zip(*piece.windows.values(), strict=True):
        places = (piece.bit(_day(edge)) for item in windows for edge in (item.start, item.end))
        values.append((*windows[0].target, *places))
    spine = Spine((*times, *edges), tuple(values))
    named: list[tuple[str, Expr]] = [(name, Col(name)) for name, _ in times]
    named += [(_window(piece, frame), _between(piece, place)) for place, frame in enumerate(piece.windows)]
    return Project(spine, tuple(named))


def _window(piece: Piece, frame: Frame) -> str:
    return f"window{list(piece.windows).index(frame)}#"


def _between(piece: Piece, place: int) -> Expr:
    """The bits from low to high, the second excluded."""
    low, high = (BitOf(Col(f"{edge}{place}#"), piece.places) for edge in ("low", "high"))
    return Binary(BinaryOp.SUBTRACT, high, low)

"""Cohorts: who belongs to which period, and in which later periods each came back (semantics.md §2).

The result has one row for each entity, or for several that are alike: the keys asked for, the cohort's period
(`cohort#`), in which periods after it they came back (words of bits; or only the last: `last#` within the complete
days, `seen#` at all), and how many they are (`entities#`).

    own word     as in one pass, where the events that bring back are those that make members: the bits alone
                 (cohort_words.py)
    one pass     calendar periods that fit one word: all events ─▶ Aggregate per entity (first cohort event; one bit for
                 each period with a return) ─▶ the bits moved by the cohort's period
    join         everything else: cohort events per entity ─▶ Join with the entity's returns ─▶ bits per entity
"""

from __future__ import annotations

from semantic.lower.cohort_events import ENTITY, Named, Side, together
from semantic.lower.cohort_question import BEGAN, CohortQuestion
from semantic.lower.cohort_words import FIRST_DAY, SEEN_IN, has_own_word, own_words
from semantic.model.facts import Kind
from semantic.plan.expr import (
    NULL,
    ZERO,
    All,
    AnyOf,
    Binary,
    BitOf,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    HasBits,
    Micros,
    Shifted,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Spine
from semantic.plan.operators import BinaryOp
from semantic.plan.word import WORD
from semantic.query.cells import Cell, later
from semantic.time import Grain, period_start

COHORT, LAST, SEEN, ENTITIES = "cohort#", "last#", "seen#", "entities#"
RETURNED, MEMBER, INDEX, OTHER, FINISHED = "returned#", "member#", "index#", "other#", "finished#"


def word(place: int) -> str:
    """The column of a word of bits."""
    return f"word{place}#"


def hit(cell: Cell, last: str = LAST) -> Expr:
    """The condition that a pattern counts for a cell; for an open-ended one by its `last` return."""
    if cell.high is None:
        return Binary(BinaryOp.GTE, Col(last), Const(cell.low))
    parts = []
    for place in range(cell.low // WORD, cell.high // WORD + 1):
        low, high = max(cell.low - place * WORD, 0), min(cell.high - place * WORD, WORD - 1)
        parts.append(HasBits(Col(word(place)), low, high))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def count(cell: Cell) -> Agg:
    """How many entities count for a cell that is no open-ended one. Of one period: the sum of its bits, which takes a
    third of the time.
    """
    if cell.low != cell.high:
        return Agg(Fold.SUM, Col(ENTITIES), hit(cell))
    bit = Shifted(Col(word(cell.low // WORD)), Const(cell.low % WORD), 1)
    return Agg(Fold.SUM, Binary(BinaryOp.MULTIPLY, bit, Col(ENTITIES)))


def cohorts(ask: CohortQuestion) -> Plan:
    """Columns: the keys, `cohort#`, the words or `last#`, `entities#`."""
    if has_own_word(ask):
        return _in_own_word(ask)
    if not ask.fits():
        return _joined(ask)
    return _in_one_pass(ask) if ask.first_time else _recurring_in_one_pass(ask)


def _in_own_word(ask: CohortQuestion) -> Plan:
    keys: Named = tuple((key.name, ask.period(Col(FIRST_DAY), key.grain or ask.definition.grain)) for key in ask.keys)
    return Project(own_words(ask), (*keys, (COHORT, Col(FIRST_DAY)), (word(0), Col(SEEN_IN)), (ENTITIES, Const(1))))


def _returned(ask: CohortQuestion) -> Side:
    """Returns, each as the number of its period from the first that matters."""
    number = ask.period_number(ask.returns.time.day, ask.number(ask.days[0]))
    if not ask.open_ended:
        named: Named = ((RETURNED, number),)
    elif ask.finished is None:
        named = ((LAST, number),)
    else:
        named = ((LAST, Case(((ask.finished, number),), NULL)), (SEEN, number))
    return Side(ask.returns, named, ask.return_conditions())


def _lasts(ask: CohortQuestion) -> tuple[str, ...]:
    return (LAST,) if ask.finished is None else (LAST, SEEN)


def _return_folds(ask: CohortQuestion) -> tuple[tuple[str, Agg], ...]:
    if ask.open_ended:
        return tuple((name, Agg(Fold.MAX, Col(name))) for name in _lasts(ask))
    return ((word(0), Agg(Fold.BIT_OR, _bit(Col(RETURNED), ask.places))),)


def _since(ask: CohortQuestion, index: Expr) -> Named:
    """The returns counted from a cohort's period, whose number from the first that matters is `index`."""
    if ask.open_ended:
        lasts = ((name, Coalesce((Col(name), Const(-1)))) for name in _lasts(ask))
        return tuple((name, Binary(BinaryOp.SUBTRACT, last, index)) for name, last in lasts)
    return ((word(0), Shifted(Coalesce((Col(word(0)), ZERO)), index, ask.kept)),)


def _in_one_pass(ask: CohortQuestion) -> Plan:
    began = Side(ask.members, ((BEGAN, ask.event()),), ask.members.conditions())
    events = together(began, _returned(ask), ask.mixed)
    folds = ((BEGAN, Agg(Fold.MIN, Col(BEGAN))), *_return_folds(ask))
    entities = ask.in_range(Aggregate(events, ((ENTITY, Col(ENTITY)),), folds))
    cohort = ask.period(ask.local_day(ask.began), ask.definition.grain)
    index = ask.period_number(cohort, ask.number(ask.days[0]))
    return Project(entities, (*ask.named_keys(), (COHORT, cohort), *_since(ask, index), (ENTITIES, Const(1))))


def _recurring_in_one_pass(ask: CohortQuestion) -> Plan:
    """Membership as bits too: each cohort period of the range then looks at the same words."""
    number = ask.period_number(ask.members.time.day, ask.number(ask.days[0]))
    members = Side(ask.members, ((MEMBER, number),), ask.members.conditions(ask.start, ask.end))
    events = together(members, _returned(ask), ask.mixed)
    folds = ((MEMBER, Agg(Fold.BIT_OR, _bit(Col(MEMBER), ask.places))), *_return_folds(ask))
    entities = Aggregate(events, ((ENTITY, Col(ENTITY)),), folds)
    by = tuple((name, Col(name)) for name in entities.output if name != ENTITY)
    patterns = Aggregate(entities, by, ((ENTITIES, Agg(Fold.COUNT)),))
    first = period_start(ask.days[0], ask.definition.grain, ask.view.week_start)
    count = ask.number(ask.days[1]) - ask.number(ask.days[0]) + 1
    places = tuple((later(first, place, ask.definition.grain), place) for place in range(count))
    spine = Spine(((COHORT, Kind.DATE), (INDEX, Kind.INTEGER)), places)
    every = Join(patterns, spine, JoinKind.CROSS)
    member = Filter(every, HasBits(Shifted(Coalesce((Col(MEMBER), ZERO)), Col(INDEX)), 0, 0))
    keys: list[tuple[str, Expr]] = [(key.name, Col(COHORT)) for key in ask.keys]
    found = Project(member, (*keys, (COHORT, Col(COHORT)), *_since(ask, Col(INDEX)), (ENTITIES, Col(ENTITIES))))
    names = tuple((name, Col(name)) for name in found.output if name != ENTITIES)
    return Aggregate(found, names, ((ENTITIES, Agg(Fold.SUM, Col(ENTITIES))),))


def _joined(ask: CohortQuestion) -> Plan:
    left, right = cohort_entities(ask), _return_periods(ask)
    both = Join(left, right, JoinKind.LEFT, ((ENTITY, OTHER),))
    kept: list[tuple[str, Expr]] = [(name, Col(name)) for name in left.output if name != BEGAN]
    told = [] if ask.finished is None else [(FINISHED, Col(FINISHED))]
    placed = Project(both, (*kept, (INDEX, _after(ask)), *told))
    cells = ask.furthest + 1
    folds = [(word(place // WORD), _word_fold(place, cells)) for place in range(0, cells, WORD)]
    if ask.open_ended:
        folds = [(name, _last_fold(ask, name)) for name in _lasts(ask)]
    entities = Aggregate(placed, tuple(kept), tuple(folds))
    named: list[tuple[str, Expr]] = [(name, Col(name)) for name, _ in kept if name != ENTITY]
    named += [(name, Coalesce((Col(name), Const(-1) if ask.open_ended else ZERO))) for name, _ in folds]
    return Project(entities, (*named, (ENTITIES, Const(1))))


def cohort_entities(ask: CohortQuestion) -> Plan:
    """An entity's cohort event (recurring: one in each period): the keys, the cohort, when it began."""
    members = ask.members
    recurring = not ask.first_time
    conditions = members.conditions(ask.start, ask.end) if recurring else members.conditions()
    period = ask.period(members.time.day, ask.definition.grain)
    named: Named = ((BEGAN, ask.event()), *(((COHORT, period),) if recurring else ()))
    rows = members.rows(named, conditions, ask.mixed)
    by = (ENTITY, COHORT) if recurring else (ENTITY,)
    first = Aggregate(rows, tuple((name, Col(name)) for name in by), ((BEGAN, Agg(Fold.MIN, Col(BEGAN))),))
    cohort = Col(COHORT) if recurring else ask.period(ask.local_day(ask.began), ask.definition.grain)
    columns = (*ask.named_keys(), (ENTITY, Col(ENTITY)), (COHORT, cohort), (BEGAN, ask.began))
    return Project(ask.in_range(first), columns)


def _last_fold(ask: CohortQuestion, name: str) -> Agg:
    return Agg(Fold.MAX, Col(INDEX), Col(FINISHED) if name == LAST and ask.finished is not None else None)


def _return_periods(ask: CohortQuestion) -> Plan:
    """Returns: each one (elapsed), or the last of each period (calendar), with the period's number."""
    time = ask.returns.time
    named: Named = (
        (RETURNED, time.instant),
        *(((INDEX, ask.period_number(time.day)),) if ask.calendar else ()),
        *(((FINISHED, ask.finished),) if ask.finished is not None else ()),
    )
    rows = ask.returns.rows(named, ask.return_conditions(), ask.mixed)
    told: Named = () if ask.finished is None else ((FINISHED, Col(FINISHED)),)
    if not ask.calendar:
        return Project(rows, ((OTHER, Col(ENTITY)), (RETURNED, Col(RETURNED)), *told))
    by = ((OTHER, Col(ENTITY)), (INDEX + "2", Col(INDEX)), *told)
    return Aggregate(rows, by, ((RETURNED, Agg(Fold.MAX, Col(RETURNED))),))


def valued_returns(ask: CohortQuestion, values: Named) -> Plan:
    """Returns with their values: each one (elapsed), or each period's (calendar) with the period's number."""
    time = ask.returns.time
    index: Named = ((INDEX + "2", ask.period_number(time.day)),) if ask.calendar else ()
    rows = ask.returns.rows(((RETURNED, time.instant), *index, *values), ask.return_conditions(), ask.mixed)
    named: Named = tuple((name, Col(name)) for name in rows.output if name != ENTITY)
    return Project(rows, ((OTHER, Col(ENTITY)), *named))


def _after(ask: CohortQuestion) -> Expr:
    """How many periods after its cohort an entity's return lies; null when not after the cohort event."""
    return Case(((Binary(BinaryOp.GT, Col(RETURNED), Col(BEGAN)), periods_after(ask)),), NULL)


def periods_after(ask: CohortQuestion) -> Expr:
    """How many periods after its cohort an entity's return lies; null (elapsed) before the cohort event."""
    if ask.calendar:
        return Binary(BinaryOp.SUBTRACT, Col(INDEX + "2"), ask.period_number(Col(COHORT)))
    length = (7 if ask.definition.grain is Grain.WEEK else 1) * 86_400_000_000
    micros = Binary(BinaryOp.SUBTRACT, Micros(Col(RETURNED)), Micros(Col(BEGAN)))
    since = Binary(BinaryOp.WHOLES, micros, Const(length))
    return Case(((Binary(BinaryOp.GTE, Col(RETURNED), Col(BEGAN)), since),), NULL)


def _word_fold(first: int, cells: int) -> Agg:
    return Agg(Fold.BIT_OR, _bit(Binary(BinaryOp.SUBTRACT, Col(INDEX), Const(first)), min(cells - first, WORD)))


def _bit(number: Expr, places: int) -> Expr:
    """The bit of a number; none for numbers that no bit of the word stands for."""
    inside = All((Binary(BinaryOp.GTE, number, ZERO), Binary(BinaryOp.LT, number, Const(places))))
    return BitOf(Case(((inside, number),), NULL), places)

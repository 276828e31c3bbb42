"""Scores: the rows of a score's dataset, made of purchases up to a day, wherever a plan reads them.

purchases ─▶ Aggregate (entity, day) ─▶ the day before ─▶ Aggregate (entity) ─▶ numbers ─▶ scores ─▶ rules

Before policies are applied: what they look at are the purchases themselves.
"""

from __future__ import annotations

from datetime import date, timedelta

from semantic.lower.cohort_events import Named
from semantic.lower.firsts import first_rows
from semantic.lower.scope import Scope, Time
from semantic.model.dataset import Dataset
from semantic.model.expression import Expression, Ref
from semantic.model.facts import Kind
from semantic.model.score import COLUMNS, WHO, Alive, Risk, ScoreDefinition
from semantic.plan.build import conjunction, divide
from semantic.plan.expr import (
    FALSE,
    NULL,
    TRUE,
    Authored,
    Binary,
    Bits,
    Case,
    Cast,
    Col,
    Const,
    Expr,
    IsNotTrue,
    IsNull,
    Param,
    PeriodIndex,
    Previous,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project, Scan
from semantic.plan.operators import BinaryOp, Order
from semantic.plan.walk import columns, rewrite
from semantic.query.bound import Bound
from semantic.query.scored import amount_kind, as_of
from semantic.time import Grain, day_edge

DAY, PURCHASE, AMOUNT, BEFORE, NUMBER = "day#", "purchase#", "amount#", "before#", "number#"

_ALIVE = 'CASE WHEN "x" = 0 THEN 1.0 ELSE 1.0 / (1.0 + {a} / ({b} + "x" - 1) * power({ratio}, {r} + "x")) END'
_RATIO = '({alpha} + "age" / {unit}) / ({alpha} + "last" / {unit})'


def with_score_rows(plan: Plan, bound: Bound) -> Plan:
    """The plan with every scan of a score's or a first's dataset replaced by what makes its rows: a score's at the end
    of the time range.
    """
    made: dict[str, Plan] = {}

    def change(node: Plan) -> Plan:
        if not isinstance(node, Scan) or not bound.model.datasets[node.dataset].is_made:
            return node
        if node.dataset not in made:
            made[node.dataset] = _made(bound, bound.model.datasets[node.dataset])
        return Project(made[node.dataset], tuple((node.prefix + column, Col(column)) for column in node.columns))

    return rewrite(plan, change)


def _made(bound: Bound, dataset: Dataset) -> Plan:
    if dataset.first is not None:
        return first_rows(bound, bound.model.firsts[dataset.first])
    return _Scoring(bound, bound.model.scores[dataset.name]).rows()


class _Scoring:
    """One score, as a question sees it."""

    def __init__(self, bound: Bound, score: ScoreDefinition) -> None:
        model = bound.model
        self._score = score
        self._scope = Scope(model, bound.facts, model.datasets[score.dataset], bound.zone, bound.week_start)
        self._end = as_of(model, bound.facts, score, bound.span, bound.zone)
        self._amount = amount_kind(model, bound.facts, score)

    def rows(self) -> Plan:
        """A row for each entity with a purchase, with the columns of a score."""
        numbered = Project(self._entities(), self._numbers())
        scored = Project(numbered, (*_kept(numbered), *self._scores()))
        ruled: Named = (("segment", self._segment()), ("risk", self._risk()), ("reasons", self._reasons()))
        known = {name: Col(name) for name in scored.output} | dict(ruled)
        return Project(scored, tuple((name, known[name]) for name, _ in COLUMNS))

    # purchases

    @property
    def _time(self) -> Time:
        column = self._score.time_dimension or self._scope.dataset.time_dimension
        assert column is not None, "the load refuses scores without time"
        return self._scope.time(column, None)

    def _purchases(self) -> Plan:
        """Who bought, on which day, for how much: one row each."""
        score, time = self._score, self._time
        who = self._scope.dataset.entity_column(score.entity)
        assert who is not None, "the load refuses scores without the entity"
        found: list[Expr] = [IsNotTrue(IsNull(Col(who))), IsNotTrue(IsNull(Col(time.name)))]
        if score.where is not None:
            found.append(self._scope.authored(score.where))
        found.append(FALSE if self._end is None else time.before(day_edge(_after(self._end), self._scope.zone)))
        purchase = None if score.purchase is None else self._scope.authored(score.purchase)
        if purchase is not None:
            found.append(IsNotTrue(IsNull(purchase)))
        named: Named = (
            (WHO, Col(who)),
            (DAY, time.day),
            (AMOUNT, self._scope.authored(score.amount)),
            *(((PURCHASE, purchase),) if purchase is not None else ()),
        )
        where = conjunction(found)
        assert where is not None
        rows = Project(Filter(self._scope.relation(columns([where, *(expr for _, expr in named)])), where), named)
        if purchase is None:
            return rows
        folds = ((DAY, Agg(Fold.MIN, Col(DAY))), (AMOUNT, Agg(Fold.SUM, Col(AMOUNT))))
        return Aggregate(rows, ((WHO, Col(WHO)), (PURCHASE, Col(PURCHASE))), folds)

    def _entities(self) -> Plan:
        """Each entity's purchases in all, and the median of the days between those with one."""
        folds = (("frequency", Agg(Fold.COUNT)), (AMOUNT, Agg(Fold.SUM, Col(AMOUNT))))
        days = Aggregate(self._purchases(), ((WHO, Col(WHO)), (DAY, Col(DAY))), folds)
        kept: Named = tuple((name, Col(name)) for name in days.output)
        numbered = Project(days, (*kept, (NUMBER, PeriodIndex(Col(DAY), Grain.DAY))))
        before = Previous(Col(NUMBER), Order((NUMBER,), (WHO,)))
        beside = Project(numbered, (*kept, (NUMBER, Col(NUMBER)), (BEFORE, before)))
        gap = Cast(Binary(BinaryOp.SUBTRACT, Col(NUMBER), Col(BEFORE)), Kind.FLOAT)
        return Aggregate(
            beside,
            ((WHO, Col(WHO)),),
            (
                ("first_day", Agg(Fold.MIN, Col(DAY))),
                ("last_day", Agg(Fold.MAX, Col(DAY))),
                ("frequency", Agg(Fold.SUM, Col("frequency"))),
                ("purchase_days", Agg(Fold.COUNT)),
                ("monetary", Agg(Fold.SUM, Col(AMOUNT))),
                ("median_gap_days", Agg(Fold.PERCENTILE, gap, p=0.5)),
            ),
        )

    # numbers

    def _numbers(self) -> Named:
        end = PeriodIndex(Param(self._end or date(1970, 1, 1), Kind.DATE), Grain.DAY)
        first, last = (PeriodIndex(Col(name), Grain.DAY) for name in ("first_day", "last_day"))
        recency = Binary(BinaryOp.SUBTRACT, end, last)
        age, since = Binary(BinaryOp.SUBTRACT, end, first), Binary(BinaryOp.SUBTRACT, last, first)
        monetary = Col("monetary") if self._amount is Kind.DECIMAL else Cast(Col("monetary"), self._amount)
        return (
            *((name, Col(name)) for name in (WHO, "first_day", "last_day")),
            ("recency_days", Cast(recency, Kind.INTEGER)),
            ("frequency", Cast(Col("frequency"), Kind.INTEGER)),
            ("purchase_days", Col("purchase_days")),
            ("monetary", monetary),
            ("median_gap_days", Col("median_gap_days")),
            ("overdue", divide(recency, Col("median_gap_days"))),
            ("p_alive", Cast(NULL, Kind.FLOAT) if self._score.alive is None else _alive(self._score.alive, age, since)),
        )

    def _scores(self) -> Named:
        score = self._score
        return (
            ("r_score", _falling(Col("recency_days"), score.recency)),
            ("f_score", _rising(Col("frequency"), score.frequency)),
            ("m_score", _rising(Col("monetary"), score.monetary)),
        )

    # rules

    def _segment(self) -> Expr:
        branches = tuple(
            (TRUE if rule.where is None else self._rule(rule.where), Param(rule.name, Kind.STRING))
            for rule in self._score.segments
        )
        return Cast(Case(branches, NULL) if branches else NULL, Kind.STRING)

    def _risk(self) -> Expr:
        branches = tuple(
            (self._rule(rule.where), Param(level.value, Kind.STRING))
            for level in (Risk.HIGH, Risk.MEDIUM)
            for rule in self._score.risks
            if rule.risk is level
        )
        low = Param(Risk.LOW.value, Kind.STRING)
        return Case(branches, low) if branches else low

    def _reasons(self) -> Expr:
        if not self._score.risks:
            return Const(0)
        return Bits(tuple((self._rule(rule.where), place) for place, rule in enumerate(self._score.risks)))

    def _rule(self, where: Expression) -> Expr:
        return Authored(where, tuple((ref, Col(ref.name)) for ref in where.refs))


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _kept(plan: Plan) -> Named:
    return tuple((name, Col(name)) for name in plan.output)


def _rising(part: Expr, cuts: tuple[float, ...]) -> Expr:
    """One more for every cut point reached."""
    reached = (
        (Binary(BinaryOp.GTE, part, _number(cut)), Const(place)) for place, cut in reversed(list(enumerate(cuts, 2)))
    )
    return Case(tuple(reached), Const(1))


def _falling(part: Expr, cuts: tuple[float, ...]) -> Expr:
    """One more for every cut point not passed."""
    within = (
        (Binary(BinaryOp.LTE, part, _number(cut)), Const(len(cuts) + 1 - place)) for place, cut in enumerate(cuts)
    )
    return Case(tuple(within), Const(1))


def _number(value: float) -> Param:
    return Param(value, Kind.INTEGER if isinstance(value, int) else Kind.FLOAT)


def _alive(alive: Alive, age: Expr, since: Expr) -> Expr:
    """The probability that somebody still buys (Fader, Hardie and Lee, "Computing P(alive) using the BG/NBD model",
    2008): 1 for whoever has not come again, of whom the model says nothing.
    """
    r, alpha, a, b, unit = map(_double, (alive.r, alive.alpha, alive.a, alive.b, alive.unit_days))
    sql = _ALIVE.format(a=a, b=b, r=r, ratio=_RATIO.format(alpha=alpha, unit=unit))
    names = {"x": Binary(BinaryOp.SUBTRACT, Col("purchase_days"), Const(1)), "age": age, "last": since}
    refs = tuple(Ref((), name) for name in names)
    return Cast(Authored(Expression(sql, refs), tuple(zip(refs, names.values(), strict=True))), Kind.FLOAT)


def _double(value: float) -> str:
    """A literal that no engine takes for a decimal, whose digits could be too many."""
    return f"CAST({float(value)!r} AS DOUBLE)"

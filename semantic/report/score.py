"""A score's entities, each with what explains it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from semantic.model.score import WHO, RiskRule
from semantic.query.bound import BoundScore
from semantic.query.query import Scalar
from semantic.report.group import Row, shown


@dataclass(frozen=True, slots=True)
class ScoreReason:
    """A risk rule that holds: its name, what people call it, what the author wrote."""

    name: str
    label: str
    risk: str
    rule: str


@dataclass(frozen=True, slots=True)
class ScoredEntity:
    """How somebody stands. `overdue`: days since the last purchase, in own median intervals."""

    entity: str
    first_day: date
    last_day: date
    recency_days: int
    frequency: int
    purchase_days: int
    monetary: Scalar
    median_gap_days: float | None
    overdue: float | None
    p_alive: float | None
    r_score: int
    f_score: int
    m_score: int
    segment: str | None
    segment_label: str | None
    risk: str
    reasons: tuple[ScoreReason, ...]


def scored_entities(bound: BoundScore, rows: Iterable[Row], locale: str | None) -> tuple[ScoredEntity, ...]:
    """One for each row."""
    labels = {rule.name: rule.label.get(locale) or rule.name for rule in bound.definition.segments}
    return tuple(_entity(bound, row, labels, locale) for row in rows)


def _entity(bound: BoundScore, row: Row, labels: dict[str, str], locale: str | None) -> ScoredEntity:
    values = {name: value for name, value in row.items() if name not in ("reasons", WHO, "monetary")}
    rules = enumerate(bound.definition.risks)
    return ScoredEntity(
        **values,
        entity=row[WHO],
        monetary=shown(row["monetary"], bound.zone),
        segment_label=labels.get(row["segment"]),
        reasons=tuple(_reason(rule, locale) for place, rule in rules if row["reasons"] >> place & 1),
    )


def _reason(rule: RiskRule, locale: str | None) -> ScoreReason:
    return ScoreReason(rule.name, rule.label.get(locale) or rule.name, rule.risk.value, rule.where.source)

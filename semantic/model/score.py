"""Scores: what an entity is worth and whether it is leaving, by its purchases up to one day (docs/numbers.md).

A score is also a dataset: one row for each entity that has bought, so that metrics can count and average them, and
every dataset that has the entity can be split by where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from semantic.errors import Position
from semantic.model.dataset import Dataset, Dimension, DimensionType, Relationship, Source
from semantic.model.expression import Expression, Ref
from semantic.model.facts import Kind
from semantic.model.text import NO_TEXT, Text

WHO: Final = "entity"
"""The column that says who."""

NUMBERS: Final = (
    ("recency_days", Kind.INTEGER),
    ("frequency", Kind.INTEGER),
    ("purchase_days", Kind.INTEGER),
    ("monetary", Kind.FLOAT),
    ("median_gap_days", Kind.FLOAT),
    ("overdue", Kind.FLOAT),
    ("p_alive", Kind.FLOAT),
    ("r_score", Kind.INTEGER),
    ("f_score", Kind.INTEGER),
    ("m_score", Kind.INTEGER),
)
"""What rules read, in the order computed, and of what kinds (`monetary`: of its amount's)."""

COLUMNS: Final = (
    (WHO, Kind.STRING),
    ("first_day", Kind.DATE),
    ("last_day", Kind.DATE),
    *NUMBERS,
    ("segment", Kind.STRING),
    ("risk", Kind.STRING),
    ("reasons", Kind.INTEGER),
)
"""The columns of a score's rows. `reasons`: a bit for each risk rule that holds."""

_SPLITS: Final = (
    ("segment", DimensionType.STRING, "segment", "分层"),
    ("risk", DimensionType.STRING, "risk", "流失风险"),
    ("r_score", DimensionType.NUMBER, "recency score", "最近购买得分"),
    ("f_score", DimensionType.NUMBER, "frequency score", "购买频次得分"),
    ("m_score", DimensionType.NUMBER, "amount score", "消费金额得分"),
    ("frequency", DimensionType.NUMBER, "purchases", "购买次数"),
)


class Risk(StrEnum):
    """How likely somebody is leaving."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """Who belongs to a segment, unless an earlier one has them (None: all others)."""

    name: str
    where: Expression | None = None
    label: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RiskRule:
    """A reason to think that somebody is leaving, and how strong it is."""

    name: str
    where: Expression
    risk: Risk
    label: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Alive:
    """The parameters of a BG/NBD model (Fader, Hardie, Lee 2005), with time counted in `unit_days`."""

    r: float
    alpha: float
    a: float
    b: float
    unit_days: int


@dataclass(frozen=True, slots=True)
class ScoreDefinition:
    """A `scores:` entry. A purchase is the rows of `dataset` with one value of `purchase` (None: each row). `recency`,
    `frequency`, `monetary`: rising cut points. `version` changes whenever a rule or cut point does.
    """

    name: str
    version: str
    entity: str
    dataset: str
    amount: Expression
    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    monetary: tuple[float, ...]
    where: Expression | None = None
    time_dimension: str | None = None
    purchase: Expression | None = None
    segments: tuple[SegmentRule, ...] = ()
    risks: tuple[RiskRule, ...] = ()
    alive: Alive | None = None
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """What entities, and every dataset that has them, can be split by."""
        return tuple(f"{self.name}_{column}" for column, *_ in _SPLITS)

    def as_dataset(self) -> Dataset:
        """The dataset of its entities, which has no files of its own."""
        return Dataset(
            name=self.name,
            source=Source(""),
            primary_key=(WHO,),
            unique=True,
            entities=((self.entity, WHO),),
            dimensions=tuple(self._dimension(*split) for split in _SPLITS),
            score=self.name,
            label=self.label,
            description=self.description,
            position=self.position,
        )

    def _dimension(self, column: str, kind: DimensionType, english: str, chinese: str) -> Dimension:
        locales = dict.fromkeys((*(locale for locale, _ in self.label.by_locale), "en", "zh"))
        said = {locale: chinese if locale.startswith("zh") else english for locale in locales}
        return Dimension(
            name=f"{self.name}_{column}",
            type=kind,
            expr=Expression(f'"{column}"', (Ref((), column),), source=column),
            label=Text(tuple((locale, f"{self.label.get(locale) or self.name} · {said[locale]}") for locale in said)),
            position=self.position,
        )

    def relationship(self, dataset: str, column: str) -> Relationship:
        """How the rows of a dataset that has the entity find its score; no expression can name it."""
        return Relationship(
            f"{self.name} of {dataset}", dataset, self.name, ((column, WHO),), implied=True, position=self.position
        )

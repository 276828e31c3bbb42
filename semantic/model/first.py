"""Firsts: the first event ever of each entity, which makes who is new and who returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from semantic.errors import Position
from semantic.model.dataset import Dataset, Dimension, DimensionType, Relationship, Source
from semantic.model.expression import Expression, Ref
from semantic.model.score import WHO
from semantic.model.text import NO_TEXT, Text

FIRST_DAY: Final = "first_day"
"""The column with the local day of the first event."""


@dataclass(frozen=True, slots=True)
class FirstDefinition:
    """A `firsts:` entry: the first of an entity's rows in `dataset` that meet `where` (None: all). It is a dataset too,
    one row for each entity, which every dataset that has the entity can be split by.
    """

    name: str
    entity: str
    dataset: str
    where: Expression | None = None
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)

    def as_dataset(self) -> Dataset:
        """The dataset of its entities, which has no files of its own."""
        return Dataset(
            name=self.name,
            source=Source(""),
            primary_key=(WHO,),
            unique=True,
            entities=((self.entity, WHO),),
            dimensions=(
                self._dimension("type", DimensionType.STRING, "new or returning", "新老", newness=True),
                self._dimension(FIRST_DAY, DimensionType.DATE, "first day", "首日"),
            ),
            first=self.name,
            label=self.label,
            description=self.description,
            position=self.position,
        )

    def _dimension(
        self, name: str, kind: DimensionType, english: str, chinese: str, newness: bool = False
    ) -> Dimension:
        locales = dict.fromkeys((*(locale for locale, _ in self.label.by_locale), "en", "zh"))
        said = {locale: chinese if locale.startswith("zh") else english for locale in locales}
        return Dimension(
            name=f"{self.name}_{name}",
            type=kind,
            expr=Expression(f'"{FIRST_DAY}"', (Ref((), FIRST_DAY),), source=FIRST_DAY),
            newness=newness,
            label=Text(tuple((locale, f"{self.label.get(locale) or self.name} · {said[locale]}") for locale in said)),
            description=self.description,
            position=self.position,
        )

    def relationship(self, dataset: str, column: str) -> Relationship:
        """How the rows of a dataset that has the entity find its first event; no expression can name it."""
        return Relationship(
            f"{self.name} of {dataset}", dataset, self.name, ((column, WHO),), implied=True, position=self.position
        )

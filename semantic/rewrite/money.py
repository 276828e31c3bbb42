"""Money: the amounts of a scan in the currency of the model."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.errors import DataError
from semantic.lower.audits import DAY, UNRATED
from semantic.lower.scope import Scope
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.model.money import Currency
from semantic.model.reach import rates_key
from semantic.plan.expr import NULL, ZERO, All, AnyOf, Binary, Case, Col, Expr, IsNotTrue, IsNull, Param
from semantic.plan.node import Scan
from semantic.plan.operators import BinaryOp
from semantic.time import zone

RATES = "rates#"


@dataclass(frozen=True, slots=True)
class Money:
    """The amounts that one scan reads, by their names in the files."""

    model: Model
    facts: Facts
    dataset: str
    currency: Currency
    amounts: tuple[str, ...]

    @classmethod
    def of(cls, scan: Scan, model: Model, facts: Facts) -> Money | None:
        """None for a scan that reads no amounts. DataError when a currency has two rates on one day."""
        currency = model.datasets[scan.dataset].currency
        amounts = tuple(name for name in scan.columns if currency is not None and name in currency.amounts)
        if currency is None or not amounts:
            return None
        money = cls(model, facts, scan.dataset, currency, amounts)
        money._check_one_rate()
        return money

    @property
    def stored(self) -> set[str]:
        """The columns of files that are needed besides the amounts."""
        return {self.currency.column, self._time}

    @property
    def day(self) -> Expr:
        """The local day of a row, in the zone of the model and not of the question: a row is worth one thing."""
        dataset = self.model.datasets[self.dataset]
        scope = Scope(self.model, self.facts, dataset, zone(self.model.timezone), self.model.week_start)
        return scope.time(self._time, None).day

    @property
    def rates(self) -> Scan:
        """The rates, under names of their own."""
        rates = self.currency.rates
        return Scan(rates.dataset, (*rates_key(self.model, rates), rates.rate), RATES)

    @property
    def on(self) -> tuple[tuple[str, str], ...]:
        """What a row and its rate have in common."""
        day, currency = rates_key(self.model, self.currency.rates)
        return (DAY, RATES + day), (self.currency.column, RATES + currency)

    @property
    def values(self) -> dict[str, Expr]:
        """The amounts converted, and whether a row has one that can't be."""
        known = Binary(BinaryOp.GT, Col(RATES + self.currency.rates.rate), ZERO)
        own = Binary(BinaryOp.EQ, Col(self.currency.column), Param(self.model.currency, Kind.STRING))
        found: dict[str, Expr] = {}
        for name in self.amounts:
            worth = Binary(BinaryOp.MULTIPLY, Col(name), Col(RATES + self.currency.rates.rate))
            found[name] = Case(((own, Col(name)), (known, worth)), NULL)
        given = AnyOf(tuple(IsNotTrue(IsNull(Col(name))) for name in self.amounts))
        found[UNRATED] = All((given, IsNotTrue(own), IsNotTrue(known)))
        return found

    @property
    def _time(self) -> str:
        name = self.currency.time or self.model.datasets[self.dataset].time_dimension
        assert name is not None, "the load refuses amounts without a day"
        return name

    def _check_one_rate(self) -> None:
        rates = self.currency.rates
        key = set(rates_key(self.model, rates))
        known = self.facts.datasets[rates.dataset]
        keys = (self.model.datasets[rates.dataset].primary_key, *known.unique_keys)
        if not any(one and set(one) <= key for one in keys):
            raise DataError(
                f'"{rates.dataset}" has two rates of one currency on one day: an amount would be counted twice.',
                "Remove the repeated rows, or declare their primary_key.",
            )
        if known.columns.get(rates_key(self.model, rates)[0]) is not Kind.DATE:
            raise DataError(f'The rates of "{rates.dataset}" are of days: its time_dimension must be a date.')

"""Money: amounts of several currencies, and the rates that make them amounts of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantic.errors import Position


@dataclass(frozen=True, slots=True)
class Rates:
    """A dataset of exchange rates, one row a day and currency; the day is its time dimension.

    `currency` and `rate` are its columns: one unit of the currency is worth `rate` units of the model's.
    """

    dataset: str
    currency: str = "currency"
    rate: str = "rate"


@dataclass(frozen=True, slots=True)
class Currency:
    """In which currency each row's amounts are: `column` says it.

    Wherever they are read, `amounts` are converted into the model's currency, at the rate of the row's local day by
    `time` (None: by the dataset's time dimension). An amount without a rate is null: it is left out, and warned of.
    """

    column: str
    amounts: tuple[str, ...]
    rates: Rates
    time: str | None = None
    position: Position | None = field(default=None, compare=False)

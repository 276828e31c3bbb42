"""Rules on money: what is converted has a day, a currency to become and rates to become it."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.model.dataset import Dataset
from semantic.model.model import Model
from semantic.model.money import Currency


def check_currencies(model: Model) -> Iterator[Problem]:
    """Amounts can be converted: into the model's currency, on a day, by rates of days."""
    for dataset in model.datasets.values():
        if dataset.currency is not None:
            yield from _check_currency(model, dataset, dataset.currency)


def _check_currency(model: Model, dataset: Dataset, currency: Currency) -> Iterator[Problem]:
    at = ("datasets", dataset.name, "currency")
    if model.currency is None:
        message = "Amounts are converted into the currency of the model, and it has none."
        yield Problem(Code.MISSING_KEY, message, model.places.at(*at), 'Write "currency: CNY" at the top.')
    if currency.time is None and dataset.time_dimension is None:
        message = f'A rate is of a day, and rows of "{dataset.name}" have none.'
        yield Problem(Code.MISSING_KEY, message, model.places.at(*at), 'Say which column has it, with "time".')
    if currency.column in currency.amounts:
        message = f'"{currency.column}" names the currency, and is no amount.'
        yield Problem(Code.BAD_VALUE, message, model.places.at(*at, "amounts", currency.column))
    rates = model.datasets[currency.rates.dataset]
    where = model.places.at(*at, "rates")
    if rates.time_dimension is None:
        message = f'The rates of "{rates.name}" have no day: it has no time_dimension.'
        yield Problem(Code.MISSING_KEY, message, where)
    if rates.currency is not None:
        yield Problem(Code.BAD_VALUE, f'Rates are no amounts, and "{rates.name}" has a currency itself.', where)

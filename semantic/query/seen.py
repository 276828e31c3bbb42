"""Facts as questions see them: of columns as the model means them, and not as the files have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from semantic.errors import DataError
from semantic.model.dataset import Dataset
from semantic.model.facts import DatasetFacts, Facts, Kind
from semantic.model.identity import Identity
from semantic.model.model import Model
from semantic.model.reach import identities_of
from semantic.query.access import least_groups, row_policies
from semantic.query.kind import column_kinds, expression_kind, widest
from semantic.query.query import Viewer


def seen(model: Model, facts: Facts) -> Facts:
    """The facts with the columns that are made of others, and with the kinds of what is read as something else.

    DataError when ids can't be read as those of their identity.
    """
    changed = {name: _seen(model, facts, model.datasets[name]) for name in facts.datasets if name in model.datasets}
    if all(changed[name] is facts.datasets[name] for name in changed):
        return facts
    return Facts(facts.version, MappingProxyType({**facts.datasets, **changed}))


def unlisted(model: Model, facts: Facts, viewer: Viewer) -> Facts:
    """The facts without the values of columns of which the viewer may not see every row, or only groups large enough:
    a statement names values, and may be shown.
    """
    small = least_groups(model, viewer).datasets
    changed = {
        name: replace(known, values=MappingProxyType({}))
        for name, known in facts.datasets.items()
        if known.values and (name in small or row_policies(model, viewer, name))
    }
    return replace(facts, datasets=MappingProxyType({**facts.datasets, **changed})) if changed else facts


def _seen(model: Model, facts: Facts, dataset: Dataset) -> DatasetFacts:
    known = facts.datasets[dataset.name]
    identified = identities_of(model, dataset.name)
    if not dataset.computed and not identified and dataset.currency is None:
        return known
    kind_of = column_kinds(model, facts, dataset.name)
    columns = dict(known.columns)
    columns |= {name: expression_kind(expr, kind_of) for name, expr in dataset.computed}
    columns |= _amounts(facts, dataset)
    longs = set(known.longs)
    for column, identity in identified:
        found = facts.datasets.get(identity.dataset)
        if found is None or column not in columns:
            continue
        _check_kinds(dataset, column, columns[column], identity, found.columns)
        if identity.target not in found.longs:
            longs.discard(column)
    return replace(known, columns=MappingProxyType(columns), longs=frozenset(longs))


def _amounts(facts: Facts, dataset: Dataset) -> Mapping[str, Kind]:
    """Amounts are of the kind of their product with a rate."""
    currency = dataset.currency
    rates = facts.datasets.get(currency.rates.dataset) if currency else None
    if currency is None or rates is None:
        return {}
    known, rate = facts.datasets[dataset.name].columns, rates.columns.get(currency.rates.rate, Kind.OTHER)
    return {name: widest([known[name], rate]) for name in currency.amounts if name in known}


def _check_kinds(dataset: Dataset, column: str, kind: Kind, identity: Identity, known: Mapping[str, Kind]) -> None:
    """An id and what it is read as are of one kind: else some would be compared as texts and some as numbers."""
    for name in (identity.source, identity.target):
        other = known.get(name, Kind.OTHER)
        if kind is not other:
            raise DataError(
                f'The ids in "{column}" of "{dataset.name}" are {kind}, and those in "{name}" of '
                f'"{identity.dataset}" are {other}.',
                "Store them in one type, or cast the one: {column: …, expr: cast(… as varchar)}.",
            )

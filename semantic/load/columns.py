"""The model against the data: every column it names is one its files have, of a kind that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from semantic.errors import Code, Position, Problem
from semantic.load.suggest import at_part, near
from semantic.model.expression import Expression, Ref
from semantic.model.facts import Kind
from semantic.model.identity import Identity
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.model.reads import dimension_read, expressions, target_of

Columns = Mapping[str, Mapping[str, Kind]]

_TIMES: Final = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


def check_columns(model: Model, columns: Columns) -> tuple[Problem, ...]:
    """What is wrong with a model over data whose columns are given by dataset; datasets that are not given are passed
    over. In file order.
    """
    found = {
        problem: None
        for rule in (_keys, _time_dimensions, _entities, _identities, _currencies, _relationships, _expressions)
        for problem in rule(model, columns)
    }
    return tuple(sorted(found, key=_in_file_order))


def _in_file_order(problem: Problem) -> tuple[str, int, int]:
    at = problem.position
    return (at.file, at.line, at.column) if at else ("", 0, 0)


def _keys(model: Model, columns: Columns) -> Iterator[Problem]:
    for dataset in model.datasets.values():
        for column in dataset.primary_key:
            at = model.places.at("datasets", dataset.name, "primary_key", column)
            yield from _column(model, columns, dataset.name, column, at)


def _entities(model: Model, columns: Columns) -> Iterator[Problem]:
    for dataset in model.datasets.values():
        for entity, column in dataset.entities:
            at = model.places.at("datasets", dataset.name, "entities", entity)
            if column not in dict(dataset.computed):
                yield from _column(model, columns, dataset.name, column, at)
        for name, expr in dataset.computed:
            if name in columns.get(dataset.name, ()):
                message = f'The files of "{dataset.name}" have a column "{name}" already.'
                yield Problem(Code.NAME_COLLISION, message, expr.position, "Give the one that is made another name.")


def _identities(model: Model, columns: Columns) -> Iterator[Problem]:
    for identity in model.identities.values():
        kinds = {}
        for key, column in (("from", identity.source), ("to", identity.target)):
            at = model.places.at("identities", identity.entity, key)
            yield from _column(model, columns, identity.dataset, column, at)
            kinds[key] = columns.get(identity.dataset, {}).get(column)
        if None not in kinds.values() and kinds["from"] is not kinds["to"]:
            message = f"Ids are read as ids of their kind, and these are {kinds['from']} and {kinds['to']}."
            at = model.places.at("identities", identity.entity, "to")
            yield Problem(Code.BAD_VALUE, message, at, "Store both in one type.")
            continue
        yield from _ids(model, columns, identity, kinds["from"])


def _ids(model: Model, columns: Columns, identity: Identity, kind: Kind | None) -> Iterator[Problem]:
    """The ids of every dataset that has the entity are of the kind of the map's."""
    for dataset in model.datasets.values():
        column = dataset.entity_column(identity.entity)
        known = columns.get(dataset.name, {}).get(column or "")
        if kind is None or known is None or known is kind:
            continue
        message = f'The ids in "{column}" are {known}, and those of "{identity.dataset}" are {kind}.'
        at = model.places.at("datasets", dataset.name, "entities", identity.entity)
        yield Problem(Code.BAD_VALUE, message, at, "Cast them: {column: …, expr: cast(… as varchar)}.")


def _time_dimensions(model: Model, columns: Columns) -> Iterator[Problem]:
    for dataset in model.datasets.values():
        at = model.places.at("datasets", dataset.name, "time_dimension")
        yield from _time_column(model, columns, dataset.name, dataset.time_dimension, at)
    for score in model.scores.values():
        at = model.places.at("scores", score.name, "time_dimension")
        yield from _time_column(model, columns, score.dataset, score.time_dimension, at)
    for metric in model.metrics.values():
        if isinstance(metric, Simple):
            chosen = metric.time_dimension
            target = target_of(model, metric.dataset, chosen) if chosen is not None else None
            if chosen is not None and target is not None:
                yield from _time_column(model, columns, target, chosen.name, at_part(chosen, len(chosen.path)))


def _time_column(
    model: Model, columns: Columns, dataset: str, column: str | None, at: Position | None
) -> Iterator[Problem]:
    if column is None or dataset not in columns:
        return
    yield from _column(model, columns, dataset, column, at)
    kind = columns[dataset].get(column, Kind.DATE)
    if kind not in _TIMES:
        times = [name for name, other in columns[dataset].items() if other in _TIMES]
        message = f'The column "{column}" of "{dataset}" is {kind}, and a time dimension is a date or timestamp.'
        yield Problem(Code.BAD_VALUE, message, at, f"Dates and timestamps: {', '.join(times)}." if times else None)


def _currencies(model: Model, columns: Columns) -> Iterator[Problem]:
    for dataset in model.datasets.values():
        currency = dataset.currency
        if currency is None:
            continue
        at = ("datasets", dataset.name, "currency")
        rates, day = currency.rates, model.datasets[currency.rates.dataset].time_dimension
        number = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
        wanted: list[tuple[str, str, tuple[Kind, ...], str, str]] = []
        wanted += [(dataset.name, name, number, "an amount is a number", "amounts") for name in currency.amounts]
        wanted.append((dataset.name, currency.column, (Kind.STRING,), "a currency is a text", "column"))
        wanted.append((dataset.name, currency.time or "", _TIMES, "a day is of a date or timestamp", "time"))
        wanted.append((rates.dataset, rates.currency, (Kind.STRING,), "a currency is a text", "rates"))
        wanted.append((rates.dataset, rates.rate, number, "a rate is a number", "rates"))
        wanted.append((rates.dataset, day or "", (Kind.DATE,), "the day of a rate is a date", "rates"))
        for name, column, kinds, why, key in wanted:
            if column:
                yield from _kind_of(model, columns, name, column, kinds, why, model.places.at(*at, key))


def _kind_of(
    model: Model,
    columns: Columns,
    dataset: str,
    column: str,
    kinds: tuple[Kind, ...],
    why: str,
    at: Position | None,
) -> Iterator[Problem]:
    yield from _column(model, columns, dataset, column, at)
    kind = columns.get(dataset, {}).get(column, kinds[0])
    if kind not in kinds:
        message = f'The column "{column}" of "{dataset}" is {kind}, and {why}.'
        yield Problem(Code.BAD_VALUE, message, at)


def _relationships(model: Model, columns: Columns) -> Iterator[Problem]:
    for relationship in model.relationships.values():
        if relationship.implied:  # by an entity, whose column has been looked at
            continue
        for mine, theirs in relationship.columns:
            path = ("relationships", relationship.name, "columns", mine)
            if mine not in dict(model.datasets[relationship.from_dataset].computed):
                yield from _column(model, columns, relationship.from_dataset, mine, model.places.at(*path, "key"))
            yield from _column(model, columns, relationship.to_dataset, theirs, model.places.at(*path))


def _expressions(model: Model, columns: Columns) -> Iterator[Problem]:
    for dataset, expression in expressions(model):
        for ref in expression.refs:
            target = target_of(model, dataset, ref)
            is_made = target is not None and ref.name in dict(model.datasets[target].computed)
            if target is not None and not is_made and dimension_read(model, target, ref) is None:
                quoted = _quoted_text(expression, ref)
                yield from _column(model, columns, target, ref.name, at_part(ref, len(ref.path)), quoted)


def _quoted_text(expression: Expression, ref: Ref) -> str | None:
    """A hint for authors who write a text in double quotes."""
    if f'"{ref.name}"' in expression.source:
        return f"A text is written in single quotes: '{ref.name}'."
    return None


def _column(
    model: Model, columns: Columns, dataset: str, name: str, at: Position | None, hint: str | None = None
) -> Iterator[Problem]:
    known = columns.get(dataset)
    if known is None or name in known:
        return
    own = next((one for one in model.datasets[dataset].dimensions if one.name == name), None)
    is_dimension = own is not None and own.expr.source != name
    addition = "; it is the name of a dimension, and not of a column" if is_dimension else ""
    message = f'The files of "{dataset}" have no column "{name}"{addition}.'
    expression = f"Write its expression: {own.expr.source}." if own and is_dimension else None
    yield Problem(Code.UNKNOWN_COLUMN, message, at, hint or expression or near(name, known))

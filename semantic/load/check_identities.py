"""Rules on who is who: entities made of columns, and ids that stand for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.load.suggest import near
from semantic.model.model import Model
from semantic.model.reach import identities_of


def check_computed(model: Model) -> Iterator[Problem]:
    """A column that the files don't have is made of the dataset's own columns, in one way."""
    for dataset in model.datasets.values():
        computed = [name for name, _ in dataset.computed]
        for entity, column in dataset.entities:
            at = ("datasets", dataset.name, "entities", entity, "column")
            if at in model.places and computed.count(column) > 1:
                message = f'The column "{column}" is made in two ways.'
                yield Problem(Code.DUPLICATE_NAME, message, model.places.at(*at), "Give one of them another name.")
        for name, expr in dataset.computed:
            for ref in expr.refs:
                if ref.path:
                    message = f"\"{name}\" is made of the dataset's own columns: {ref} is another dataset's."
                    yield Problem(Code.BAD_EXPRESSION, message, ref.position)
                elif ref.name in computed:
                    message = f'"{name}" is made of columns of the files, and "{ref}" is none.'
                    yield Problem(Code.BAD_EXPRESSION, message, ref.position)


def check_identities(model: Model) -> Iterator[Problem]:
    """An identity is of an entity, its map hides nothing, and no column is two of them."""
    entities = {entity for dataset in model.datasets.values() for entity, _ in dataset.entities}
    for identity in model.identities.values():
        at = ("identities", identity.entity)
        if identity.entity not in entities:
            message = f'No dataset has the entity "{identity.entity}".'
            yield Problem(Code.UNKNOWN_REFERENCE, message, model.places.at(*at), near(identity.entity, entities))
        if identity.source == identity.target:
            message = "An id stands for another: the two columns are one."
            yield Problem(Code.BAD_VALUE, message, model.places.at(*at, "to"))
            continue
        dataset = model.datasets[identity.dataset]
        if dataset.primary_key == (identity.source,) and not dataset.unique:
            message = f'With the key "{identity.source}" nobody would see that an id stands for several others.'
            advice = f'Make it [{identity.source}, {identity.target}], or say "unique: true" where none repeats.'
            where = model.places.at("datasets", dataset.name, "primary_key")
            yield Problem(Code.BAD_VALUE, message, where, advice)
    for name in model.datasets:
        uses = Counter(column for column, _ in identities_of(model, name))
        for column in (column for column, count in uses.items() if count > 1):
            message = f'The column "{column}" is of two entities that have identities: it can\'t be read as both.'
            yield Problem(Code.BAD_VALUE, message, model.places.at("datasets", name, "entities"))

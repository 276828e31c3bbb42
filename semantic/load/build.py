"""Read fields → the model's dataclasses: defaults are filled in here, and nothing is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from semantic.load.build_metrics import build_metric
from semantic.load.build_scores import Made, build_first, build_score, implied, made_datasets
from semantic.load.build_sequences import build_attribution, build_funnel, build_retention
from semantic.load.expression import Scope, parse_expression
from semantic.load.merge import Sections
from semantic.load.read_shape import Fields
from semantic.model.dataset import Dataset, Dimension, DimensionType, Relationship, Segment, SharedDimension
from semantic.model.expression import Expression, Ref
from semantic.model.identity import Identity
from semantic.model.model import Model
from semantic.model.money import Currency
from semantic.model.places import Places
from semantic.model.policy import DatasetPolicy, HidePolicy, MetricPolicy, Policy, Rollup, SqlPolicy
from semantic.model.text import NO_TEXT

Item = TypeVar("Item")


def build(digest: str, settings: Mapping[str, Any], sections: Sections, places: Places) -> Model:
    """The model of everything that was read well enough to be used."""
    shared = _named(sections["dimensions"], build_shared)
    datasets = _named(sections["datasets"], lambda fields: build_dataset(fields, shared))
    scores, firsts = _named(sections["scores"], build_score), _named(sections["firsts"], build_first)
    made: list[Made] = [*scores.values(), *(first for name, first in firsts.items() if name not in scores)]
    return Model(
        digest=digest,
        **{key: value for key, value in settings.items() if key != "version"},
        dimensions=shared,
        datasets=MappingProxyType({**datasets, **made_datasets(made, datasets)}),
        relationships=MappingProxyType(
            {**_named(sections["relationships"], build_relationship), **implied(made, datasets)}
        ),
        identities=_named(sections["identities"], build_identity),
        metrics=_named(sections["metrics"], build_metric),
        funnels=_named(sections["funnels"], build_funnel),
        retentions=_named(sections["retentions"], build_retention),
        attributions=_named(sections["attributions"], build_attribution),
        scores=scores,
        firsts=firsts,
        rollups=_named(sections["rollups"], build_rollup),
        policies=_named(sections["policies"], build_policy),
        places=places,
    )


def _named(entries: Iterable[Fields], make: Callable[[Fields], Item]) -> Mapping[str, Item]:
    return MappingProxyType({fields["name"]: make(fields) for fields in entries if fields.usable})


def build_shared(fields: Fields) -> SharedDimension:
    """A name of the shared vocabulary."""
    return SharedDimension(
        name=fields["name"],
        type=fields["type"],
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def build_dataset(fields: Fields, shared: Mapping[str, SharedDimension]) -> Dataset:
    """A dataset; its dimensions inherit from the shared vocabulary."""
    freshness, entities = fields.get("freshness"), fields.get("entities", ())
    return Dataset(
        name=fields["name"],
        source=fields["source"],
        primary_key=fields.get("primary_key", ()),
        unique=fields.get("unique", False),
        time_dimension=fields.get("time_dimension"),
        timezone=fields.get("timezone", "UTC"),
        entities=tuple((name, entity.column) for name, entity in entities),
        computed=tuple(
            dict.fromkeys(
                (*fields.get("columns", ()), *((one.column, one.expr) for _, one in entities if one.expr is not None))
            )
        ),
        currency=build_currency(fields["currency"]) if "currency" in fields.values else None,
        dimensions=tuple(build_dimension(entry, shared) for entry in fields.get("dimensions", ()) if entry.usable),
        segments=tuple(build_segment(entry) for entry in fields.get("segments", ()) if entry.usable),
        passive=fields.get("passive"),
        data_through=fields.get("data_through"),
        warn_after=freshness.get("warn_after") if freshness else None,
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def build_currency(fields: Fields) -> Currency:
    """In which currency amounts are."""
    return Currency(fields["column"], fields["amounts"], fields["rates"], fields.get("time"), fields.at)


def build_dimension(fields: Fields, shared: Mapping[str, SharedDimension]) -> Dimension:
    """A dataset's dimension: what it doesn't say, the shared one of its name says."""
    name = fields["name"]
    common = shared.get(name, SharedDimension(name, DimensionType.STRING))
    column = Expression(f'"{name}"', (Ref((), name, fields.at),), source=name, position=fields.at)
    expr = fields.get("expr", column)
    return Dimension(
        name=name,
        type=fields.get("type", common.type),
        expr=with_default(expr, fields["default"]) if "default" in fields.values else expr,
        label=fields.get("label", common.label),
        description=fields.get("description", common.description),
        position=fields.at,
    )


def with_default(expr: Expression, default: str) -> Expression:
    """The expression as a text, and the default where it is null."""
    text = "'" + default.replace("'", "''") + "'"
    parsed = parse_expression(f"coalesce(cast({expr.sql} as varchar), {text})", Scope.ROWS)
    return replace(expr, sql=parsed.sql, source=f"coalesce({expr.source}, {text})")


def build_segment(fields: Fields) -> Segment:
    """A named filter."""
    return Segment(
        name=fields["name"],
        where=fields["where"],
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def build_relationship(fields: Fields) -> Relationship:
    """A many-to-one join."""
    return Relationship(
        name=fields["name"],
        from_dataset=fields["from"],
        to_dataset=fields["to"],
        columns=fields["columns"],
        label=fields.get("label", NO_TEXT),
        position=fields.at,
    )


def build_identity(fields: Fields) -> Identity:
    """Ids that stand for others."""
    return Identity(fields["name"], fields["dataset"], fields["from"], fields["to"], fields.at)


def build_rollup(fields: Fields) -> Rollup:
    """A stored aggregate."""
    return Rollup(
        name=fields["name"],
        dataset=fields["dataset"],
        dimensions=fields["dimensions"],
        grain=fields["grain"],
        metrics=fields["metrics"],
        position=fields.at,
    )


def build_policy(fields: Fields) -> Policy:
    """A policy of the kind that its keys say."""
    name, unless = fields["name"], fields.get("unless")
    if "hide" in fields.values:
        return HidePolicy(name, fields["hide"], unless, fields.at)
    if "metrics" in fields.values:
        return MetricPolicy(name, fields["metrics"], fields["k"], unless, fields.at)
    if "sql" in fields.values:
        return SqlPolicy(name, unless, fields.at)
    return DatasetPolicy(
        name=name,
        dataset=fields["dataset"],
        where=fields.get("where"),
        entities=fields.get("entities", True),
        k=fields.get("k"),
        unless=unless,
        position=fields.at,
    )

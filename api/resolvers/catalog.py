"""The root field `catalog`, and how fresh each dataset is."""

from __future__ import annotations

from datetime import UTC, date, datetime

from api.resolvers.context import Context
from api.resolvers.selection import Info, selected
from api.schema.catalog import Catalog, Freshness
from api.schema.scalars import Day, Long, Period
from semantic.model.facts import Bounds
from semantic.query.access import row_policies
from semantic.query.period import data_through
from semantic.time import zone


async def catalog(root: None, info: Info, **_arguments: object) -> Catalog:
    """The catalog in the language asked for, else the request's."""
    given = selected(info.core).arguments.get("locale")
    return info.context.catalogs.get(given or info.context.locale)


async def freshness(name: str, context: Context) -> Freshness:
    """What is true of a dataset's files now; of its rows, only for who may see all. DataError when it can't be read."""
    name = context.model.stored_as(name)
    facts = (await context.engine.facts((name,))).datasets[name]
    dataset = context.model.datasets[name]
    bounds = facts.bounds.get(dataset.time_dimension) if dataset.time_dimension else None
    whole = not row_policies(context.model, context.viewer, name)
    through = data_through(dataset, facts, zone(context.model.timezone))
    return Freshness(
        data_version=facts.version,
        data_through=None if through is None else Day(through),
        newest=None if bounds is None or not whole else _newest(bounds, context.model.timezone),
        rows=Long(facts.rows) if whole else None,
        warn_after=None if dataset.warn_after is None else str(dataset.warn_after),
        warnings=list(facts.warnings),
    )


def _newest(bounds: Bounds, timezone: str) -> Period:
    last: date | datetime = bounds.last
    if isinstance(last, datetime):
        last = last.replace(tzinfo=UTC).astimezone(zone(timezone))
    return Period(last.isoformat())

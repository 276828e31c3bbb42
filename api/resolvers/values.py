"""The root field `dimensionValues`: what a filter picker shows."""

from __future__ import annotations

from api.resolvers import arguments
from api.resolvers.answers import ask
from api.resolvers.rows import Rows
from api.resolvers.selection import Info, selected
from semantic.query.values import ValuesQuery
from semantic.time import zone


async def dimension_values(root: None, info: Info, **_arguments: object) -> Rows:
    """The values of a dimension, most frequent first."""
    context = info.context
    given = selected(info.core).arguments
    name = given.get("timezone")
    tz = zone(context.model.timezone if name is None else name)
    limit = given["limit"]
    question = ValuesQuery(
        dimension=given["dimension"].value,
        search=given.get("search"),
        where=arguments.condition(context.names, given.get("where"), tz),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=name,
        limit=100 if limit is None else limit,
    )
    answered = await ask(context, question)
    return Rows(answered.answer.table, tz, by_field=True)

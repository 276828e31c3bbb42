"""Read fields → metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from semantic.load.read_shape import Fields
from semantic.model.metric import (
    Attribution,
    Conversion,
    Cumulative,
    Derived,
    Format,
    Metric,
    Ratio,
    Retention,
    Simple,
)
from semantic.model.text import NO_TEXT


def build_metric(fields: Fields) -> Metric:
    """The metric of the type that was written."""
    return _BY_TYPE[fields["type"]](fields)


def _described(fields: Fields) -> dict[str, Any]:
    return {
        "name": fields["name"],
        "label": fields.get("label", NO_TEXT),
        "description": fields.get("description", NO_TEXT),
        "format": fields.get("format", Format.NUMBER),
        "fill": fields.get("fill"),
        "unallocated_null": fields.get("unallocated", False),
        "position": fields.at,
    }


def _simple(fields: Fields) -> Simple:
    return Simple(
        **_described(fields),
        dataset=fields["dataset"],
        agg=fields["agg"],
        expr=fields.get("expr"),
        where=fields.get("where"),
        p=fields.get("p"),
        time_dimension=fields.get("time_dimension"),
    )


def _ratio(fields: Fields) -> Ratio:
    return Ratio(**_described(fields), numerator=fields["numerator"], denominator=fields["denominator"])


def _derived(fields: Fields) -> Derived:
    return Derived(**_described(fields), expr=fields["expr"])


def _cumulative(fields: Fields) -> Cumulative:
    return Cumulative(
        **_described(fields),
        metric=fields["metric"],
        window=fields.get("window"),
        grain_to_date=fields.get("grain_to_date"),
    )


def _conversion(fields: Fields) -> Conversion:
    return Conversion(**_described(fields), funnel=fields["funnel"], from_step=fields["from"], to_step=fields["to"])


def _retention(fields: Fields) -> Retention:
    return Retention(
        **_described(fields),
        retention=fields["retention"],
        period=fields["period"],
        value=fields.get("value"),
        cost=fields.get("cost"),
        mature=fields.get("mature"),
    )


def _attribution(fields: Fields) -> Attribution:
    return Attribution(
        **_described(fields),
        attribution=fields["attribution"],
        value=fields.get("value"),
        time=fields.get("time"),
    )


_BY_TYPE: Final[Mapping[str, Callable[[Fields], Metric]]] = {
    "simple": _simple,
    "ratio": _ratio,
    "derived": _derived,
    "cumulative": _cumulative,
    "conversion": _conversion,
    "retention": _retention,
    "attribution": _attribution,
}

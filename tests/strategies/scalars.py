"""Values of our scalars in documents made at random: such that mean something, at the edges too."""

from __future__ import annotations

from graphql import ValueNode
from hypothesis import strategies as st
from hypothesis_graphql import nodes

DAYS = st.sampled_from(["2026-11-01", "2026-11-03", "2026-11-05", "0001-01-01", "9999-12-31"])
INSTANTS = st.sampled_from(
    ["2026-11-03T08:00:00+08:00", "2026-11-04T00:00:00Z", "2026-11-04T00:00:00", "9999-12-31T23:59:59Z"]
)
TEXTS = st.sampled_from(["", "ads", "search", "渠道", "'", '"', "%", "\\", "\u0000", "DAY", "u1"])
DECIMALS = st.sampled_from(["0.1", "7", "1e3"])
WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 100)
VALUES = st.one_of(TEXTS.map(nodes.String), WHOLE.map(nodes.Int), st.booleans().map(nodes.Boolean))
SCALARS: dict[str, st.SearchStrategy[ValueNode]] = {
    "Date": DAYS.map(nodes.String),
    "DateTime": INSTANTS.map(nodes.String),
    "Time": st.one_of(DAYS, INSTANTS).map(nodes.String),
    "Decimal": st.one_of(st.integers(-(10**40), 10**40).map(nodes.Int), DECIMALS.map(nodes.String)),
    "Long": WHOLE.map(nodes.Int),
    "Value": VALUES,
    "Claims": VALUES,
}

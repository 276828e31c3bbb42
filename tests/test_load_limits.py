"""Models that are too large in some way, and one that is merely large."""

from __future__ import annotations

import pytest
from strawberry.utils.str_converters import to_camel_case

from semantic.errors import ModelError
from semantic.load import load_texts
from semantic.load.check_dimensions import MAX_REACHED
from semantic.load.check_metrics import MAX_DEPTH
from semantic.model.names import camel_case

HEAD = """\
version: 1
datasets:
  - {name: d, source: data/d.parquet, time_dimension: at}
metrics:
  - {name: m0, type: simple, dataset: d, agg: count}
"""


def said(text: str) -> str:
    with pytest.raises(ModelError) as raised:
        load_texts({"m.yml": text})
    return str(raised.value)


def test_a_tower_of_metrics() -> None:
    levels = [f"  - {{name: m{n}, type: cumulative, metric: m{n - 1}, window: 7 days}}" for n in range(1, 2_000)]
    assert len(load_texts({"m.yml": HEAD + "\n".join(levels[: MAX_DEPTH - 1])}).metrics) == MAX_DEPTH
    told = said(HEAD + "\n".join(levels))
    assert told.startswith("The model has 1 problem:\nm.yml:55:12: The metric is computed through more than 50 levels")


def test_a_pyramid_of_metrics() -> None:
    levels = [
        f"  - {{name: m{n}, type: derived, expr: m{n - 1} + n{n - 1}}}\n"
        f"  - {{name: n{n}, type: derived, expr: m{n - 1} - n{n - 1}}}"
        for n in range(1, 40)
    ]
    told = said(HEAD + "  - {name: n0, type: simple, dataset: d, agg: count}\n" + "\n".join(levels))
    assert told.count("10,000 parts") == 2


def test_a_web_of_relationships() -> None:
    names = [f"d{n}" for n in range(12)]
    datasets = "\n".join(f"  - {{name: {name}, source: data/x.parquet, dimensions: [{{name: x}}]}}" for name in names)
    relationships = "\n".join(
        f"  - {{name: {one}_{other}, from: {one}, to: {other}, columns: {{a: b}}}}"
        for one in names
        for other in names
        if one != other
    )
    told = said(f"version: 1\ndatasets:\n{datasets}\nrelationships:\n{relationships}")
    assert f'The dataset "d0" reaches more than {MAX_REACHED:,} dimensions through relationships.' in told


def large_model() -> str:
    """100 metrics over 4 datasets of 30 dimensions each."""
    dimensions = "".join(f"\n      - {{name: d{n}, expr: lower(c{n})}}" for n in range(30))
    lines = ["version: 1", "datasets:", "  - {name: users, source: data/u.parquet, dimensions: [{name: level}]}"]
    for k in range(4):
        lines.append(f"  - name: s{k}\n    source: data/x.parquet\n    time_dimension: at\n    dimensions:{dimensions}")
    lines.append("relationships:")
    lines += [f"  - {{name: r{k}, from: s{k}, to: users, columns: {{user_id: id}}}}" for k in range(4)]
    lines.append("metrics:")
    for n in range(70):
        where = f"status = 'p{n}' and r{n % 4}.level <> 'x'"
        expr = f"a{n} * (1 - b{n}) / c{n}"
        lines.append(f"  - {{name: m{n}, type: simple, dataset: s{n % 4}, agg: sum, expr: {expr}, where: {where}}}")
    lines += [f"  - {{name: q{n}, type: ratio, numerator: m{n}, denominator: m{n + 1}}}" for n in range(30)]
    return "\n".join(lines)


def test_a_large_model_loads() -> None:
    """How long it takes is for bench/ to say."""
    assert len(load_texts({"m.yml": large_model()}).metrics) == 100


def test_names_are_spelled_as_strawberry_spells_them() -> None:
    for name in ("uv", "uv_7d", "ad_cost", "buyer_member_level", "a_1_b"):
        assert camel_case(name) == to_camel_case(name)

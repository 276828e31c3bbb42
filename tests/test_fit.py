"""Fitting who still buys: to people simulated with known parameters, and what is refused."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from api.commands.fit import command
from semantic.errors import QueryError
from semantic.report.alive import fit
from semantic.report.group import Row
from tests.shop import make_project

TRUE = (0.6, 12.0, 0.9, 2.8)


def simulated(people: int, seed: int) -> list[tuple[float, list[float]]]:
    """How long ago people first bought, and how long after that again: at rates, and until they stop by a chance."""
    chance, (r, alpha, a, b) = np.random.default_rng(seed), TRUE
    found = []
    for _ in range(people):
        age = float(chance.uniform(60, 150))
        rate, stops = chance.gamma(r, 1 / alpha), chance.beta(a, b)
        times: list[float] = []
        now = chance.exponential(1 / rate)
        while now <= age:
            times.append(float(now))
            if chance.random() < stops:
                break
            now += chance.exponential(1 / rate)
        found.append((age, times))
    return found


def history(people: list[tuple[float, list[float]]]) -> list[Row]:
    return [{"repeats": len(times), "last": max(times, default=0.0), "age": age, "count": 1} for age, times in people]


@pytest.mark.parametrize(("unit", "scale"), [(1, 1.0), (7, 7.0)])
def test_known_parameters_are_found(unit: int, scale: float) -> None:
    found = fit(history(simulated(6000, seed=3)), unit)
    assert (found.people, found.unit_days) == (6000, unit)
    assert found.r == pytest.approx(TRUE[0], rel=0.12)
    assert found.alpha == pytest.approx(TRUE[1] / scale, rel=0.2)
    assert found.a / (found.a + found.b) == pytest.approx(TRUE[2] / (TRUE[2] + TRUE[3]), rel=0.1)


def test_counted_rows_are_as_many_rows() -> None:
    rows: list[Row] = [
        {"repeats": repeats, "last": last, "age": 60, "count": 40 - 10 * repeats}
        for repeats, last in ((0, 0), (1, 20), (2, 31), (3, 45))
    ]
    apart = [{**row, "count": 1} for row in rows for _ in range(row["count"])]
    assert fit(rows, 1).likelihood == pytest.approx(fit(apart, 1).likelihood)


def test_too_little_is_refused() -> None:
    with pytest.raises(QueryError, match="0 have bought on several days: too few"):
        fit([], 1)
    with pytest.raises(QueryError, match="29 have bought on several days: too few"):
        fit([{"repeats": 1, "last": 3, "age": 9, "count": 29}, {"repeats": 0, "last": 0, "age": 9, "count": 99}], 1)


def test_what_has_no_likeliest_is_refused() -> None:
    """Everybody bought every day, to the end: nobody ever stops."""
    with pytest.raises(QueryError, match="No parameters fit best"):
        fit([{"repeats": 50, "last": 50, "age": 50, "count": 500}], 1)


SCORED = """\
version: 1
datasets:
  - {name: orders, source: data/orders.parquet, time_dimension: paid_on, entities: {user: user_id}}
scores:
  - {name: worth, version: "1", entity: user, dataset: orders, amount: "1", recency: [7], frequency: [2], monetary: [1]}
"""
NOW = date(2026, 11, 30)


def orders(people: list[tuple[float, list[float]]]) -> str:
    """Their purchases by day, and a row that says the data ends after NOW."""
    bought = [
        (f"u{number}", NOW - timedelta(days=int(age)) + timedelta(days=int(time)))
        for number, (age, times) in enumerate(people)
        for time in (0.0, *times)
    ]
    rows = ", ".join(f"('{who}', date '{day}')" for who, day in bought)
    return f"select * from (values {rows}, (null, date '{NOW + timedelta(days=1)}')) as t(user_id, paid_on)"


def test_the_command_prints_what_to_paste(tmp_path: Path) -> None:
    model = make_project(tmp_path, SCORED, orders=orders(simulated(1500, seed=5)))
    given = ["worth", "--unit", "week", "--model", str(model), "--root", str(tmp_path)]
    result = CliRunner().invoke(command, given)
    assert result.exit_code == 0, result.output
    told, pasted = result.stdout.splitlines()
    assert re.fullmatch(rf"# 1,500 up to {NOW}, [\d,]+ of them on several days; log-likelihood -[\d.]+", told)
    (model / "shop.yml").write_text(SCORED.replace("monetary: [1]}", f"monetary: [1], {pasted}}}"), encoding="utf-8")
    again = CliRunner().invoke(command, [*given, "--until", "2026-11-20"])
    assert "up to 2026-11-20" in again.stdout

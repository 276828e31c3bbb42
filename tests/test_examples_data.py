"""The examples: their excerpts are what the notes say, their models fit them, the whole data is fetched whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from semantic.load import load_folder
from semantic.model.metric import Simple

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = {"online_retail": "onlineretail.parquet", "ecom_clickstream": "ecom.csv.gz"}
LARGEST = 300_000


def rows(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(sql).fetchall()


def run_fetch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "HEADWATER_DATA"}
    command = [sys.executable, str(EXAMPLES / "fetch.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean | environment)


@pytest.mark.parametrize("name", FILES)
def test_the_model_fits_the_excerpt(name: str) -> None:
    data = EXAMPLES / name / "data" / FILES[name]
    assert data.stat().st_size <= LARGEST
    columns = {row[0] for row in rows(f"describe from '{data}'")}
    model = load_folder(EXAMPLES / name)
    for dataset in model.datasets.values():
        assert {dataset.time_dimension, *dataset.primary_key} <= columns
        for expression in (d.expr for d in dataset.dimensions):
            assert {ref.name for ref in expression.refs} <= columns
    for metric in model.metrics.values():
        assert {locale for locale, _ in metric.label.by_locale} == {"en", "zh"}, metric.name
        assert {locale for locale, _ in metric.description.by_locale} == {"en", "zh"}, metric.name
        if isinstance(metric, Simple):
            for part in (metric.expr, metric.where):
                assert {ref.name for ref in (part.refs if part else ())} <= columns, metric.name


def test_the_excerpts_are_what_the_notes_say() -> None:
    retail = f"'{EXAMPLES}/online_retail/data/onlineretail.parquet'"
    assert rows(f"select count(*), count(distinct CustomerID) from {retail}") == [(25_807, 206)]
    clicks = f"'{EXAMPLES}/ecom_clickstream/data/ecom.csv.gz'"
    counts = "count(*), count(distinct user_id), count(distinct session_id), count(*) filter (event = 'purchase')"
    assert rows(f"select {counts} from {clicks}") == [(5_957, 120, 720, 98)]


def test_fetch_makes_a_whole_model_folder(tmp_path: Path) -> None:
    data = tmp_path / "data" / "ecom_clickstream"
    data.mkdir(parents=True)
    (data / "ecom.csv.gz").write_bytes(b"whole")
    out = tmp_path / "out"
    result = run_fetch("--out", str(out), "ecom_clickstream", HEADWATER_DATA=str(tmp_path / "data"))
    assert (result.returncode, result.stdout) == (0, f"{out / 'ecom_clickstream'}\n")
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert made == {f"ecom_clickstream/{name}" for name in ("model.yml", "metrics.yml", "data/ecom.csv.gz")}
    assert (out / "ecom_clickstream" / "data" / "ecom.csv.gz").read_bytes() == b"whole"


def test_fetch_says_what_is_wrong(tmp_path: Path) -> None:
    missing = run_fetch("--from", str(tmp_path), "online_retail", "--out", str(tmp_path / "out"))
    assert (missing.returncode, missing.stderr) == (
        1,
        "online_retail: no online_retail/onlineretail.parquet in the data folder\n",
    )
    nowhere = run_fetch()
    assert nowhere.returncode == 2
    assert "HEADWATER_DATA" in nowhere.stderr
    unknown = run_fetch("--from", str(tmp_path), "retail")
    assert unknown.returncode == 2
    assert "there are online_retail, ecom_clickstream" in unknown.stderr

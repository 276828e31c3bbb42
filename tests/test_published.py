"""What others published about two public data sets, asked of their examples over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.settings import Settings
from tests.live import LiveServer

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"

MONTHLY_COHORTS = {
    "2010-12-01": (885, [324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]),
    "2011-01-01": (417, [92, 111, 96, 134, 120, 103, 101, 125, 136, 152, 49]),
    "2011-02-01": (380, [71, 71, 108, 103, 94, 96, 106, 94, 116, 26]),
}
"""First purchases of a month and who bought again 1, 2, … months later: HarshTanwar001/Cohort-Analysis. The last of
each is the December that the data ends in.
"""
DAYS = {1: (32, 600), 3: (37, 600), 7: (25, 600), 30: (28, 597)}
"""Day N → who returned, of those first seen long enough ago."""


@contextmanager
def serving(live: LiveServer, name: str, tmp_path: Path) -> Iterator[None]:
    """An example's model over the published excerpt."""
    folder = tmp_path / name
    shutil.copytree(HERE / "published" / name, folder / "data")
    for model in (EXAMPLES / name).glob("*.yml"):
        shutil.copyfile(model, folder / model.name)
    with live.serving(Settings(model=folder, reload=False)):
        yield


def ask(live: LiveServer, query: str) -> Any:
    reply = live.ask(query).json
    assert "errors" not in reply, reply
    return reply["data"]


def test_the_monthly_cohorts_of_online_retail(live: LiveServer, tmp_path: Path) -> None:
    dates = '{dates: {from: "2010-12-01", to: "2011-02-28"}}'
    cells = "cells { count rate mature }"
    with serving(live, "online_retail", tmp_path):
        report = ask(
            live, f"{{ retention(name: BUYERS_RETURN, timeRange: {dates}) {{ cohorts {{ time size {cells} }} }} }}"
        )
        rows = ask(live, f"{{ metrics(timeRange: {dates}) {{ rows {{ time(grain: MONTH) secondMonthRetention }} }} }}")
    cohorts = report["retention"]["cohorts"]
    assert [cohort["time"] for cohort in cohorts] == list(MONTHLY_COHORTS)
    for cohort in cohorts:
        size, published = MONTHLY_COHORTS[cohort["time"]]
        assert cohort["size"] == size
        assert [cell["count"] for cell in cohort["cells"]] == published + [0] * (12 - len(published))
        final = len(published) - 1  # the data ends within the last month
        assert [cell["mature"] for cell in cohort["cells"]] == [True] * final + [False] * (12 - final)
        assert [cell["rate"] for cell in cohort["cells"][:final]] == [count / size for count in published[:final]]
    rates = [row["secondMonthRetention"] for row in rows["metrics"]["rows"]]
    assert rates == [published[0] / size for size, published in MONTHLY_COHORTS.values()]


def test_the_day_n_figures_of_ecom_clickstream(live: LiveServer, tmp_path: Path) -> None:
    with serving(live, "ecom_clickstream", tmp_path):
        report = ask(live, "{ retention(name: USERS_RETURN) { overall { period count eligible rate } } }")
        whole = ask(live, "{ metrics { totals { d1Retention d7Retention } } }")
    overall = {cell["period"]: cell for cell in report["retention"]["overall"]}
    assert {day: (overall[day]["count"], overall[day]["eligible"]) for day in DAYS} == DAYS
    assert all(overall[day]["rate"] == count / eligible for day, (count, eligible) in DAYS.items())
    assert whole["metrics"]["totals"] == {"d1Retention": 32 / 600, "d7Retention": 25 / 600}

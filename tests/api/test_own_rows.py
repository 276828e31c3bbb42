"""Through HTTP, with real keys: what a viewer is told is what there would be to tell without the rows of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings
from api.viewers.keys import new_key, write_keys
from tests.compiling import questions
from tests.compiling.rows import tables
from tests.live import LiveServer
from tests.reference.same import differences
from tests.reference.world import Table
from tests.test_rewrite import MARKET, VIEWERS, own_rows

RANGE = 'timeRange: {dates: {from: "2026-11-04", to: "2026-11-12"}}'
SALES = "sales revenue buyers averageSale cheapestSale dearestSale medianSale p90Sale northRevenue brandedSales"
OTHERS = "costPrice returns refunds returnRate net margin"
DOCUMENTS = {
    "metrics": f"{{ metrics({RANGE}) {{ rows {{ shop {SALES} {OTHERS} }} totals {{ {SALES} {OTHERS} }} }} }}",
    "periods": f"""{{ metrics({RANGE}, fill: true) {{
        rows {{ time(grain: DAY) shop sales returns buyers7d revenueMtd }} }} }}""",
    "sequences": f"{{ metrics({RANGE}) {{ rows {{ sellerRegion saleToReturn backNextDay regrettedRefunds }} }} }}",
    "offset": f"{{ metrics({RANGE}) {{ rows {{ sellerOwner sales(offset: {{count: 2, unit: DAY}}) }} }} }}",
    "table": f"""{{ table(metrics: [SALES, CHEAPEST_SALE], dimensions: [CATEGORY, PRODUCT_BRAND], {RANGE}) {{
        rows totals }} }}""",
    "values": f"{{ dimensionValues(dimension: SELLER_REGION, {RANGE}) {{ value count }} }}",
    "funnel": f"""{{ funnel(name: BUY_AND_RETURN, breakdown: [SHOP], grain: WEEK, {RANGE}) {{
        steps {{ name count conversion medianSeconds }} groups {{ key {{ value }} steps {{ count }} }}
        periods {{ time steps {{ count }} }} dropOffs(step: 1) {{ entity }} timeToConvert {{ count }} }} }}""",
    "retention": f"""{{ retention(name: BUYERS_AGAIN, breakdown: [SHOP], periods: 4, {RANGE}) {{
        cohorts {{ time size cells {{ count rate }} }} groups {{ cells {{ count }} }}
        lifecycle(grain: WEEK) {{ new returning dormant }} }} }}""",
    "paths": f"""{{ paths(by: SHOP, from: {{sellerRegion: {{ne: "north"}}}}, within: {{count: 9, unit: DAY}},
        {RANGE}) {{
        count nodes {{ count }} links {{ count }} sequences {{ count }} }} }}""",
    "entities": f"{{ scores(name: WORTH, {RANGE}) {{ entities {{ entity monetary frequency segment }} }} }}",
    "scores": f"{{ metrics({RANGE}) {{ rows {{ worthSegment worthy worthPaid sales }} }} }}",
}


@pytest.mark.parametrize("viewer", VIEWERS[:2], ids=lambda viewer: viewer.id)
def test_answers_are_those_over_own_rows(live: LiveServer, tmp_path: Path, viewer: Any) -> None:
    text = (questions.PLANS / "market" / "model.yml").read_text(encoding="utf-8")
    key, record = new_key(viewer.id, dict(viewer.claims))
    protected = served(tmp_path / "all", text, tables("market"))
    write_keys(protected / "headwater.keys.json", (record,))
    with live.serving(Settings(model=protected, reload=False)):
        found = {name: live.ask(query, x_api_key=key).json for name, query in DOCUMENTS.items()}
        assert live.ask(DOCUMENTS["metrics"]).status == 401
    own = served(tmp_path / "own", text[: text.index("\npolicies:")], own_rows(viewer))
    with live.serving(Settings(model=own, reload=False)):
        for name, query in DOCUMENTS.items():
            expected = live.ask(query).json
            assert "errors" not in expected, expected
            assert differences([expected["data"]], [found[name].get("data")]) == [], (name, found[name])


def served(root: Path, model: str, data: dict[str, Table]) -> Path:
    """A project of these files; its model's folder."""
    folder = root / "model"
    folder.mkdir(parents=True)
    (folder / "market.yml").write_text(model, encoding="utf-8")
    for name in MARKET.stored:
        data[name].write(root / "data" / name)
    return folder

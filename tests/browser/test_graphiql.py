"""The bundled page, as a person meets it: it opens, offers an example that runs, and asks nobody else for anything."""

from __future__ import annotations

import json
import urllib.request

import pytest
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.conftest import HUGE, Chromium

pytestmark = pytest.mark.browser

WITHIN = 30  # seconds; a busy machine renders slowly
RUN = ".graphiql-execute-button"
QUERY = ".graphiql-query-editor .view-lines"
ANSWER = ".result-window .view-lines"


def text_of(browser: Chromium, selector: str) -> str:
    """What a person reads there; the editor writes its spaces as non-breaking ones."""
    found = browser.find_elements(By.CSS_SELECTOR, selector)
    return found[0].text.replace("\xa0", " ") if found else ""


def wait_for(browser: Chromium, selector: str, *parts: str) -> str:
    """The text at `selector` as soon as it holds every one of `parts`."""

    def holds_all(_: object) -> bool:
        text = text_of(browser, selector)
        return bool(text) and all(part in text for part in parts)

    try:
        WebDriverWait(browser, WITHIN, ignored_exceptions=[StaleElementReferenceException]).until(holds_all)
    except TimeoutException:
        pytest.fail(f"{selector} never held {parts}; it holds {text_of(browser, selector)!r}; {browser.complaints()}")
    return text_of(browser, selector)


def open_page(browser: Chromium, server: str) -> None:
    browser.get(f"{server}/graphql")
    wait_for(browser, QUERY, "{")


def leave_open(browser: Chromium, query: str) -> None:
    """Fill the browser's storage as an earlier visit does that ended with this query in its only tab."""
    empty = dict.fromkeys(("variables", "headers", "operationName", "response", "hash"))
    state = {"activeTabIndex": 0, "tabs": [{"id": "1", "title": "test", "query": query, **empty}]}
    script = "localStorage.clear(); localStorage.setItem('headwater:graphiql:tabState', arguments[0])"
    browser.execute_script(script, json.dumps(state))


def run(browser: Chromium) -> None:
    browser.find_element(By.CSS_SELECTOR, RUN).click()


def ask(server: str, query: str, variables: object = None) -> dict[str, object]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{server}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    assert isinstance(answer, dict)
    return answer


def test_the_example_runs_and_shows_the_answer(server: str, chromium: Chromium) -> None:
    with urllib.request.urlopen(f"{server}/graphql/example", timeout=30) as response:
        example = json.load(response)
    expected = ask(server, example["query"], example.get("variables"))
    assert expected["data"]
    assert "errors" not in expected

    open_page(chromium, server)
    assert chromium.title == "Headwater"
    first_line = next(line.strip() for line in example["query"].splitlines() if line.strip())
    wait_for(chromium, QUERY, first_line)
    run(chromium)
    shown = wait_for(chromium, ANSWER, '"data"', '"gmv"')
    assert '"errors"' not in shown
    assert chromium.complaints() == []


def test_the_page_asks_no_other_host(server: str, chromium: Chromium) -> None:
    open_page(chromium, server)
    run(chromium)
    wait_for(chromium, ANSWER, '"data"')
    asked = {address for address in chromium.requested() if not address.startswith(("data:", "blob:"))}
    assert f"{server}/graphql" in asked
    assert {address for address in asked if not address.startswith(f"{server}/")} == set()


def test_the_explorer_lists_the_models_fields(server: str, chromium: Chromium) -> None:
    open_page(chromium, server)
    wait_for(chromium, ".graphiql-plugin", "metrics", "catalog")


def test_the_explorer_shows_lists_and_keeps_them(server: str, chromium: Chromium) -> None:
    order = 'orderBy: [{by: "gmv"}, {by: "channel"}]'
    open_page(chromium, server)
    where = 'where: {channel: {in: ["search"]}}'
    leave_open(chromium, f"{{\n  metrics(\n    {where}\n    {order}\n  ) {{\n    rows {{ channel gmv }}\n  }}\n}}")
    open_page(chromium, server)
    wait_for(chromium, ".graphiql-plugin", "where:", "in:")
    shown = chromium.find_element(By.CSS_SELECTOR, "[data-arg-name='in'] input")
    assert shown.get_attribute("value") == "search"
    shown.send_keys(Keys.END, "x")
    wait_for(chromium, QUERY, '["searchx"]')
    chromium.find_element(By.CSS_SELECTOR, "[data-arg-name='fill'] span").click()
    WebDriverWait(chromium, WITHIN).until(lambda _: "fill:" in written(chromium))
    assert order in written(chromium)
    assert '["searchx"]' in written(chromium)
    assert chromium.complaints() == []


def written(browser: Chromium) -> str:
    """The query of the only tab, as the page keeps it."""
    kept = browser.execute_script("return localStorage.getItem('headwater:graphiql:tabState')")
    return str(json.loads(kept)["tabs"][0]["query"])


def test_a_number_keeps_all_its_digits(server: str, chromium: Chromium) -> None:
    query = "{ metrics { rows { channel gmv } } }"
    assert str(HUGE + 30) in json.dumps(ask(server, query))
    open_page(chromium, server)
    leave_open(chromium, query)
    open_page(chromium, server)
    wait_for(chromium, QUERY, "gmv")
    run(chromium)
    wait_for(chromium, ANSWER, str(HUGE + 30))


def test_the_policy_of_the_page_allows_no_foreign_and_no_inline_script(server: str) -> None:
    request = urllib.request.Request(f"{server}/graphql", headers={"accept": "text/html"})
    with urllib.request.urlopen(request, timeout=30) as response:
        policy = response.headers["content-security-policy"]
        assert response.headers["content-type"].startswith("text/html")
    parts = {name: values for name, *values in (part.split() for part in policy.split(";") if part.strip())}
    assert parts["default-src"] == ["'self'"]
    assert parts.get("script-src", ["'self'"]) == ["'self'"]
    assert set(parts["worker-src"]) <= {"'self'", "blob:"}


def test_on_a_telephone_the_answer_stands_below_the_query(server: str, chromium: Chromium) -> None:
    screen = {"width": 400, "height": 850, "deviceScaleFactor": 1, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    open_page(chromium, server)
    run(chromium)
    wait_for(chromium, ANSWER, '"data"')
    query, answer = (chromium.find_element(By.CSS_SELECTOR, part).rect for part in (QUERY, ANSWER))
    assert query["y"] + 100 < answer["y"] < screen["height"] - 100
    assert 0 <= answer["x"] < answer["x"] + 200 < screen["width"]

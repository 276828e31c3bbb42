"""Settings: read from variables and options, and every one of them documented."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from api.commands.options import setting_options, settings_of
from api.settings import SETTINGS, Settings, from_environment, is_loopback
from semantic.errors import UserError

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_every_field_is_described() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in fields(Settings)]
    for setting in SETTINGS:
        assert setting.help.endswith(".")
        assert setting.default
        assert setting.expected


def test_every_setting_is_documented() -> None:
    text = "".join((DOCS / page).read_text(encoding="utf-8") for page in ("serving.md", "operations.md"))
    for setting in SETTINGS:
        row = f"| `{setting.variable}` | `{setting.option}` | {setting.help} | {setting.default} |"
        assert row in text, row


def test_the_described_defaults_are_the_defaults() -> None:
    shown = {setting.name: setting.default for setting in SETTINGS}
    plain = ("host", "port", "queue", "max_rows", "log_level")
    assert {name: shown[name] for name in plain} == {name: str(getattr(Settings(), name)) for name in plain}
    for setting in SETTINGS:
        if setting.default.replace(".", "").isdigit() or setting.default.endswith("iB"):
            assert setting.parse(setting.default) == getattr(Settings(), setting.name), setting.name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("model", "~/shop", Path("~/shop").expanduser()),
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "0", 0),
        ("reload", "off", False),
        ("reload", "TRUE", True),
        ("freshness_check", "0", 0.0),
        ("freshness_check", "2.5s", 2.5),
        ("deadline", "0", 0.0),
        ("concurrency", "3", 3),
        ("memory_limit", "512MB", 512_000_000),
        ("memory_limit", "2 GiB", 2 * 1024**3),
        ("memory_limit", "1.5gib", 3 * 1024**3 // 2),
        ("memory_limit", "1000", 1000),
        ("cache_bytes", "0", 0),
        ("show_sql", "0", False),
        ("log_level", "DEBUG", "debug"),
    ],
)
def test_values(name: str, text: str, value: object) -> None:
    settings = from_environment({f"HEADWATER_{name.upper()}": text})
    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "x"),
        ("port", "65536"),
        ("port", "-1"),
        ("reload", "maybe"),
        ("freshness_check", "-1"),
        ("freshness_check", "nan"),
        ("deadline", "inf"),
        ("concurrency", "0"),
        ("concurrency", "1.5"),
        ("max_rows", "999"),
        ("memory_limit", "much"),
        ("memory_limit", "5 XB"),
        ("log_level", "loud"),
    ],
)
def test_values_without_meaning(name: str, text: str) -> None:
    with pytest.raises(UserError, match=f'HEADWATER_{name.upper()} is "{text}", but must be '):
        from_environment({f"HEADWATER_{name.upper()}": text})


def test_an_empty_variable_is_not_set() -> None:
    assert from_environment({"HEADWATER_PORT": "", "HEADWATER_HOST": " "}) == Settings()


def test_what_is_set_reaches_the_engine() -> None:
    settings = Settings(deadline=5, cache_bytes=7, freshness_check=9, threads=2, concurrency=3, queue=4, memory_limit=8)
    engine = settings.engine
    assert (engine.deadline_seconds, engine.cache_bytes, engine.freshness_check) == (5, 7, 9)
    assert (engine.threads, engine.concurrent, engine.queue_length, engine.memory_limit) == (2, 3, 4, 8)


def test_sql_is_shown_where_only_this_machine_asks() -> None:
    assert Settings().may_show_sql
    assert not Settings(host="0.0.0.0").may_show_sql
    assert Settings(host="0.0.0.0", show_sql=True).may_show_sql
    assert not Settings(show_sql=False).may_show_sql


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_option_wins_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Settings] = []

    @click.command()
    @setting_options(*(setting.name for setting in SETTINGS))
    def command(**given: object) -> None:
        found.append(settings_of(given))

    monkeypatch.setenv("HEADWATER_PORT", "1")
    monkeypatch.setenv("HEADWATER_HOST", "::1")
    monkeypatch.setenv("HEADWATER_RELOAD", "0")
    result = CliRunner().invoke(command, ["--port", "2", "--no-show-sql"])
    assert result.exit_code == 0, result.output
    assert found == [Settings(port=2, host="::1", reload=False, show_sql=False)]


def test_behind_a_proxy_that_says_who_asks_browsers_ask_each_time() -> None:
    plain = from_environment({"HEADWATER_FRESHNESS_CHECK": "60"})
    proxied = from_environment({"HEADWATER_FRESHNESS_CHECK": "60", "HEADWATER_TRUSTED_PROXIES": "10.0.0.0/8"})
    assert (plain.browser_age, proxied.browser_age) == (60, 0)

"""Which language labels are in."""

from __future__ import annotations

import pytest

from api.schema.language import accepted, choose, locales_of
from tests.api.shop import shop_model


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (None, ()),
        ("", ()),
        ("zh", ("zh",)),
        ("zh_CN", ("zh-cn",)),
        ("fr;q=0.5, de, en;q=0.8", ("de", "en", "fr")),
        ("en;q=0, zh", ("zh",)),
        ("*, zh;q=0.1", ("zh",)),
        ("zh ; q = 0.2 ,en", ("en", "zh")),
        ("not a tag, zh;q=x", ()),
        ("en, fr", ("en", "fr")),
        ("; ;,,", ()),
    ],
)
def test_accepted(text: str | None, tags: tuple[str, ...]) -> None:
    assert accepted(text) == tags


@pytest.mark.parametrize(
    ("text", "locales", "chosen"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", ("en", "zh"), "zh"),
        ("zh-TW", ("en", "zh-TW", "zh"), "zh-TW"),
        ("zh-Hant-TW", ("en", "zh"), "zh"),
        ("ZH", ("en", "zh"), "zh"),
        ("fr, en;q=0.1", ("en", "zh"), "en"),
        ("fr", ("en", "zh"), None),
        (None, ("en",), None),
        ("en", (), None),
    ],
)
def test_choose(text: str | None, locales: tuple[str, ...], chosen: str | None) -> None:
    assert choose(text, locales) == chosen


def test_locales_of_a_model() -> None:
    assert locales_of(shop_model()) == ("en", "zh")

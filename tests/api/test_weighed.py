"""What is remembered of what strangers ask is bounded in bytes, and not in number alone."""

from __future__ import annotations

from api.resolvers.weighed import Key, Weighed, remembered


def test_a_key_is_hashed_once() -> None:
    hashed = []

    class Part:
        def __hash__(self) -> int:
            hashed.append(self)
            return 1

    part = Part()
    key = Key(part, size=3)
    assert {key: "found"}[key] == "found"
    assert len(hashed) == 1
    assert Key(part) == key != Key(1)


def test_what_is_used_least_goes_first() -> None:
    cache = Weighed[str, str](10)
    cache.put("a", "first", 4)
    cache.put("b", "second", 4)
    assert cache.get("a") == "first"
    cache.put("c", "third", 4)
    assert (list(cache), cache.weight, len(cache)) == (["a", "c"], 8, 2)
    assert "b" not in cache
    cache.put("a", "again", 9)
    assert (list(cache), cache.get("a"), cache.weight) == (["a"], "again", 9)


def test_what_is_too_large_is_not_kept() -> None:
    cache = Weighed[str, str](10)
    cache.put("a", "small", 4)
    cache.put("b", "large", 11)
    assert (list(cache), cache.get("b")) == (["a"], None)


def test_only_results_of_short_texts_are_remembered() -> None:
    made = []

    @remembered(2, longest=3)
    def twice(text: str | None, times: int) -> str:
        made.append(text)
        return (text or "-") * times

    for text in ("abc", "abc", None, None, "abcd", "abcd"):
        assert twice(text, 2) == (text or "-") * 2
    assert made == ["abc", None, "abcd", "abcd"]

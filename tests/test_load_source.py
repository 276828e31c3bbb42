"""YAML as the loader reads it: values of YAML 1.2, anchors within limits, positions that point."""

from __future__ import annotations

import pytest

from semantic.errors import ModelError
from semantic.load import load_texts
from semantic.load.inside import position_in
from semantic.load.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_SHOWN, Items, Kind, Pairs, Scalar, parse


def scalar(text: str) -> Scalar:
    node, problem = parse("m.yml", f"key: {text}\n")
    assert problem is None
    assert isinstance(node, Pairs)
    value = node.pairs[0][1]
    assert isinstance(value, Scalar)
    return value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, Kind.NULL) for text in ("", "~", "null", "Null", "NULL")),
        *((text, Kind.BOOLEAN) for text in ("true", "False", "TRUE")),
        *((text, Kind.INTEGER) for text in ("0", "-7", "+7", "0123")),
        *((text, Kind.FLOAT) for text in ("1.5", "1e3", ".5", "-0.5e-3", "1.")),
        *(
            (text, Kind.STRING)
            for text in ("yes", "no", "on", "off", "y", "12:30", "1_000", "2026-11-01", "0x1F", "tRue")
        ),
        *((text, Kind.STRING) for text in ('"1"', "'true'", '""', "'null'", "1 day", ".nan", "1.2.3")),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, kind: Kind) -> None:
    assert scalar(text).kind is kind


def said(text: str) -> str:
    node, problem = parse("m.yml", text)
    assert node is None
    return str(problem)


def test_empty_files_hold_nothing() -> None:
    assert [parse("m.yml", text) for text in ("", "# nothing\n", "---\n", "~")] == [(None, None)] * 4


def test_an_anchor_stands_for_its_value() -> None:
    node, _ = parse("m.yml", "a: &x [1, 2]\nb: *x\n")
    assert isinstance(node, Pairs)
    (_, first), (_, second) = node.pairs
    assert isinstance(first, Items)
    assert first is second


def test_anchors_load() -> None:
    text = "version: 1\ndatasets:\n  - {name: a, source: &x data/a.parquet}\n  - {name: b, source: *x}\n"
    assert load_texts({"m.yml": text}).datasets["b"].source.path == "data/a.parquet"


def test_a_billion_laughs_is_refused() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert f"more than {MAX_NODES:,} values" in said("\n".join(lines))


def test_depth_and_size_are_limited() -> None:
    assert f"deeper than {MAX_DEPTH} levels" in said("a: " + "[" * 100_000)
    assert f"larger than {MAX_BYTES:,} bytes" in said("#" * (MAX_BYTES + 1))
    assert f"more than {MAX_NODES:,} values" in said("[" + "1," * (MAX_NODES + 1) + "]")


def test_control_characters_are_pointed_at() -> None:
    assert said("a: 渠道\nb: \x07") == (
        "m.yml:2:4: A control character is not allowed here. [YAML_SYNTAX]\n  b: \N{REPLACEMENT CHARACTER}\n     ^"
    )


def test_lines_too_long_to_show_are_not_shown() -> None:
    assert said(f"a: b: {'x' * MAX_SHOWN}") == (
        "m.yml:1:5: This is not valid YAML: mapping values are not allowed in this context. [YAML_SYNTAX]\n"
        '  Quote a text that holds ": ", and check the indentation.'
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(newline: str) -> None:
    with pytest.raises(ModelError, match=r"m\.yml:3:11: Expected a currency"):
        load_texts({"m.yml": newline.join(["\ufeffversion: 1", "# x", "currency: yuan", ""])})


@pytest.mark.parametrize(
    "written",
    [
        "here + THERE",
        "'it''s ''quoted'' + THERE'",
        r'"tab \t, hex \x41, uni \u6e20, quote \" + THERE"',
        '"中文 中文 + THERE"',
        ">\n  folded\n  over + \n\n  lines + THERE\n",
        "|\n  literal\n    deeper\n\n  lines + THERE\n",
        "|2-  # comment\n    literal\n  lines + THERE\n",
        "plain\n  over\n  lines + THERE # comment",
        "'single\n  over\n\n  lines + THERE'",
    ],
)
def test_a_place_inside_a_scalar_of_any_style(written: str) -> None:
    value = scalar(written)
    at = position_in(value, value.text.index("THERE"))
    assert at.text[at.column - 1 :].startswith("THERE")
    end = position_in(value, len(value.text.rstrip()))
    assert (end.line, end.column) == (at.line, at.column + len("THERE"))

"""The pages that people read: README, docs and the notes beside code, with their fenced blocks and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
QUICKSTART = DOCS / "quickstart.md"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_INDENTED = re.compile(r"^ {4}(headwater .+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the number of it in its page, its language, its text and where the text begins."""

    page: Path
    number: int
    language: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the text ends."""
        return self.start + len(self.text)

    @property
    def place(self) -> str:
        """Page and line, for people."""
        line = self.page.read_text(encoding="utf-8").count("\n", 0, self.start) + 1
        return f"{self.page.relative_to(ROOT)}:{line}"


def pages() -> list[Path]:
    """Every page of the project."""
    patterns = ("*.md", "docs/*.md", "demo/*.md", "bench/*.md", "examples/*.md", "examples/*/*.md")
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def blocks(page: Path, section: str = "") -> list[Block]:
    """The fenced blocks of a page, or of the section with that heading."""
    text = page.read_text(encoding="utf-8")
    fences = enumerate(_FENCE.finditer(text))
    found = [Block(page, number, match[1], match[2], match.start(2)) for number, match in fences]
    if not section:
        return found
    begin, end = _section(text, section)
    return [block for block in found if begin <= block.start < end]


def answered(page: Path, language: str, section: str = "") -> Iterator[tuple[Block, Block | None]]:
    """Blocks of a language, each with the block of text that follows at once and shows its outcome."""
    found = blocks(page, section)
    text = page.read_text(encoding="utf-8")
    for block, after in pairwise([*found, None]):
        assert block is not None
        if block.language == language:
            shows = after and after.language in ("text", "json") and not text[block.end + 3 : after.start - 8].strip()
            yield block, after if shows else None


def write_outcomes(page: Path, outcomes: dict[Block, str]) -> None:
    """Replace the text of blocks, which may have moved since they were read."""
    text = page.read_text(encoding="utf-8")
    new = {block.number: outcome for block, outcome in outcomes.items()}
    for block in reversed(blocks(page)):
        if block.number in new:
            text = text[: block.start] + new[block.number] + text[block.end :]
    page.write_text(text, encoding="utf-8")


def _section(text: str, title: str) -> tuple[int, int]:
    headings = list(_HEADING.finditer(_without_blocks(text)))
    for index, match in enumerate(headings):
        if match[2] == title:
            later = [one.start() for one in headings[index + 1 :] if len(one[1]) <= len(match[1])]
            return match.end(), later[0] if later else len(text)
    raise AssertionError(f"no section {title!r}")


def _without_blocks(text: str) -> str:
    """The text with its fenced blocks blanked, all else in its place."""
    return _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def links(page: Path) -> list[str]:
    """The targets of a page's links and images, code left out."""
    prose = _CODE.sub("", _without_blocks(page.read_text(encoding="utf-8")))
    return _LINK.findall(prose)


def anchors(page: Path) -> set[str]:
    """The fragments a link may name: its headings, as GitHub writes them."""
    text = _without_blocks(page.read_text(encoding="utf-8"))
    slugs = (re.sub(r"[^\w\- ]", "", match[2].lower()).strip() for match in _HEADING.finditer(text))
    return {slug.replace(" ", "-") for slug in slugs}


def inline_code(page: Path) -> list[str]:
    """What stands in backticks, outside of blocks."""
    return _CODE.findall(_without_blocks(page.read_text(encoding="utf-8")))


def commands(page: Path, program: str) -> Iterator[str]:
    """Every use of a program that the page shows, in blocks and in the text."""
    text = page.read_text(encoding="utf-8")
    lines = [line.strip() for block in blocks(page) if block.language in ("sh", "") for line in block.text.splitlines()]
    for code in (*lines, *inline_code(page), *_INDENTED.findall(text)):
        yield from (found[0] for found in re.finditer(rf"(?<![\w./-]){program} [^|`#;&]+", code))

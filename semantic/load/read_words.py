"""The reader of labels and descriptions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from semantic.errors import Code
from semantic.load.log import Log
from semantic.load.reader import BAD, Bad, JsonSchema, text_of, wrong
from semantic.load.source import Node, Pairs
from semantic.model.places import Path
from semantic.model.text import Text

LOCALE_PATTERN: Final = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


@dataclass(frozen=True, slots=True)
class Words:
    """A text for people: one for every language, or a mapping of locale → text."""

    def read(self, node: Node, path: Path, log: Log) -> Text | Bad:
        """The text by locale; the empty locale for a plain one."""
        if isinstance(node, Pairs):
            return self._by_locale(node, log)
        text = text_of(node)
        return (
            wrong(node, "a text, or texts by language such as {en: …, zh: …}", log)
            if text is None
            else Text((("", text),))
        )

    def _by_locale(self, node: Pairs, log: Log) -> Text | Bad:
        texts: dict[str, str] = {}
        for key, value in node.pairs:
            text = text_of(value)
            if not re.fullmatch(LOCALE_PATTERN, key.text):
                log.problem(Code.BAD_VALUE, f'"{key.text}" is not a language such as "en" or "zh-CN".', key.at)
            elif key.text in texts:
                log.problem(Code.DUPLICATE_NAME, f'The language "{key.text}" is given twice.', key.at)
            elif text is None:
                wrong(value, "a text", log)
            else:
                texts[key.text] = text
        return Text(tuple(texts.items())) if len(texts) == len(node.pairs) else BAD

    def schema(self) -> JsonSchema:
        """A text or a mapping."""
        text = {"type": ["string", "number", "boolean"], "minLength": 1}
        by_locale = {"type": "object", "additionalProperties": False, "patternProperties": {LOCALE_PATTERN: text}}
        return {"anyOf": [text, by_locale]}

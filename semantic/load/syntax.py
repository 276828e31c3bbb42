"""An expression's text → sqlglot's tree, or why it does not parse, in our words."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

MAX_LENGTH: Final = 10_000
"""Characters of one expression."""

_DUCKDB: Final = Dialect.get_or_raise("duckdb")
_STATEMENTS: Final = re.compile(
    "select|with|from|insert|update|delete|drop|create|alter|copy|attach|detach|set|pragma|install|load|call|export"
    "|import|describe|explain|use|values|merge|truncate|show"
)
_OPERATORS: Final = frozenset(("is", "in", "between", "like", "ilike", "and", "or", "not"))
_HINTS: Final = {"=": "Equal is =, unequal is <>.", "as": "A name is given with the key `name`."}
_QUOTES: Final = re.compile("[“”‘’＂＇]")


class Refused(Exception):
    """A text that is no expression: what is wrong, where in it, and what to do."""

    def __init__(self, message: str, offset: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.suggestion = suggestion


def parse_text(text: str) -> exp.Expr:
    """The tree of one expression. Raises Refused."""
    if len(text) > MAX_LENGTH:
        raise Refused(f"The expression is longer than {MAX_LENGTH:,} characters.", 0)
    curly = _QUOTES.search(text)
    if curly:
        raise Refused(f"Unexpected {curly[0]}.", curly.start(), "Write texts in straight quotes: 'paid'.")
    tokens = _tokens(text)
    _refuse_tokens(tokens)
    try:
        trees = _DUCKDB.parser().parse_into(exp.Condition, tokens, text)
    except ParseError as error:
        raise _unparsable(text, error) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Refused("This is no expression.", 0) from error  # the parser stumbles over some nonsense
    if not trees or trees[0] is None:
        raise Refused("This is no expression.", 0)
    return trees[0]


def _tokens(text: str) -> list[Token]:
    try:
        tokens = _DUCKDB.tokenize(text)
    except SqlglotError as error:
        last = max(text.rfind(quote) for quote in "'\"")
        raise Refused("A quote is not closed.", max(last, 0), "A quote inside a text is doubled: 'it''s'.") from error
    if not tokens:
        raise Refused("There is no expression here.", 0)
    return tokens


def _refuse_tokens(tokens: list[Token]) -> None:
    """What can't be an expression, whatever the parser would make of it."""
    for token, after in zip_longest(tokens, tokens[1:]):
        word, following = token.text.lower(), after.text.lower() if after else ""
        if token.token_type == TokenType.SEMICOLON:
            raise Refused("Unexpected ;.", token.start, "Write one expression, without a semicolon.")
        if token.token_type == TokenType.PARAMETER:
            raise Refused(f"Unexpected {token.text}.", token.start, "In a policy, a claim is written :name.")
        if token.token_type == TokenType.VAR and word == "if" and following != "(":
            raise Refused("Unexpected if.", token.start, "Write if(condition, then, else).")
        is_word = following[:1].isalnum() and following not in _OPERATORS
        begins = token is tokens[0] and token.token_type != TokenType.STRING
        if begins and is_word and _STATEMENTS.fullmatch(word):
            raise Refused("This is a statement; an expression is needed.", token.start)


def _unparsable(text: str, error: ParseError) -> Refused:
    """The parser's complaint in our words, at the place it means."""
    detail = error.errors[0]
    word, said = detail["highlight"], detail["description"]
    lines = text.splitlines(keepends=True)[: detail["line"] - 1]
    offset = sum(map(len, lines)) + max(detail["col"] - len(word), 0)
    if "Unexpected token" in said:
        return Refused(f"Unexpected {word}.", offset, _HINTS.get(word.lower()))
    if "missing for" in said:
        return Refused(f"Something is missing at {word}.", offset, _HINTS.get(word.lower()))
    if said.startswith("Expecting "):
        return Refused(f"A {said.removeprefix('Expecting ')} is missing after {word}.", offset + len(word))
    if said.startswith("The number of provided arguments"):
        return Refused("The function is given too many arguments.", offset)
    return Refused(f"{said} at {word}.", offset)

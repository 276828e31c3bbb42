"""The reader of expressions: a parsed text becomes the model's Expression, its faults become problems that point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semantic.errors import Code
from semantic.load.expression import Scope, parse_expression
from semantic.load.inside import position_in
from semantic.load.log import Log, Reference
from semantic.load.reader import BAD, Bad, JsonSchema, text_of, wrong
from semantic.load.source import Node, Scalar
from semantic.model.expression import Expression, Ref
from semantic.model.places import Path

_COMMA: Final = "Inside { }, a comma ends a value: quote an expression that has one."


@dataclass(frozen=True, slots=True)
class Expr:
    """A SQL scalar expression."""

    scope: Scope

    def read(self, node: Node, path: Path, log: Log) -> Expression | Bad:
        """The expression. Metrics it names are noted as references."""
        if not isinstance(node, Scalar) or text_of(node) is None:
            return wrong(node, "an expression", log)
        parsed = parse_expression(node.text, self.scope)
        for fault in parsed.faults:
            suggestion = _COMMA if node.is_cut else fault.suggestion
            log.problem(Code.BAD_EXPRESSION, fault.message, position_in(node, fault.offset), suggestion)
        if parsed.faults:
            return BAD
        refs = tuple(Ref(name.path, name.name, position_in(node, name.offset)) for name in parsed.names)
        if self.scope is Scope.METRICS:
            log.references += [Reference(path[:2], "metrics", ref.name, ref.position or node.at) for ref in refs]
        return Expression(parsed.sql, refs, parsed.claims, node.text, node.at)

    def schema(self) -> JsonSchema:
        """A text; plain numbers and booleans are expressions too."""
        return {"type": ["string", "number", "boolean"], "minLength": 1}


@dataclass(frozen=True, slots=True)
class ColumnPath:
    """A column, or through relationships the column of another dataset: `paid_at`, `paid_order.paid_at`."""

    def read(self, node: Node, path: Path, log: Log) -> Ref | Bad:
        """The column with the way to it."""
        text = (text_of(node) or "").strip()
        parts = text.split(".")
        if "\n" in text or not all(part.strip() for part in parts):
            return wrong(node, "a column, or relationship.column", log)
        return Ref(tuple(parts[:-1]), parts[-1], node.at)

    def schema(self) -> JsonSchema:
        """A text. A column may look like a number or a boolean."""
        return {"type": ["string", "number", "boolean"], "minLength": 1}

"""How large a document is: told after it is parsed and before it is validated, because validating costs more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
)

from api.resolvers.limits import Limits
from semantic.errors import Code, QueryError

MOST_DIRECTIVES = 4
"""At one place of a document."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of a part of a document. `crowded`: the most directives at one place."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    crowded: int = 0
    introspects: bool = False

    def beside(self, other: Size) -> Size:
        """Of both parts, which stand side by side."""
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.crowded, other.crowded),
            self.introspects or other.introspects,
        )


NOTHING = Size()


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a whole document: a fragment's size counts wherever it is used."""

    characters: int
    tokens: int
    size: Size

    def check(self, limits: Limits) -> None:
        """LIMIT_EXCEEDED when the document is too large."""
        size = self.size
        demands = (
            ("document", self.characters, limits.document),
            ("tokens", self.tokens, limits.tokens),
            ("depth", size.depth, limits.depth),
            ("fields", size.fields, limits.fields),
            ("aliases", size.aliases, limits.aliases),
            ("directives", size.directives, limits.directives),
        )
        for name, demand, limit in demands:
            if limit and demand > limit:
                raise _too_large(name, f"{demand:,}", limit)
        if size.crowded > MOST_DIRECTIVES:
            raise QueryError(
                Code.LIMIT_EXCEEDED,
                f"There are {size.crowded} directives at one place of the document, but at most {MOST_DIRECTIVES} are "
                "taken.",
                "Only @skip and @include have a meaning there.",
            )


_SAID = {
    "document": ("characters", "long"),
    "tokens": ("tokens", "long"),
    "depth": ("levels of fields", "deep"),
    "fields": ("fields", "large"),
    "aliases": ("aliases", "large"),
    "directives": ("directives", "large"),
}


def _too_large(name: str, demand: str, limit: int) -> QueryError:
    what, how = _SAID[name]
    message = f"The document is too {how}: it has {demand} {what}, but at most {limit:,} are taken."
    return QueryError(Code.LIMIT_EXCEEDED, message, "Ask for less, or in several requests.")


def check_length(text: str, limits: Limits) -> None:
    """LIMIT_EXCEEDED when a document is too long to be parsed."""
    if limits.document and len(text) > limits.document:
        raise _too_large("document", f"{len(text):,}", limits.document)


def check_tokens(error: GraphQLSyntaxError, limits: Limits) -> None:
    """LIMIT_EXCEEDED when parsing ended because there are too many tokens."""
    if limits.tokens and f"more than {limits.tokens} tokens" in error.message:
        raise _too_large("tokens", f"more than {limits.tokens:,}", limits.tokens)


def measure(text: str, document: DocumentNode) -> Shape:
    """The shape of a parsed document."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    walk = _Walk(fragments, {})
    whole = _together(walk.node(operation, operation.selection_set) for operation in operations)
    unused = _together(walk.fragment(name) for name in fragments if name not in walk.known)
    return Shape(len(text), document.token_count, whole.beside(unused))


@dataclass(frozen=True, slots=True)
class _Walk:
    """`known`: the fragments measured so far; while one is being measured it counts nothing, so that circles end."""

    fragments: dict[str, FragmentDefinitionNode]
    known: dict[str, Size]

    def fragment(self, name: str) -> Size:
        if name not in self.known:
            self.known[name] = NOTHING
            node = self.fragments.get(name)
            if node is not None:
                self.known[name] = self.node(node, node.selection_set)
        return self.known[name]

    def node(self, node: Node, selections: SelectionSetNode | None) -> Size:
        """What stands at a node, and below it."""
        directives = len(getattr(node, "directives", None) or ())
        here = Size(directives=directives, crowded=directives)
        if selections is None:
            return here
        return here.beside(_together(self._selection(child) for child in selections.selections))

    def _selection(self, child: Node) -> Size:
        match child:
            case FieldNode():
                below = self.node(child, child.selection_set)
                return Size(
                    below.depth + 1,
                    below.fields + 1,
                    below.aliases + (child.alias is not None),
                    below.directives,
                    below.crowded,
                    below.introspects or child.name.value in ("__schema", "__type"),
                )
            case FragmentSpreadNode():
                return self.node(child, None).beside(self.fragment(child.name.value))
            case InlineFragmentNode():
                return self.node(child, child.selection_set)
            case _:
                return NOTHING


def _together(sizes: Iterable[Size]) -> Size:
    found = NOTHING
    for size in sizes:
        found = found.beside(size)
    return found

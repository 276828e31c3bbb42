"""Executable schemas: one for each language, and the documents already parsed and validated against it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLSyntaxError, parse, specified_rules
from strawberry.schema.schema import validate_document

from api.resolvers.limits import MIB, ORDINARY, Limits
from api.resolvers.weighed import Weighed
from api.schema.language import choose
from api.shape import Shape, check_length, check_tokens, measure
from semantic.errors import QueryError

KNOWN_DOCUMENTS = 64 * MIB
"""Bytes of documents that are remembered, parsed, for each schema."""
AT_ONCE = 4096
"""Characters of a document that is parsed at once: some ten milliseconds."""
OVERHEAD, PER_CHARACTER = 24 * 1024, 100
"""Bytes that a parsed document takes: about so many, and so many for each character."""

_INTROSPECTION = re.compile(r"\b__(schema|type)\b")


@dataclass(frozen=True, slots=True)
class Checked:
    """A document after parsing and validation: either what to run, or why not."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()
    shape: Shape | None = None


def looks_at_schema(document: str) -> bool:
    """Whether a document asks for introspection, and so shows labels."""
    return _INTROSPECTION.search(document) is not None


class ExecutableSchema:
    """A schema and the documents it has seen. A new model gets a new one, so that nothing stale is ever remembered."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self.schema = schema
        self._documents: Weighed[str, Checked] = Weighed(KNOWN_DOCUMENTS)
        self._lock = Lock()

    @property
    def graphql(self) -> GraphQLSchema:
        """The graphql-core schema underneath."""
        return self.schema._schema

    async def checked(self, text: str, limits: Limits) -> Checked:
        """`check`, in a thread where it takes long: others are answered meanwhile."""
        with self._lock:
            known = text in self._documents
        if known or len(text) <= AT_ONCE:
            return self.check(text, limits)
        return await asyncio.to_thread(self.check, text, limits)

    def check(self, text: str, limits: Limits = ORDINARY) -> Checked:
        """Parse and validate, or remember having done so. A document beyond the limits is neither, nor remembered."""
        with self._lock:
            known = self._documents.get(text)
        try:
            if known is None:
                known = self._check(text, limits)
                with self._lock:
                    self._documents.put(text, known, OVERHEAD + PER_CHARACTER * len(text))
            elif known.shape is not None:
                known.shape.check(limits)
        except QueryError as error:
            return Checked(None, (GraphQLError(error.message, original_error=error),))
        return known

    def _check(self, text: str, limits: Limits) -> Checked:
        check_length(text, limits)
        try:
            document = parse(text, max_tokens=limits.tokens or None)
            shape = measure(text, document)
        except GraphQLSyntaxError as error:
            check_tokens(error, limits)
            return Checked(None, (error,))
        except RecursionError:
            return Checked(None, (GraphQLError("The document is nested too deeply."),))
        shape.check(limits)
        errors = validate_document(self.graphql, document, tuple(specified_rules))
        return Checked(None if errors else document, tuple(errors), shape)


class Schemas:
    """The schema in every language of the model: made when first asked for; only what introspection shows differs."""

    def __init__(self, build: Callable[[str | None], strawberry.Schema], locales: Iterable[str]) -> None:
        self._build = build
        self._locales = tuple(locales)
        self._made: dict[str | None, ExecutableSchema] = {}
        self._lock = Lock()
        self.default = self._get(None)

    def localized(self, locale: str | None) -> ExecutableSchema:
        """The schema whose labels are in `locale` (one tag, or an Accept-Language text), else the default one."""
        return self._get(choose(locale, self._locales))

    def _get(self, locale: str | None) -> ExecutableSchema:
        with self._lock:
            made = self._made.get(locale)
            if made is None:
                made = self._made[locale] = ExecutableSchema(self._build(locale))
            return made

"""The JSON Schema of one model file, for editors: made from the tables that the parser runs on."""

from __future__ import annotations

from typing import Any

from semantic.load.format import MODEL


def json_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12). A file that it accepts may still be wrong; one that loads is always accepted."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Headwater model",
        **MODEL.schema(),
    }

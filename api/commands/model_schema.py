"""`headwater model-schema`: print the JSON Schema of model files."""

from __future__ import annotations

import json

import click


@click.command("model-schema", short_help="Print the JSON Schema of model files.")
def command() -> None:
    """Print the JSON Schema of model files: editors complete and check them by it.

    With the YAML extension of VS Code, put `# yaml-language-server: $schema=model.schema.json` on a file's first line.
    """
    from semantic.load import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))

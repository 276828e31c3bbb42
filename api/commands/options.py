"""Options that several commands have."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from api.settings import SETTINGS, Setting, Settings, from_environment, read_value
from semantic.errors import UserError

F = TypeVar("F", bound=Callable[..., Any])

MODEL = ("model", "root")
FLAGS = ("reload", "show_sql", "anonymous", "traces")


def _read(setting: Setting) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """What an option's text becomes; wrong use of the command when it has no meaning."""

    def read(ctx: click.Context, _: click.Parameter, text: str | None) -> Any:
        if text is None:
            return None
        try:
            return read_value(setting, text, setting.option)
        except UserError as error:
            raise click.UsageError(error.message, ctx) from None

    return read


def setting_options(*names: str) -> Callable[[F], F]:
    """Adds an option for each of these settings; the command hands what it gets to `settings_of`."""
    chosen = [setting for setting in SETTINGS if setting.name in names]

    def decorate(function: F) -> F:
        for setting in reversed(chosen):
            function = _option(setting)(function)
        return function

    return decorate


def _option(setting: Setting) -> Callable[[F], F]:
    text = f"{setting.help}  [{setting.variable}; default: {setting.default}]"
    if setting.name in FLAGS:
        flag = f"{setting.option}/--no-{setting.name.replace('_', '-')}"
        return click.option(flag, setting.name, default=None, help=text)
    return click.option(setting.option, setting.name, callback=_read(setting), metavar=setting.metavar, help=text)


def settings_of(given: dict[str, Any]) -> Settings:
    """The settings of the environment, and over them those given as options. Only a server has several workers."""
    try:
        settings = from_environment(os.environ)
    except UserError as error:
        raise click.UsageError(error.message) from None
    if "workers" not in given:
        settings = replace(settings, workers=1)
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


def read_document(source: str) -> str:
    """The text of a file, or of standard input for `-`. UsageError when there is no such file."""
    if source == "-":
        return sys.stdin.read()
    try:
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.UsageError(
            f"{source} can't be read: {reason}. A query is the name of a file, or - for standard input."
        ) from None

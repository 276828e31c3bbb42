"""What the command line writes: results to standard output, all else to standard error; colours for people only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from semantic.errors import HeadwaterError, ModelError, OurError, Problem


def output() -> Console:
    """Standard output. Lines are never wrapped: they may be copied."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def errors() -> Console:
    """Standard error, likewise."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def counted(count: int, noun: str) -> str:
    """`1 metric`, `2 metrics`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def report(error: HeadwaterError) -> None:
    """Tell of an error: whose fault, what, where, what to do."""
    console = errors()
    if isinstance(error, ModelError):
        for problem in error.problems:
            console.print(problem_text(problem))
        console.print(Text(f"{counted(len(error.problems), 'problem')} in the model.", style="bold"))
        return
    console.print(Text.assemble(("Error: ", "bold red"), error.message, (f" [{error.code}]", "dim")))
    if error.suggestion:
        console.print(error.suggestion)
    if isinstance(error, OurError) and error.detail:
        console.print(Text(error.detail, style="dim"))


def problem_text(problem: Problem) -> Text:
    """A problem of a model, with its line and caret."""
    text = Text()
    if problem.position:
        text.append(f"{problem.position}: ", style="bold")
    text.append(problem.message, style="red")
    text.append(f" [{problem.code}]", style="dim")
    if problem.position and problem.position.text:
        line, caret = problem.position.caret().split("\n")
        text.append(f"\n{line}\n")
        text.append(caret, style="bold green")
    if problem.suggestion:
        text.append(f"\n  {problem.suggestion}", style="green")
    return text


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show people that something takes its time; a pipe or a log sees nothing."""
    console = errors()
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield

"""What `funnel` and `retention` have in common: several questions about one thing, answered at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from api.resolvers.answers import Answered, ask_all
from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.meta import About, about
from api.resolvers.selection import Info
from semantic.query.bound import BoundFunnel, BoundJourney, BoundLifecycle, BoundRetention, BoundScore, BoundTouchPaths
from semantic.report.group import Row

B = TypeVar("B", BoundFunnel, BoundRetention, BoundLifecycle, BoundJourney, BoundScore, BoundTouchPaths)


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """An answer: the question of each response key that needed one, and what came of it."""

    context: Context
    questions: Mapping[str, Question]
    answers: Mapping[Question, Answered]
    started: float

    def part(self, key: str, kind: type[B]) -> tuple[B, list[Row]] | None:
        """The bound question of a response key, and its rows; None when there was nothing to ask."""
        question = self.questions.get(key)
        if question is None:
            return None
        answered = self.answers[question]
        assert isinstance(answered.compiled.bound, kind)
        return answered.compiled.bound, answered.answer.table.to_pylist()


async def answer_report(context: Context, questions: Mapping[str, Question], started: float) -> Report:
    """Run every question once, side by side, on one version of the data."""
    return Report(context, questions, await ask_all(context, dict.fromkeys(questions.values())), started)


async def meta(root: Report, info: Info) -> About:
    """`meta`, of everything that was asked: each statement under the first response key it is for."""
    first: dict[Question, str] = {}
    for key, question in root.questions.items():
        first.setdefault(question, key)
    titled = {key: root.answers[question] for question, key in first.items()}
    return await about(root.context, titled, root.started)

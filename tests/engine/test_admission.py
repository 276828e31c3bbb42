"""The queue is fair: whoever asks a lot waits behind themselves, and who can't be helped in time is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.admission import Admission
from engine.caller import Caller
from semantic.errors import Overloaded

A, B, C = Caller("a"), Caller("b"), Caller("c")


class Desk:
    """Queries that end when they are told to, and the order they began in."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.began: list[str] = []
        self.tasks: list[asyncio.Task[str]] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def ask(self, caller: Caller, *names: str) -> None:
        for name in names:
            self.tasks.append(asyncio.create_task(self._run(caller, name), name=name))
            await settle()

    async def _run(self, caller: Caller, name: str) -> str:
        async with self.admission.turn(caller):
            self.began.append(name)
            await self._ends.setdefault(name, asyncio.Event()).wait()
        return name

    async def end(self, name: str) -> None:
        self._ends.setdefault(name, asyncio.Event()).set()
        await settle()

    async def end_all(self) -> list[str]:
        """Let each end as soon as it has begun; the order in which they began."""
        at = 0
        while at < len(self.began):
            await self.end(self.began[at])
            at += 1
        return self.began

    def refused(self) -> list[str]:
        done = (task for task in self.tasks if task.done() and not task.cancelled())
        return [task.get_name() for task in done if isinstance(task.exception(), Overloaded)]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def test_one_who_asks_a_lot_waits_behind_themselves() -> None:
    desk = Desk(Admission(2, 100, 0))
    await desk.ask(A, *(f"a{number}" for number in range(8)))
    await desk.ask(B, "b0", "b1")
    await desk.ask(C, "c0")
    order = await desk.end_all()
    assert order == ["a0", "a1", "b0", "c0", "a2", "b1", "a3", "a4", "a5", "a6", "a7"]


async def test_a_caller_alone_uses_every_place() -> None:
    desk = Desk(Admission(3, 100, 0))
    await desk.ask(A, "a0", "a1", "a2", "a3")
    assert desk.began == ["a0", "a1", "a2"]
    assert (desk.admission.running, desk.admission.waiting) == (3, 1)
    await desk.end_all()
    assert (desk.admission.running, desk.admission.waiting) == (0, 0)


async def test_a_caller_s_own_limit_leaves_places_to_others() -> None:
    desk = Desk(Admission(2, 100, 0))
    one = Caller("one", concurrent=1)
    await desk.ask(one, "x0", "x1")
    await desk.ask(B, "b0")
    assert desk.began == ["x0", "b0"]
    await desk.end("b0")
    assert desk.began == ["x0", "b0"]  # though a place is free
    await desk.end("x0")
    assert desk.began == ["x0", "b0", "x1"]
    await desk.end_all()


async def test_a_full_queue_refuses_whoever_has_most_in_it() -> None:
    desk = Desk(Admission(1, 3, 0))
    await desk.ask(A, "a0", "a1", "a2", "a3")
    await desk.ask(A, "a4")
    assert desk.refused() == ["a4"]
    await desk.ask(B, "b0")
    assert desk.refused() == ["a3", "a4"]
    await desk.ask(B, "b1")  # two of each would wait: the one that came is refused
    assert desk.refused() == ["a3", "a4", "b1"]
    assert desk.admission.waiting == 3
    with pytest.raises(Overloaded, match=r"3 others wait already, which is the limit\. Ask again later\."):
        desk.tasks[4].result()
    await desk.end_all()
    assert desk.admission.waiting == 0


async def test_who_can_t_be_helped_in_time_is_told_at_once() -> None:
    admission = Admission(1, 100, 10)
    admission._took.extend([60.0, 4.0, 4.0, 4.0, 0.0])
    desk = Desk(admission)
    await desk.ask(A, "a0", "a1", "a2", "a3")
    assert desk.refused() == ["a3"]
    with pytest.raises(Overloaded, match=r"would wait about 12 s, and the limit is 10 s") as caught:
        desk.tasks[3].result()
    assert caught.value.retry_after == pytest.approx(12.0)
    await desk.ask(B, "b0")  # served before a2: in about eight seconds
    assert desk.refused() == ["a3"]
    await desk.end_all()


async def test_a_few_slow_queries_turn_nobody_away() -> None:
    admission = Admission(1, 100, 10)
    admission._took.extend([60.0] * 4)
    desk = Desk(admission)
    await desk.ask(A, *(f"a{number}" for number in range(20)))
    assert desk.refused() == []
    await desk.end_all()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ask", "end", "cancel"])), max_size=60))
def test_no_place_is_lost_whatever_happens(steps: list[tuple[str, str]]) -> None:
    async def story() -> None:
        desk = Desk(Admission(2, 4, 0))
        for number, (name, step) in enumerate(steps):
            if step == "ask":
                await desk.ask(Caller(name, concurrent=1 if name == "c" else 0), f"{name}{number}")
            elif step == "end" and desk.began:
                await desk.end(desk.began[number % len(desk.began)])
            elif desk.tasks:
                desk.tasks[number % len(desk.tasks)].cancel()
                await settle()
            admission = desk.admission
            assert 0 <= admission.running <= 2
            assert 0 <= admission.waiting <= 4
            waiting = [len(line.waiting) for line in admission._lines.values()]
            assert sum(waiting) == admission.waiting
        await desk.end_all()
        assert (desk.admission.running, desk.admission.waiting, desk.admission._lines) == (0, 0, {})
        await asyncio.gather(*desk.tasks, return_exceptions=True)

    run(story())


async def test_cancelled_just_as_its_turn_comes() -> None:
    desk = Desk(Admission(1, 10, 0))
    await desk.ask(A, "a0", "a1", "a2")
    desk._ends["a0"].set()
    await asyncio.sleep(0)  # a0 has ended and a1 is let in, but has not begun
    await asyncio.sleep(0)
    desk.tasks[1].cancel()
    await settle()
    assert "a2" in desk.began
    await desk.end_all()
    assert desk.admission.running == 0


async def test_a_place_whose_caller_is_just_leaving_is_given_to_the_next() -> None:
    desk = Desk(Admission(concurrent=1, length=10, patience=0))
    await desk.ask(A, "a1")
    await desk.ask(B, "b1", "b2")
    ending = asyncio.create_task(desk.end("a1"))
    await asyncio.sleep(0)
    desk.tasks[1].cancel()  # a1 leaves before this task has run again
    await ending
    await desk.end_all()
    assert desk.began == ["a1", "b2"]
    assert desk.tasks[1].cancelled()
    assert (desk.admission.running, desk.admission.waiting) == (0, 0)

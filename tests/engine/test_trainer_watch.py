"""A trainer that lives and does not work: real processes, short patience."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from charrnn.engine.death import where
from charrnn.engine.trainer_watch import Limits, Restarts, TrainerWatch, look_at

pytestmark = pytest.mark.skipif(look_at(os.getpid()) is None, reason="looks at processes through /proc")

HANGS = """faulthandler.register(signal.SIGUSR1)
print(flush=True)
def work():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
work()"""
WORKS = "faulthandler.register(signal.SIGUSR1)\nprint(flush=True)\nwhile True: pass"
LIMITS = Limits(silent=0.3, hung=1.0, look=0.05)


class Case:
    """A process, what is told of it, and what it said."""

    def __init__(self, code: str, limits: Limits, busy: bool = True) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "import faulthandler, signal, threading\n" + code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()  # it is there, and knows what SIGUSR1 means
        assert self.process.stderr is not None
        os.set_blocking(self.process.stderr.fileno(), False)
        self.told: list[str | None] = []
        self.busy = busy
        self.watch = TrainerWatch(
            self.process, limits, tell=self.told.append, busy=lambda: self.busy, where=lambda: where(self.said())
        )
        self.watch.heard()

    def said(self) -> str:
        assert self.process.stderr is not None
        return (self.process.stderr.read() or b"").decode()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.02)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def watched(code: str, check: Callable[[Case], object], limits: Limits = LIMITS, busy: bool = True) -> None:
    async def go() -> None:
        case = Case(code, limits, busy)
        watching = asyncio.create_task(case.watch.watch())
        try:
            result = check(case)
            assert asyncio.iscoroutine(result)
            await result
        finally:
            watching.cancel()
            case.end()

    asyncio.run(go())


def test_a_process_that_hangs_is_told_with_its_place_and_ended() -> None:
    async def check(case: Case) -> None:
        await case.until(lambda: case.watch.hung)
        assert case.told == ["The trainer has said nothing for more than 0 s, in <string>, line 7 (work)."]
        assert case.watch.hung.startswith("the trainer hung: no news and no work for ")
        assert case.watch.hung.endswith(", in <string>, line 7 (work)")
        assert case.process.wait(10) == -signal.SIGKILL

    watched(HANGS, check)


def test_one_that_works_for_long_is_told_and_left_alone_until_it_speaks() -> None:
    async def check(case: Case) -> None:
        await case.until(lambda: case.told)
        assert "said nothing" in str(case.told[0])
        await asyncio.sleep(2.0)
        assert case.process.poll() is None
        case.watch.heard()
        await case.until(lambda: case.told[1:2] == [None])

    watched(WORKS, check, Limits(silent=0.3, hung=1.0, look=0.05))


def test_one_that_is_stopped_is_told_at_once_and_never_ended() -> None:
    async def check(case: Case) -> None:
        case.process.send_signal(signal.SIGSTOP)
        await case.until(lambda: case.told)
        assert case.told == [
            f"The trainer is stopped (SIGSTOP): it goes on when it is continued, with kill -CONT {case.process.pid}."
        ]
        await asyncio.sleep(2.0)
        assert case.process.poll() is None
        case.watch.heard()
        case.process.send_signal(signal.SIGCONT)
        await case.until(lambda: case.told[1:2] == [None])

    watched(WORKS, check, Limits(silent=0.5, hung=0.5, look=0.05))


def test_nobody_waits_for_news_of_a_pause_but_for_the_answer_to_an_order() -> None:
    async def check(case: Case) -> None:
        await asyncio.sleep(1.0)
        assert not case.told
        case.watch.asked()
        await case.until(lambda: case.watch.hung)

    watched(HANGS, check, busy=False)


def test_three_new_starts_within_ten_minutes_and_no_fourth() -> None:
    now = 0.0
    restarts = Restarts(Limits(), clock=lambda: now)
    assert [restarts.take() for _ in range(4)] == [True, True, True, False]
    now = 599.0
    assert not restarts.take()
    now = 600.0
    assert restarts.take()
    restarts.forget()
    assert [restarts.take() for _ in range(4)] == [True, True, True, False]

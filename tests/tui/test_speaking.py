"""The workbench in lines: whole sentences at a bearable pace, and an order for everything that a key does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.messages import (
    Generated,
    Losses,
    LossPoint,
    Notice,
    Refused,
    RestartStream,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    Status,
    StopRun,
    Text,
    WriteCheckpoint,
)
from tests.tui.fake_engine import FakeEngine
from tui import keys, orders
from tui.leaving import Leaving
from tui.speaking import REPORT_EVERY, Speaking

ONLY_ON_A_SCREEN = {
    "show-loss",  # loss says the figures
    "show-stream",
    "zoom",
    "reset",
    "log",
    "smoothing",
    "shorter",
    "taller",
    "narrower",
    "wider",
    "next-pane",
    "lens",  # each lens has an order of its own that says in words what it shows
    "suspend",  # the shell's own, where nothing is drawn
    "redraw",
}
"""Keys that change only how something is drawn."""


class Conversation:
    """A speaking workbench, its engine, and what was said."""

    def __init__(self, engine: FakeEngine, **options: Any) -> None:
        self.engine = engine
        self.said: list[str] = []
        self.speaking = Speaking(self.said.append, **options)

    def text(self) -> str:
        return "\n".join(self.said)

    async def until(self, condition: Callable[[], object]) -> None:
        end = asyncio.get_running_loop().time() + 5
        while not condition():
            assert asyncio.get_running_loop().time() < end, self.text()
            await asyncio.sleep(0.01)

    async def hears(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text() for text in texts))


@contextlib.asynccontextmanager
async def conversation(
    engine: FakeEngine | None = None, **options: Any
) -> AsyncIterator[tuple[Conversation, Any, int]]:
    """A conversation, the task in which it goes on, and where its orders are typed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    one = Conversation(engine or FakeEngine(pace=500.0), **options)
    serving = asyncio.create_task(one.engine.serve(theirs))
    reader, writer = os.pipe()
    speaking = asyncio.create_task(one.speaking.run(ours, reader))
    try:
        yield one, speaking, writer
    finally:
        for task in (speaking, serving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        os.close(reader)
        with contextlib.suppress(OSError):
            os.close(writer)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def test_it_says_what_a_screen_shows_in_sentences() -> None:
    async def test() -> None:
        async with conversation() as (one, _, typed):
            await one.hears("The run is hamlet-1.", "The corpus is hamlet: 100,000 characters", "363,111 parameters")
            await one.hears("Training, step")
            await asyncio.sleep(0.2)
            os.write(typed, b"status\nloss\n")
            await one.hears("Temperature 0.80, top-k off", "Learning rate 0.003.", "perplexity")
            assert all(line[-1] in ".?!'" and line == line.strip() for line in one.said)

    run(test)


@pytest.mark.parametrize(
    ("line", "sent", "said"),
    [
        ("t 0.95", SetKnobs(Knobs(temperature=0.95)), "Temperature 0.95"),
        ("+", SetKnobs(Knobs(temperature=0.85)), "Temperature 0.85"),
        ("-", SetKnobs(Knobs(temperature=0.75)), "Temperature 0.75"),
        ("top-k 7", SetKnobs(Knobs(top_k=7)), "top-k 7"),
        ("k", SetKnobs(Knobs(top_k=40)), "top-k 40"),
        ("min-p 0.1", SetKnobs(Knobs(min_p=0.1)), "min-p 0.1"),
        ("top-p 0.9", SetKnobs(Knobs(top_p=0.9)), "top-p 0.9"),
        ("n", SetKnobs(Knobs(min_p=0.02)), "min-p 0.02"),
        ("greedy", SetKnobs(Knobs(greedy=True)), "Always the likeliest"),
        ("pace 12", SetPace(12.0), "12 characters a second"),
        ("]", SetPace(1000.0), "1000 characters a second"),
        ("[", SetPace(200.0), "200 characters a second"),
        ("lr 0.01", SetLearningRate(0.01), "The learning rate is 0.01."),
        (",", SetLearningRate(0.0024), "0.0024"),
        (".", SetLearningRate(0.00375), "0.00375"),
        ("pause", SetPaused(True), "Training rests."),
        ("pause\nresume", SetPaused(False), "Training, step"),
        ("cool", SetCooldown(True), "falls to its end"),
        ("save", WriteCheckpoint(), "Wrote checkpoint"),
        ("w", WriteCheckpoint(), "Asked for a checkpoint."),
        (r"prime To be\nor", RestartStream(prime="To be\nor", seed=1), "The stream starts from that."),
        ("prime  a ", RestartStream(prime=" a ", seed=1), "starts from that"),
        ("r", RestartStream(prime=None, seed=2), "with seed 2"),
    ],
)
def test_an_order_does_what_its_key_does(line: str, sent: Any, said: str) -> None:
    async def test() -> None:
        async with conversation() as (one, _, typed):
            await one.hears("Training, step")
            os.write(typed, line.encode() + b"\n")
            await one.hears(said)
            await one.until(lambda: sent in one.engine.received)

    run(test)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tt 3", "There is no order 'tt'; "),
        ("temprature 1", "There is no order 'temprature'; did you mean temperature?"),
        ("t warm", "The temperature wants a number, not 'warm'."),
        ("t 0", "The temperature 0.0 is out of range, it must be from 0.01 to 100."),
        ("t nan", "The temperature nan is out of range"),
        ("k 1.5", "The top-k wants a number, not '1.5'."),
        ("stream loud", "The stream can be all, samples or off, not 'loud'."),
        ("quit now", "Nothing can follow quit."),
        ("\x1b[2J", "There is no order"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(line: str, said: str) -> None:
    one = Conversation(FakeEngine())
    one.speaking.obey(line)
    (sentence,) = one.said
    assert sentence.startswith(said)
    assert sentence.isprintable()


@given(st.text())
def test_any_line_is_an_order_or_a_sentence(line: str) -> None:
    if line.split()[:1] and line.split()[0].lower() in ("copy", "y", "quit", "q", "detach", "d", "again"):
        return
    one = Conversation(FakeEngine())
    one.speaking.obey(line.replace("\n", " "))
    assert all(said.isprintable() for said in one.said)


def test_every_key_that_does_more_than_draw_has_an_order() -> None:
    covered = {key for order in orders.TABLE for key in order.keys}
    wanted = {key.id for key in keys.TABLE if key.action and not key.pane and not key.group.startswith("Look")}
    wanted -= ONLY_ON_A_SCREEN
    assert wanted <= covered
    assert covered <= {key.id for key in keys.TABLE}
    names = [name for order in orders.TABLE for name in order.names]
    assert len(names) == len(set(names))


def test_the_losses_go_to_a_file_and_the_runs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def go() -> None:
        one = Conversation(FakeEngine(), runs_folder=str(tmp_path))
        one.speaking.obey("export")
        assert one.said[-1] == "There are no losses to export yet."
        one.speaking.obey("export gif")
        assert "csv, svg, png or pdf" in one.said[-1]
        one.speaking.obey("runs")
        assert one.said[-1] == "There are no runs yet."
        one.speaking.hear(Losses([LossPoint(1, 64, 0.1, 4.0, None, 0.01), LossPoint(2, 128, 0.2, 3.5, 3.6, 0.01)]))
        for ending in ("csv", "svg"):
            one.speaking.obey(f"export {ending}")
            await one.until(lambda ending=ending: f"run-loss.{ending}" in one.said[-1])
            assert (tmp_path / f"run-loss.{ending}").stat().st_size > 50
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "config.toml").write_text("")
        one.speaking.obey("o")
        assert "first" in one.said[-1]

    asyncio.run(go())


def test_help_names_every_order_in_a_line() -> None:
    one = Conversation(FakeEngine())
    one.speaking.obey("help")
    assert len(one.said) == len(orders.TABLE)
    assert all(line.endswith(".") for line in one.said)


def test_it_reports_now_and_then_and_at_once_when_the_state_is_another() -> None:
    now = [0.0]
    one = Conversation(FakeEngine(), clock=lambda: now[0])

    def tell(state: str, seconds: float) -> list[str]:
        before = len(one.said)
        while seconds > 0:
            one.speaking.hear(Status(state=state, step=int(now[0])))
            now[0] += 0.1
            seconds -= 0.1
        return one.said[before:]

    assert tell("training", 1) == ["Training, step 0."]
    assert len([said for said in tell("training", 4 * REPORT_EVERY) if said.startswith("Training")]) == 4
    assert tell("paused", 4 * REPORT_EVERY) == ["Paused, step 121."]
    one.speaking.obey("stream off")
    assert len(tell("training", 4 * REPORT_EVERY)) == 1


def piece(text: str, position: int = 0) -> Text:
    return Text([Generated(position, text, Knobs(), 0, 1, False, 1)])


def test_all_of_the_stream_is_said_sentence_by_sentence() -> None:
    one = Conversation(FakeEngine())
    one.speaking.obey("stream all")
    one.said.clear()
    for number, text in enumerate(["To be. Or", " not to be? Th", "at\nis \x1b[31m", " it\n"]):
        one.speaking.hear(piece(text, 20 * number))
    assert one.said == ["To be.", "Or not to be?", "That", "is ␛[31m it"]


def test_text_without_an_end_is_said_in_bearable_pieces() -> None:
    one = Conversation(FakeEngine())
    one.speaking.obey("stream all")
    one.said.clear()
    one.speaking.hear(piece("word " * 500))
    assert one.said
    assert max(map(len, one.said)) <= 300


def test_what_the_terminal_cannot_show_is_not_said_raw() -> None:
    one = Conversation(FakeEngine(), charset="ascii")
    one.speaking.hear(Notice("info", "漢 “é” \x1b]52;c;eA==\x07"))
    assert one.said == ['?? "?" ^]52;c;eA==^']


def test_leaving_detaches_or_saves_and_says_how_to_come_back() -> None:
    async def test() -> None:
        for line, status, text in ((b"d\n", 0, "Training goes on"), (b"q\n", 0, "Saved at step 7")):
            async with conversation() as (one, speaking, typed):
                await one.hears("Training, step")
                os.write(typed, line)
                assert await speaking == Leaving(status, f"{text}; come back with: charrnn-tui hamlet-1")
                assert bool([m for m in one.engine.received if isinstance(m, StopRun)]) == (line == b"q\n")

    run(test)


def test_copying_says_only_where_the_file_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = Conversation(FakeEngine())
    one.speaking.hear(piece("To be"))
    one.speaking.obey("copy")
    (place,) = tmp_path.rglob("*.txt")
    assert one.said == [f"Copied 5 characters to {place}"]


def test_a_refusal_leaves_with_its_sentence_and_status() -> None:
    async def test() -> None:
        async with conversation(FakeEngine(refusal=Refused("no such file", 2))) as (_, speaking, _typed):
            assert await speaking == Leaving(2, "no such file")

    run(test)


def test_an_engine_that_goes_is_told_and_the_end_can_be_left() -> None:
    async def test() -> None:
        async with conversation() as (one, speaking, typed):
            await one.hears("Training, step")
            one.engine._stopping.set()
            await one.hears("The engine has gone; its trainer saves what it has")
            os.write(typed, b"q\n")
            assert (await speaking).status == 1

    run(test)

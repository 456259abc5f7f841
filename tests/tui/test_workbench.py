"""The app against the fake engine: every key does what its table says, and text stays text."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from charrnn.config import Knobs
from charrnn.engine import client
from charrnn.engine.messages import (
    Generated,
    Losses,
    LossPoint,
    Notice,
    Refused,
    RestartStream,
    RunRequest,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    StopRun,
    Text,
    WriteCheckpoint,
)
from tests.tui.fake_engine import FakeEngine, corpus
from tui import keys
from tui.app import Leaving, Workbench
from tui.notices import NOTICE_STAYS
from tui.settings import Settings
from tui.terminal import width


class Bench:
    """The app, its engine and what a user sees of it."""

    def __init__(self, app: Workbench, engine: FakeEngine, pilot: Pilot[Any]) -> None:
        self.app, self.engine, self.pilot = app, engine, pilot

    def lines(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def screen(self) -> str:
        return "\n".join(self.lines())

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < end, self.screen()
            await self.pilot.pause(0.02)

    async def shows(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.screen() for text in texts))

    async def press(self, *names: str) -> None:
        await self.pilot.press(*names)

    def sent(self, kind: type) -> list[Any]:
        return [message for message in self.engine.received if isinstance(message, kind)]


@contextlib.asynccontextmanager
async def bench(
    size: tuple[int, int] = (120, 34),
    settings: Settings = Settings(),  # noqa: B008 - it is frozen
    **options: Any,
) -> AsyncIterator[Bench]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    engine = FakeEngine(**options)
    serving = asyncio.create_task(engine.serve(theirs))
    app = Workbench(ours, settings=settings)
    async with app.run_test(size=size) as pilot:
        one = Bench(app, engine, pilot)
        if not engine.refusal:
            await one.until(lambda: app.panes.stream.text.transcript.characters > 20)
        yield one
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def test_everything_a_user_wants_to_know_is_on_the_screen() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.shows("● training", "hamlet", "lstm 1×256, 363k parameters", "cpu ×2", "chars/s")
            await one.shows("T 0.80  top-k off  min-p off  top-p off  50 ch/s  lr 0.003")
            await one.shows("100,000 characters", "held out from character", "── seed 1 ──", "step 1")
            await one.shows("To be, or not to be", "space pause", "q save and quit")

    run(test)


def test_a_phase_of_the_learning_rate_is_on_the_status_line() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.change(phase="warm-up", phase_step=120, phase_steps=200, current_rate=0.0018)
            await one.shows("warm-up 120/200", "lr 0.0018 of 0.003")
            one.engine.change(state="paused", phase="diverged", phase_step=0, phase_steps=0)
            await one.shows("○ paused", "diverged")

    run(test)


KNOB_KEYS = [
    (("plus",), SetKnobs(Knobs(temperature=0.85)), "T 0.85"),
    (("equals_sign",), SetKnobs(Knobs(temperature=0.85)), "T 0.85"),
    (("minus",), SetKnobs(Knobs(temperature=0.75)), "T 0.75"),
    (("k",), SetKnobs(Knobs(top_k=40)), "top-k 40"),
    (("n",), SetKnobs(Knobs(min_p=0.02)), "min-p 0.02"),
    (("n",) * 5, SetKnobs(Knobs(top_p=0.95)), "top-p 0.95"),
    (("right_square_bracket",), SetPace(100.0), "100 ch/s"),
    (("left_square_bracket",), SetPace(30.0), "30 ch/s"),
    (("comma",), SetLearningRate(0.0024), "lr 0.0024"),
    (("full_stop",), SetLearningRate(0.00375), "lr 0.00375"),
    (("c",), SetCooldown(True), "cooling 35 %"),
    (("c",), SetCooldown(True), "lr 0.00195 of 0.003"),
    (("c", "c"), SetCooldown(False), "lr 0.003"),
    (("space",), SetPaused(True), "○ paused"),
    (("space", "space"), SetPaused(False), "● training"),
    (("w",), WriteCheckpoint(), "Wrote checkpoint"),
    (("r",), RestartStream(prime=None, seed=2), "── seed 2 ──"),
]


@pytest.mark.parametrize(("pressed", "sent", "shown"), KNOB_KEYS, ids=lambda value: str(value)[:40])
def test_a_key_tells_the_engine_and_the_screen(pressed: tuple[str, ...], sent: Any, shown: str) -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press(*pressed)
            await one.shows(shown)
            await one.until(lambda: sent in one.engine.received)

    run(test)


def test_every_key_of_the_table_is_bound_to_an_action_that_exists() -> None:
    async def test() -> None:
        async with bench() as one:
            for key in keys.TABLE:
                owners = {"": one.app, "loss": one.app.panes.loss.chart, "corpus": one.app.panes.corpus}
                if key.pane not in owners:
                    continue  # of another screen
                owner = owners[key.pane]
                for name in key.keys:
                    assert name in owner._bindings.key_to_bindings
                if key.action:
                    target = one.app if key.action.startswith("app.") else owner
                    assert hasattr(target, "action_" + key.action.removeprefix("app.").split("(")[0])

    run(test)


def test_a_knob_shows_before_the_engine_has_answered_and_is_marked_in_the_text() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("k")
            assert "top-k 40" in one.app.panes.stream.upper.render_line(0).text
            await one.shows("⟨top-k 40⟩")

    run(test)


def test_panes_are_shown_hidden_zoomed_and_reset() -> None:
    async def test() -> None:
        async with bench() as one:
            for key, title in (("1", "─ Corpus ─"), ("2", "─ Loss ─"), ("3", "─ Stream ─")):
                assert title in one.screen()
                await one.press(key)
                await one.until(lambda title=title: title not in one.screen())
            await one.shows("Every pane is hidden")
            await one.press("0")
            await one.shows("─ Corpus ─", "─ Loss ─", "─ Stream ─")
            await one.press("z")
            await one.until(lambda: "─ Loss ─" not in one.screen())
            await one.press("z")
            await one.shows("─ Loss ─")

    run(test)


def test_the_corpus_unfolds_on_its_key_when_the_screen_is_narrow() -> None:
    async def test() -> None:
        async with bench((80, 24)) as one:
            assert "─ Corpus ─" not in one.screen()
            await one.press("1")
            await one.shows("─ Corpus ─", "─ Loss ─", "─ Stream ─")

    run(test)


def test_scrolling_up_stops_following_and_f_follows_again() -> None:
    async def test() -> None:
        async with bench(pace=2000.0, text="line\n") as one:
            await one.until(lambda: one.app.panes.stream.text.last_top > 40)
            await one.press("pageup", "pageup")
            await one.shows("following off · f to follow")
            top = one.app.panes.stream.text.top
            await one.pilot.pause(0.3)
            assert one.app.panes.stream.text.top == top < one.app.panes.stream.text.last_top
            await one.press("f")
            await one.until(lambda: "following off" not in one.screen())
            assert one.app.panes.stream.text.following

    run(test)


def test_a_prime_is_edited_while_text_goes_on_and_unknown_characters_are_named() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("p")
            await one.until(lambda: one.app.panes.stream.input.has_focus)
            before = one.app.panes.stream.text.transcript.characters
            await one.press("space", "é", "q")
            await one.shows("the model does not know é")
            await one.until(lambda: one.app.panes.stream.text.transcript.characters > before + 5)
            await one.press("enter")
            await one.shows("The model does not know é; left out.")
            await one.until(lambda: RestartStream(prime="To be éq", seed=1) in one.engine.received)
            assert not one.sent(StopRun)

    run(test)


def test_esc_leaves_the_prime_as_it_was() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("p", "x", "escape")
            await one.until(lambda: not one.app.panes.stream.input.is_open)
            assert not one.sent(RestartStream)
            await one.press("minus")
            await one.shows("T 0.75")

    run(test)


def test_markup_and_control_characters_are_literal_everywhere() -> None:
    evil = "[bold]x[/bold] [red]\x1b]52;c;eA==\x07"
    shown = "[bold]x[/bold] [red]␛]52;c;eA==␇"

    async def test() -> None:
        made = corpus(name="[b]h\x1b", head=evil + "\n" + corpus().head, alphabet=evil)
        async with bench(text=evil + "\n", corpus=made) as one:
            await one.shows(shown, "[b]h␛")
            await one.until(lambda: sum(line.count(shown) for line in one.lines()) >= 3)
            one.engine.say(Notice("warning", "notice " + evil))
            await one.shows("notice " + shown)
            one.engine.change(prime=evil)
            await one.pilot.pause(0.1)
            await one.press("p")
            await one.shows("[bold]x[/bold] [red]\\u001b]52;c;eA==\\u0007")

    run(test)


def test_combining_and_wide_characters_keep_every_row_straight() -> None:
    async def test() -> None:
        async with bench((60, 20), text="漢字e\u0301👩\u200d🚀🇩🇪\u0301 ", pace=1000.0) as one:
            await one.until(lambda: len(one.app.panes.stream.text.transcript.index) > 30)
            assert {width(line) for line in one.lines()} == {60}

    run(test)


def test_many_sizes_one_after_another_raise_nothing() -> None:
    async def test() -> None:
        async with bench(pace=1000.0) as one:
            sizes = itertools.cycle([(120, 34), (80, 24), (20, 5), (60, 16), (1, 1), (200, 60), (99, 29), (41, 10)])
            for size in itertools.islice(sizes, 48):
                await one.pilot.resize_terminal(*size)
            await one.pilot.resize_terminal(120, 34)
            await one.shows("─ Corpus ─", "─ Loss ─", "─ Stream ─", "● training")

    run(test)


@pytest.mark.parametrize("size", [(120, 34), (100, 30), (80, 24), (70, 20), (60, 16), (40, 10)])
def test_at_any_designed_size_the_rows_are_full_and_the_status_words_whole(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with bench(size) as one:
            await one.shows("● training", "T 0.80")
            lines = one.lines()
            assert len(lines) == size[1]
            assert {width(line) for line in lines} == {size[0]}
            known = {"●", "training", "hamlet", "lstm", "1×256,", "363k", "parameters", "cpu", "×2", "step", "chars/s"}
            known |= {"1×256", "(363k)", "ch/s"}  # in brief, where the whole does not fit
            for word in lines[0].replace("·", " ").split():
                assert word in known or word.replace(",", "").replace(":", "").rstrip("k").isdigit()

    run(test)


def test_a_screen_that_is_too_small_says_what_it_needs() -> None:
    async def test() -> None:
        async with bench((9, 4)) as one:
            await one.until(lambda: "10x1" in one.screen() and "9x4" in one.screen())

    run(test)


def test_help_opens_scrolls_and_closes() -> None:
    async def test() -> None:
        async with bench((80, 24)) as one:
            await one.press("question_mark")
            await one.shows("pause and resume training")
            await one.press("pagedown")
            await one.shows("lay other runs over the chart")
            await one.press(*"prime")
            await one.shows("start the stream from this prime")
            await one.press("escape", "escape")
            await one.shows("─ Stream ─")

    run(test)


def test_the_palette_offers_every_command_of_the_table() -> None:
    async def test() -> None:
        async with bench() as one:
            offered = {command.title for command in one.app.get_system_commands(one.app.screen)}
            for key in keys.TABLE:
                assert not key.command or any(title.startswith(key.command) for title in offered)

    run(test)


def test_copying_writes_a_file_and_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def test() -> None:
        async with bench() as one:
            await one.press("y")
            await one.shows("Copied")
            (written,) = tmp_path.rglob("*.txt")
            assert written.read_text().startswith("To be")
            assert one.app.clipboard == written.read_text()

    run(test)


def test_a_loss_that_diverged_is_said_and_drawn_as_a_gap() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.say(Losses([LossPoint(900, 1, 1.0, None, None, 0.003, True)]))
            await one.shows("diverged")

    run(test)


def test_before_anything_has_come_the_screen_says_what_is_awaited() -> None:
    async def test() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            app = Workbench(ours)
            async with app.run_test(size=(120, 34)) as pilot:
                one = Bench(app, FakeEngine(), pilot)
                await one.shows("reading the corpus…", "the first losses come in a moment", "◌ starting")

    run(test)


def test_q_saves_then_leaves_and_says_how_to_come_back() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("q")
            await one.until(lambda: one.app.return_value is not None)
            assert one.sent(StopRun)
            assert one.app.return_value == Leaving(0, "Saved at step 7; come back with: charrnn-tui hamlet-1")

    run(test)


def test_ctrl_c_is_an_interrupt_after_a_checkpoint() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("ctrl+c")
            await one.until(lambda: one.app.return_value is not None)
            assert one.sent(StopRun)
            assert one.app.return_value is not None
            assert one.app.return_value.status == 130

    run(test)


def test_d_leaves_without_stopping_anything() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("d")
            await one.until(lambda: one.app.return_value is not None)
            assert not one.sent(StopRun)
            assert one.app.return_value == Leaving(0, "Training goes on; come back with: charrnn-tui hamlet-1")

    run(test)


def test_a_refusal_leaves_with_its_sentence_and_status() -> None:
    async def test() -> None:
        async with bench(refusal=Refused("there is no such file", 2)) as one:
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value == Leaving(2, "there is no such file")

    run(test)


def test_when_the_engine_dies_the_screen_stays_and_says_so() -> None:
    async def test() -> None:
        async with bench() as one:
            assert one.engine._writer is not None
            one.engine._writer.transport.abort()
            await one.shows("The engine has gone", "✗ disconnected")
            await one.press("q")
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value is not None
            assert one.app.return_value.status == 1

    run(test)


def test_one_key_starts_an_engine_again_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RunRequest] = []

    async def test() -> None:
        second = FakeEngine(text="and here another one goes on\n")
        tasks: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()

        def open_run(request: RunRequest) -> client.Reached:
            asked.append(request)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            loop.call_soon_threadsafe(lambda: tasks.append(asyncio.create_task(second.serve(theirs))))
            return client.Reached(ours, attached=False)

        monkeypatch.setattr(client, "open_run", open_run)
        async with bench() as one:
            await one.press("k", "enter")
            await one.shows("The engine is at work")
            assert not asked
            assert one.engine._writer is not None
            one.engine._writer.transport.abort()
            await one.shows("The engine has gone", "enter starts the engine again", "✗ disconnected")
            await one.press("y")  # another notice covers it only for a while
            await one.press("enter")
            await one.shows("● training", "another one goes on", "── seed 1 ──")
            assert "✗" not in one.screen()
            await one.press("space")
            await one.until(lambda: SetPaused(True) in second.received)
            assert SetPaused(True) not in one.engine.received
            for task in tasks:
                task.cancel()

    monkeypatch.setattr("tui.copying.keep", lambda text, name: ("info", "kept"))
    run(test)
    (request,) = asked
    assert (request.target, request.train, request.options["top_k"]) == ("/runs/hamlet-1", True, 40)
    assert request.options["prime"] == "To be"


def test_an_engine_that_cannot_be_started_again_is_told_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RunRequest] = []

    def open_run(request: RunRequest) -> client.Reached:
        asked.append(request)
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(client, "open_run", open_run)

    async def test() -> None:
        async with bench() as one:
            assert one.engine._writer is not None
            one.engine._writer.transport.abort()
            await one.shows("The engine has gone")
            await one.press("enter")
            await one.shows("could not be started: Cannot allocate memory")
            await one.press("enter")
            await one.until(lambda: len(asked) == 2)
            await one.press("d")
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value == Leaving(0, "The engine has gone; come back with: charrnn-tui hamlet-1")

    run(test)


def test_what_stands_shows_again_when_another_notice_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NOTICE_STAYS, "info", 0.2)

    async def test() -> None:
        async with bench() as one:
            one.app.say("error", "this stands", None)
            await one.shows("this stands")
            one.app.say("info", "this passes")
            await one.shows("this passes")
            await one.shows("this stands")

    run(test)


def test_space_starts_training_again_that_has_failed() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.change(state="failed")
            await one.shows("✗ failed")
            await one.press("space")
            await one.shows("● training")
            assert one.sent(SetPaused) == [SetPaused(False)]

    run(test)


def test_a_gap_in_the_text_is_shown() -> None:
    async def test() -> None:
        async with bench(pace=5.0) as one:
            at = one.engine._position + 500
            one.engine.say(Text([Generated(at, "later", Knobs(), 0, 1, False, 3)]))
            await one.shows("characters not shown⟩later")

    run(test)


def test_nothing_of_torch_or_numpy_is_loaded_by_the_app() -> None:
    assert "tui.app" in sys.modules
    script = (
        "import sys, tui.app, tui.plain, tui.driver, tui.screens.help, tui.chart, plotext; print(sorted(sys.modules))"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "'plotext'" in loaded
    assert "'torch'" not in loaded
    assert "'numpy'" not in loaded


def test_messages_survive_the_wire_that_the_fake_speaks() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(corpus()), type=type(corpus())) == corpus()


@pytest.mark.parametrize("key", ["question_mark", "j", "m", "b", "T", "quotation_mark"])
def test_a_screen_that_is_left_twice_at_once_is_left_once(key: str) -> None:
    async def test() -> None:
        async with bench() as one:
            below = one.app.screen
            await one.press(key)
            await one.until(lambda: one.app.screen is not below)
            screen = one.app.screen
            screen.dismiss(None)
            screen.dismiss(None)
            await one.until(lambda: one.app.screen is below)
            await one.shows("space pause")

    run(test)


def test_the_palette_can_be_left_while_it_is_being_filled() -> None:
    async def test() -> None:
        async with bench() as one:
            below = one.app.screen
            for _ in range(8):
                one.app.action_command_palette()
                palette = one.app.screen
                assert palette is not below
                await one.until(lambda palette=palette: palette.is_mounted)
                palette.dismiss(None)
                palette.dismiss(None)
                await one.until(lambda: one.app.screen is below)
            await one.shows("space pause")

    run(test)

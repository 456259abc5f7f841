"""The screen that opens a run or begins one: every way through it, and back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.pilot import Pilot

from charrnn.config import UsageError
from charrnn.engine import client
from charrnn.engine.messages import Refused, RunRequest, SetKnobs, StopRun, Welcome
from charrnn.runs.directory import RunFolder
from tests.runs.test_glance import make_run
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_workbench import Bench, run
from tui import keys
from tui.app import Workbench
from tui.screens import opening_work
from tui.screens.opening import OpeningScreen
from tui.screens.opening_runs import RunList

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202e]")
SIZES = [(120, 34), (80, 24), (60, 16), (39, 9)]


class Opened(Bench):
    """The workbench without a run, or with one; engines that were reached, and what was asked of them."""

    def __init__(self, app: Workbench, pilot: Pilot[Any]) -> None:
        super().__init__(app, FakeEngine(), pilot)
        self.requests: list[RunRequest] = []
        self.engines: list[FakeEngine] = []

    @property
    def opening(self) -> OpeningScreen:
        screen = self.app.screen
        assert isinstance(screen, OpeningScreen), screen
        return screen

    async def type(self, text: str) -> None:
        await self.press(*("space" if character == " " else character for character in text))


@contextlib.asynccontextmanager
async def opened(
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int] = (120, 34),
    *,
    refusal: Refused | None = None,
    with_run: bool = False,
) -> AsyncIterator[Opened]:
    serving: list[asyncio.Task[None]] = []
    connections: list[socket.socket] = []

    async def no_measurement(*_: object) -> AsyncIterator[tuple[str, float]]:
        for nothing in ():
            yield nothing

    def engine(name: str, refusal: Refused | None = None) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        made = FakeEngine(refusal=refusal)
        one.engines.append(made)
        say = made.say

        def renamed(*messages: Any) -> None:
            say(*(Welcome(run=name, folder=f"/runs/{name}") if isinstance(m, Welcome) else m for m in messages))

        made.say = renamed  # type: ignore[method-assign]
        connections.append(theirs)
        loop.call_soon_threadsafe(lambda: serving.append(loop.create_task(made.serve(theirs))))
        return ours

    def open_run(request: RunRequest, *, attach_only: bool = False) -> client.Reached:
        if request.target == "/broken":
            raise UsageError("The run broken cannot be opened; look at its settings.")
        one.requests.append(request)
        live = "alive" in request.target
        return client.Reached(engine(Path(request.target).name, None if live else refusal), attached=live)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(client, "open_run", open_run)
    monkeypatch.setattr("charrnn.engine.estimates.measure", no_measurement)
    one = Opened.__new__(Opened)
    one.engines = []
    app = Workbench(engine("hamlet-1") if with_run else None)
    async with app.run_test(size=size) as pilot:
        engines = one.engines
        one.__init__(app, pilot)  # type: ignore[misc]
        one.engines = engines
        yield one
    for task in serving:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await task


@pytest.fixture
def runs(runs_folder: Path) -> Path:
    for number, name in enumerate(("novel-1", "poems-2", "letters-3")):
        make_run(runs_folder, name, age=100.0 * number + 10)
    return runs_folder


def test_earlier_runs_stand_beside_a_new_one(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("Runs  3", "novel-1", "poems-2", "letters-3", "moby.txt", "New run", "Begin training")
            await one.shows("1.961", "█", "held-out 1.961", "step 40", "lstm 1×256", "text: /texts/moby.txt")
            assert one.app.session.welcome is None
            assert not one.requests

    run(test)


def test_enter_opens_the_run_and_typing_finds_it(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            await one.type("poem")
            await one.shows("1 of 3", "/ poem")
            assert "novel-1" not in one.screen()
            await one.press("enter")
            await one.shows("● training", "── seed 1 ──")
            assert one.requests == [RunRequest(target=str(runs / "poems-2"), train=False)]
            await one.press("plus")
            await one.until(lambda: [m for m in one.engines[-1].received if isinstance(m, SetKnobs)])

    run(test)


def test_a_filter_is_taken_back_by_backspace_and_esc(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            await one.type("zq")
            await one.shows("no run is called 'zq'", "0 of 3")
            await one.press("enter", "backspace", "backspace")
            await one.shows("novel-1")
            await one.type("no")
            await one.press("escape")
            await one.shows("letters-3")
            await one.press("escape")
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value is not None
            assert (one.app.return_value.status, one.app.return_value.text) == (0, "")
            assert not one.requests

    run(test)


def test_a_live_run_is_marked_and_damage_says_what_it_is(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    live = RunFolder.open(make_run(runs, "alive-9", age=5000.0))
    (runs / "broken").mkdir()
    (runs / "broken" / "config.toml").write_text("x = [\x1b[31m")

    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("1 live", "▐● alive-9", "enter attaches to it")
            await one.press("down")
            await one.shows("✗ broken", "cannot be read", "Invalid value")
            assert not CONTROLS.search(one.screen().replace("\n", ""))
            await one.press("home", "enter")
            await one.shows("● training")
            assert one.app.attached

    try:
        run(test)
    finally:
        live.close()


def test_a_new_run_begins_with_a_path_a_preset_and_enter(
    monkeypatch: pytest.MonkeyPatch, runs: Path, corpus_file: Path
) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            await one.press("tab")
            one.opening.form.path.put(str(corpus_file)[:-8])
            await one.type("nc")
            await one.shows("sentences.txt")
            await one.press("tab")
            await one.shows("18.9k characters · 46 symbols · UTF-8", "mingru 2×128", "sentences-1, until")
            await one.shows("─ sentences.txt ─", "Old left nobody the home lazy left a.")
            await one.press("enter")
            await one.until(lambda: one.app.focused is one.opening.form.presets)
            await one.press("down", "tab")
            await one.type("mine")
            await one.press("tab")
            await one.type("2.5")
            await one.press("tab")
            await one.type("500")
            await one.shows("mine, for 2.5 min or 500 steps")
            await one.press("enter")
            await one.shows("● training")
            options: dict[str, str | int | float | bool] = {"preset": "fast", "minutes": 2.5, "steps": 500}
            wanted = RunRequest(target=str(corpus_file), run="mine", options=options, train=False)
            assert one.requests == [wanted]

    run(test)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("/no/such/file.txt", "There is no file or folder"),
        ("", "Which text?"),
        ("https://", "is not a web address"),
        ("{runs}/novel-1", "is a run; open it in the list"),
        ("-", "Standard input can be the text only from the start"),
    ],
)
def test_what_is_no_text_is_said_in_its_place_and_nothing_begins(
    monkeypatch: pytest.MonkeyPatch, runs: Path, typed: str, words: str
) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            await one.press("tab")
            await one.until(lambda: one.opening.form.found.found)
            one.opening.form.path.put(typed.format(runs=runs))
            await one.pilot.pause(0.3)
            await one.press("enter")
            await one.until(lambda: words in " ".join(one.opening.form.note.text.split()))
            assert one.app.focused is one.opening.form.path
            one.opening.form.begin.focus()
            await one.press("enter")
            await one.pilot.pause(0.2)
            assert not one.requests

    run(test)


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("minutes", "soon", "'soon' minutes is not a number"),
        ("steps", "1.5", "not a whole number"),
        ("steps", "0", "Steps: 0"),
    ],
)
def test_a_number_that_cannot_be_is_said_in_its_place(
    monkeypatch: pytest.MonkeyPatch, runs: Path, corpus_file: Path, field: str, typed: str, words: str
) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            one.opening.form.path.put(str(corpus_file))
            place = getattr(one.opening.form, field)
            place.put(typed)
            place.focus()
            await one.press("enter")
            await one.shows(words)
            assert not one.requests

    run(test)


def test_a_name_that_is_taken_is_said_in_its_place(
    monkeypatch: pytest.MonkeyPatch, runs: Path, corpus_file: Path
) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            one.opening.form.path.put(str(corpus_file))
            one.opening.form.name_field.put("novel-1")
            one.opening.form.begin.focus()
            await one.press("enter")
            await one.shows("There is a run at")
            assert one.app.focused is one.opening.form.name_field
            assert not one.requests

    run(test)


def test_a_refusal_by_the_engine_brings_the_screen_back_with_the_sentence(
    monkeypatch: pytest.MonkeyPatch, runs: Path, corpus_file: Path
) -> None:
    async def test() -> None:
        async with opened(monkeypatch, refusal=Refused("The text has changed\x1b[2J; choose.", 2)) as one:
            await one.shows("letters-3")
            one.opening.form.path.put(str(corpus_file))
            one.opening.form.minutes.put("3")
            one.opening.form.begin.focus()
            await one.press("enter")
            await one.shows("The text has changed␛[2J; choose.", "New run")
            assert one.opening.form.path.text == str(corpus_file)
            assert one.opening.form.minutes.text == "3"
            assert one.app.focused is one.opening.form.path
            await one.press("escape", "escape")
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value is not None
            assert one.app.return_value.status == 0

    run(test)


def test_a_refusal_before_an_engine_is_started_leaves_the_screen(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            one.opening._open(RunRequest(target="/broken"))
            await one.shows("The run broken cannot be opened; look at its settings.")
            await one.press("down")
            assert "cannot be opened" not in one.screen()

    run(test)


def test_o_leaves_a_run_to_itself_and_comes_back_to_it(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch, with_run=True) as one:
            await one.shows("● training", "── seed 1 ──")
            await one.until(lambda: one.app.panes.stream.text.transcript.characters > 40)
            first = one.app.panes
            await one.press("o")
            await one.shows("Runs  3", "esc back")
            await one.press("escape")
            await one.shows("● training")
            await one.press("o")
            await one.shows("novel-1")
            await one.press("enter")
            await one.shows("hamlet-1 trains on; o finds it again, so does charrnn-tui hamlet-1.")
            await one.shows("● training", "── seed 1 ──")
            assert one.app.panes is not first
            assert one.app.session.welcome is not None
            assert one.app.session.welcome.run == "novel-1"
            assert not [m for m in one.engines[0].received if isinstance(m, StopRun)]
            await one.until(lambda: one.engines[0]._stopping.is_set())  # its client has hung up
            before = one.app.panes.stream.text.transcript.characters
            await one.until(lambda: one.app.panes.stream.text.transcript.characters > before)
            await one.press("q")
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value is not None
            assert "come back with: charrnn-tui novel-1" in one.app.return_value.text
            assert [m for m in one.engines[-1].received if isinstance(m, StopRun)]

    run(test)


def test_its_keys_are_bound_where_the_table_says() -> None:
    (opens,) = (key for key in keys.TABLE if key.pane == "runs" and key.action)
    assert isinstance(RunList.BINDINGS[0], Binding)
    assert (RunList.BINDINGS[0].key, RunList.BINDINGS[0].action) == (",".join(opens.keys), opens.action)
    assert hasattr(RunList, f"action_{opens.action}")


def test_a_disk_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    hanging = threading.Event()
    monkeypatch.setattr("tui.screens.opening.read_places", lambda _: hanging.wait(30))

    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("looking for runs")
            await one.press("escape")
            await one.until(lambda: one.app.return_value is not None)

    begun = time.monotonic()
    run(test)
    assert time.monotonic() - begun < 15
    hanging.set()


def test_keys_of_the_workbench_mean_nothing_here_but_are_typed(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch, with_run=True) as one:
            await one.shows("● training")
            await one.press("o")
            await one.shows("novel-1")
            await one.type("qdp+ ")
            await one.shows("/ qdp+")
            assert not [m for m in one.engines[0].received if isinstance(m, SetKnobs | StopRun)]
            assert one.app.return_value is None

    run(test)


def test_the_palette_offers_what_can_be_done_here(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("novel-1")
            titles = [command.title for command in one.app.get_system_commands(one.app.screen)]
            assert titles == ["Open the run", "New run", "Runs", "Begin training", "Leave", "Help"]

    run(test)


@pytest.mark.parametrize("status", [130, 143])
def test_ended_from_outside_it_leaves_at_once(monkeypatch: pytest.MonkeyPatch, runs: Path, status: int) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("novel-1")
            one.app.stop(status)
            await one.until(lambda: one.app.return_value is not None)
            assert one.app.return_value is not None
            assert (one.app.return_value.status, one.app.return_value.text) == (status, "")

    run(test)


def test_without_runs_the_new_run_has_the_focus(monkeypatch: pytest.MonkeyPatch, runs_folder: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("no runs yet in", "python-docs")
            assert one.app.focused is one.opening.form.path

    run(test)


@pytest.mark.parametrize("size", SIZES)
def test_every_field_is_reached_by_tab_and_seen_at(
    monkeypatch: pytest.MonkeyPatch, runs: Path, corpus_file: Path, size: tuple[int, int]
) -> None:
    async def test() -> None:
        async with opened(monkeypatch, size) as one:
            await one.shows("novel-1")
            one.opening.form.path.put(str(corpus_file))
            seen: list[str] = []
            for _ in range(8):
                focused = one.app.focused
                assert focused is not None
                seen.append(str(focused.id))
                await one.pilot.pause(0.05)
                assert focused.region.height > 0
                visible = one.app.screen.find_widget(focused).visible_region
                assert visible.height > 0, (focused.id, one.screen())
                assert all(width_of(line) == size[0] for line in one.lines())
                await one.press("tab")
            ids = ["runs", "path", "presets", "run-name", "minutes", "steps", "begin"]
            assert seen[:7] == ids
            await one.press("shift+tab", *["shift+tab"] * 2)

    from tui.terminal import width as width_of

    run(test)


@pytest.mark.parametrize("size", SIZES)
def test_frames_stand_straight_at(monkeypatch: pytest.MonkeyPatch, runs: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with opened(monkeypatch, size) as one:
            await one.shows("novel-1")
            for _ in range(2):
                body = [line for line in one.lines() if line.startswith("│")]
                assert len(body) >= size[1] - 7
                assert all(line.endswith("│") for line in body)
                await one.press("tab")
                await one.until(lambda: one.opening.form.found.found)

    run(test)


def test_the_mouse_chooses_a_run_and_a_candidate(monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("letters-3")
            await one.pilot.click("#runs", offset=(10, 2))
            await one.until(lambda: one.opening.runs.highlighted is not None)
            assert one.opening.runs.highlighted is not None
            assert one.opening.runs.highlighted.name == "letters-3"
            await one.press("tab")
            await one.until(lambda: one.opening.form.found.found)
            await one.shows("the language reference")
            names = [candidate.text for candidate in one.opening.form.found.found]
            await one.pilot.click("#candidates", offset=(6, names.index("python-docs")))
            await one.shows("465k characters", "python-docs-1, until you stop it")
            await one.pilot.click("#presets", offset=(6, 3))
            assert one.opening.form.presets.chosen == "large"
            await one.pilot.click("#begin", offset=(3, 0))
            await one.shows("● training")
            assert one.requests[0].options == {"preset": "large"}

    run(test)


def test_hundreds_of_runs_are_read_while_keys_are_obeyed(monkeypatch: pytest.MonkeyPatch, runs_folder: Path) -> None:
    config = (make_run(runs_folder, "run-000", 100) / "config.toml").read_bytes()
    metrics = (runs_folder / "run-000" / "metrics.jsonl").read_bytes()
    for number in range(1, 300):
        place = runs_folder / f"run-{number:03}"
        place.mkdir()
        (place / "config.toml").write_bytes(config)
        (place / "metrics.jsonl").write_bytes(metrics)
        os.utime(place / "metrics.jsonl", (1e9 + number, 1e9 + number))
        os.utime(place / "config.toml", (1e9 + number, 1e9 + number))

    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("Runs  300")
            await one.press("end")
            await one.shows("run-001")
            await one.until(lambda: len(one.opening.runs.seen) == 300, 20.0)
            await one.type("run-2")
            await one.shows("100 of 300")

    run(test)


def test_speeds_of_earlier_runs_make_the_estimates(
    monkeypatch: pytest.MonkeyPatch, runs: Path, corpus_file: Path
) -> None:
    monkeypatch.setattr(opening_work, "cores", lambda: 1)

    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("novel-1")
            one.opening.form.path.put(str(corpus_file))
            await one.shows("mingru 2×128")
            found = one.opening._estimator.found
            from charrnn.engine.estimates import speed_key

            key = speed_key(found[0].config.model, found[0].config.training)
            one.opening._estimator._from_runs[key] = (10_000.0, "as in novel-1")
            one.opening._estimate()
            await one.shows("≈10.0k", "1.7 s", "the speed as in novel-1")

    run(test)


@pytest.mark.parametrize("typed", ["na[b]me\x1b[31m\u202e.txt"])
def test_a_files_name_is_only_shown(monkeypatch: pytest.MonkeyPatch, runs: Path, tmp_path: Path, typed: str) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / typed).write_text("some text\n" * 30)

    async def test() -> None:
        async with opened(monkeypatch) as one:
            await one.shows("novel-1")
            await one.press("tab")
            one.opening.form.path.put(f"{folder}/")
            await one.shows("na[b]me␛[31m")
            await one.press("down")
            await one.shows("some text")
            await one.press("enter")
            await one.shows("300 characters")
            assert not CONTROLS.search(one.screen().replace("\n", ""))
            await one.until(lambda: one.app.focused is one.opening.form.presets)
            await one.press("enter")
            await one.until(lambda: one.requests)
            assert one.requests[0].target == str(folder / typed)

    run(test)

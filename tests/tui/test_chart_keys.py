"""The chart's keys, its mouse, the runs laid over it and its files, in the workbench."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from textual.widgets import Input

from charrnn.commands import picture
from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.engine.mark_messages import Mark, Marks
from charrnn.engine.messages import Losses, LossPoint, Welcome
from charrnn.runs.directory import RunFolder
from tests.tui.fake_engine import point
from tests.tui.test_workbench import Bench, bench, run
from tui import keys
from tui.charts import others
from tui.charts.window import Window

POINTS = [point(step) for step in range(1, 101)]


async def at_rest(one: Bench) -> None:
    """A hundred losses, no more to come, and the chart in focus."""
    one.engine.change(state="paused")
    await one.shows("○ paused")
    one.engine.say(Losses(POINTS, first=True))
    one.app.panes.loss.chart.focus()
    await one.until(lambda: one.app.session.points == POINTS and len(one.app.panes.loss.chart.scene.points) == 100)


def lower(one: Bench) -> str:
    return one.app.panes.loss.lower.render_line(0).text


def upper(one: Bench) -> str:
    return one.app.panes.loss.upper.render_line(0).text


def a_run(place: Path, *, steps: int = 60, more: str = "") -> Path:
    """A run's folder with a record."""
    folder = RunFolder.create(
        place,
        RunConfig(
            preset="auto",
            corpus=CorpusConfig(source="hamlet", name="hamlet"),
            model=ModelConfig(),
            training=TrainingConfig(),
            stream=StreamConfig(),
        ),
    )
    folder.close()
    lines = [
        {"step": s, "chars": s * 10, "seconds": s / 5, "train_loss": 2 + 1 / s, "val_loss": 2.5, "learning_rate": 0.01}
        for s in range(1, steps)
    ]
    (place / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + more)
    return place


def test_u_s_l_and_x_change_what_is_shown_and_the_pane_says_so() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            assert "━ held-out 1.867  ─ train 1.767" in upper(one)
            await one.press("u")
            await one.shows("held-out 2.693", "bits per character")
            await one.press("u")
            await one.shows("held-out 6.467", "perplexity per character")
            await one.press("u", "l", "s")
            await one.shows("nats per character, log scale, smoothed")
            await one.press("l", "s", "s")
            await one.shows("─ nats per character ─")
            await one.press("x")
            await one.shows("characters 2,048")
            await one.press("x")
            await one.shows("time 0:00")
            await one.press("x")
            await one.shows("step 1 ")

    run(test)


def test_a_history_is_drawn_as_soon_as_it_is_there_whatever_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            one.app._chart_pulse.stop()
            drawn: list[int] = []
            monkeypatch.setattr(one.app.panes.loss, "show", lambda scene: drawn.append(len(scene.points)))
            one.app.session.points = []
            one.app.hear(Marks([]))
            await one.pilot.pause(0.1)
            assert drawn == []  # or the next drawing would wait its time
            one.app.hear(Losses([point(step) for step in range(1, 2001)], first=True))
            one.app.hear(Losses([point(step) for step in range(2001, 3001)]))
            assert drawn == [2000, 3000]
            one.app.hear(Losses([point(3001)]))
            assert drawn == [2000, 3000]

    run(test)


def test_the_cursor_reads_off_values_and_goes_away() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            one.engine.say(Marks([Mark("rate", 60, 0.002), Mark("checkpoint", 100)]))
            await one.press("left")
            await one.until(lambda: "─ step 100  ─ 1.767  ━ 1.867  lr 0.003  checkpoint ─" in lower(one))
            await one.press("left", "left")
            await one.until(lambda: "step 96" in lower(one))
            assert "─ step 96  train 1.786  held-out 1.891  lr 0.003 ─" in lower(one)
            await one.press("right")
            await one.until(lambda: "step 98" in lower(one))
            await one.press("escape")
            await one.until(lambda: "step" not in lower(one))

    run(test)


def test_up_and_down_look_closer_and_wider_and_home_shows_all() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            await one.press("up", "up")
            await one.until(lambda: one.app.chart_window.low is not None)
            assert one.app.chart_window.high is None  # the newest losses stay in sight
            low = one.app.chart_window.low
            assert low is not None
            assert low > 50
            await one.press("pageup")
            await one.until(lambda: (one.app.chart_window.low or 0) < low)
            await one.shows(f"step {round(one.app.chart_window.low or 0)}")
            await one.press("pagedown", "down")
            await one.press("home")
            await one.until(lambda: one.app.chart_window == Window())

    run(test)


def test_the_mouse_zooms_pans_and_reads_off() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            chart = one.app.panes.loss.chart
            await one.pilot._post_mouse_events([_event("MouseScrollUp")], "#loss-chart", offset=(30, 4))
            await one.until(lambda: one.app.chart_window.low is not None)
            low = one.app.chart_window.low
            assert low is not None
            await one.pilot.mouse_down("#loss-chart", offset=(20, 4))
            await one.pilot.hover("#loss-chart", offset=(26, 4))
            await one.pilot.mouse_up("#loss-chart", offset=(26, 4))
            await one.until(lambda: (one.app.chart_window.low or 0.0) < low)
            assert one.app.chart_window.cursor is None
            await one.pilot.mouse_down("#loss-chart", offset=(30, 4))
            await one.pilot.mouse_up("#loss-chart", offset=(30, 4))
            await one.until(lambda: one.app.chart_window.cursor is not None)
            assert chart.drawn is not None
            assert one.app.chart_window.cursor == chart.drawn.place(29)
            assert "step " in lower(one)

    run(test)


def _event(name: str) -> Any:
    from textual import events

    return getattr(events, name)


def test_before_the_first_loss_every_key_says_so_and_nothing_breaks() -> None:
    async def test() -> None:
        async with bench(load_seconds=60.0) as one:
            one.app.panes.loss.chart.focus()
            for key in keys.TABLE:
                if key.pane == "loss" and key.id != "chart-over":
                    await one.press(key.keys[0])
            await one.shows("no losses to export yet")

    original = Bench.until

    async def no_text(self: Bench, condition: Any, seconds: float = 5.0) -> None:
        if self.app.panes.stream.text.transcript.characters:
            await original(self, condition, seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bench, "until", no_text)
        run(test)


def test_at_a_size_without_a_chart_the_keys_say_what_they_did_in_the_footer() -> None:
    async def test() -> None:
        async with bench((60, 16)) as one:
            await one.shows("loss train")
            await one.press("u")
            await one.shows("The losses are shown in bits per character.", "bits")
            await one.app.run_action("app.chart_zoom(-1)")
            await one.shows("There is no chart in sight")

    run(test)


def test_every_action_of_the_chart_is_in_the_palette_and_runs_from_there() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            one.app.panes.stream.text.focus()
            offered = {key.command: key for key in one.app.commands()}
            await one.app.perform(offered["Chart: look closer"])
            await one.until(lambda: one.app.chart_window.low is not None)
            await one.app.perform(offered["Chart: steps, characters or time"])
            assert one.app.chart_view.axis == "chars"
            for key in keys.TABLE:
                if key.pane == "loss":
                    assert key.command

    run(test)


def test_marks_of_the_engine_are_under_the_chart() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            one.engine.say(Marks([Mark("checkpoint", 20), Mark("rate", 50, 0.001), Mark("restart", 80)]))
            await one.until(lambda: any(line[1:58].split() == ["■", "▼", "◌"] for line in one.lines()))

    run(test)


def test_other_runs_are_chosen_laid_over_followed_and_taken_away(tmp_path: Path) -> None:
    async def test() -> None:
        a_run(tmp_path / "lstm-1")
        a_run(tmp_path / "[b]gru[b]\x1b", steps=200)
        (tmp_path / "no run").mkdir()
        async with bench() as one:
            await at_rest(one)
            one.engine.say(Welcome(run="own", folder=str(tmp_path / "own")))
            await one.until(lambda: one.app.session.welcome and one.app.session.welcome.run == "own")
            await one.press("a")
            await one.shows("Lay other runs over the chart", "[ ] lstm-1", "[ ] [b]gru[b]␛", "step 199", "2.500")
            await one.press("space", "down", "enter")
            await one.shows("[a] ", "[b] ")
            await one.press("escape")
            await one.until(lambda: len(one.app._laid) == 2)
            await one.shows("a [b]gru[b]␛", "b lstm-1", "199")
            await one.press("home")  # this run alone
            await one.until(lambda: one.app.chart_window.high == 100)
            await one.press("home")
            await one.until(lambda: one.app.chart_window.whole)
            await one.press("left")
            await one.until(lambda: "a 2.500" in lower(one))
            await one.press("a")
            await one.shows("[a] ")
            await one.press("space", "down", "space", "escape")
            await one.until(lambda: one.app._laid == ())

    run(test)


def test_without_other_runs_the_screen_says_where_it_looked(tmp_path: Path) -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.say(Welcome(run="own", folder=str(tmp_path / "own")))
            await one.until(lambda: one.app.session.welcome and one.app.session.welcome.run == "own")
            one.app.panes.loss.chart.focus()
            await one.press("a")
            await one.shows("no other runs in")
            await one.press("enter", "down", "escape")
            await one.shows("─ Stream ─")

    run(test)


HOSTILE = (
    '{"step": NaN}\n{"step": 1e400, "chars": 1}\n[1]\n{"step": 70, "chars": -5}\n{"step": 71, "seconds": Infinity}\n'
    + '{"step": "x"}\n'
    + "[" * 5000
    + '\n{"step": 80, "chars": 900, "seconds": 99, "train_loss": NaN, "learning_rate": 0}\n{"step": 8'
)


def test_a_record_of_another_run_is_read_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    place = a_run(tmp_path / "one", more=HOSTILE)
    record = others.read_record(place)
    assert [p.step for p in record.points] == [*range(1, 60), 80]
    assert others.read_record(place, record) is record
    with open(place / "metrics.jsonl", "a") as file:
        file.write('1}\n{"step": 50, "chars": 5000, "seconds": 100, "train_loss": 1.0, "learning_rate": 0.1}\n')
    again = others.read_record(place, record)
    assert again.points[-1].step == 50  # the run went on from an older checkpoint
    with pytest.raises(OSError, match="metrics"):
        others.read_record(tmp_path)


# ---- files -------------------------------------------------------------------------------------------------------


async def export(one: Bench, kind: int) -> None:
    await one.press("e")
    await one.shows("Write the chart as it is shown", "SVG", "CSV")
    await one.press(*["down"] * kind, "enter")


def test_csv_has_the_recorded_points_in_sight_and_never_takes_a_files_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hamlet-1-loss.csv").write_text("mine")

    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            await one.press("u", "up")
            await one.until(lambda: one.app.chart_window.low is not None)
            await export(one, 3)
            await one.until(lambda: "hamlet-1-loss-2.csv" in one.screen().replace("\n", ""))

    run(test)
    assert (tmp_path / "hamlet-1-loss.csv").read_text() == "mine"
    head, *rows = csv.reader((tmp_path / "hamlet-1-loss-2.csv").read_text().splitlines())
    assert head == ["run", "step", "chars", "seconds", "train_bits_per_char", "held_out_bits_per_char", "learning_rate"]
    assert {row[0] for row in rows} == {"hamlet-1"}
    assert 35 < int(rows[0][1]) < 45
    assert int(rows[-1][1]) == 100
    assert float(rows[-1][4]) == pytest.approx(1.767 / 0.6931, abs=1e-2)


def test_svg_is_written_without_any_library_and_shows_what_the_chart_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            one.engine.say(Marks([Mark("rate", 50, 0.001), Mark("checkpoint", 60)]))
            await one.press("s", "s", "l")
            await export(one, 0)
            await one.until(lambda: "hamlet-1-loss.svg" in one.screen())

    run(test)
    written = (tmp_path / "hamlet-1-loss.svg").read_text()
    for words in ("hamlet-1", "held-out", "train", "log scale, smoothed", "lr 0.003 → 0.001", "<polyline", "<circle"):
        assert words in written


def test_png_and_pdf_are_drawn_by_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)

    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            await export(one, 1)
            await one.until(lambda: (tmp_path / "hamlet-1-loss.png").exists(), 60)
            await one.shows("hamlet-1-loss.png")

    run(test)
    assert (tmp_path / "hamlet-1-loss.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "matplotlib.py").write_text("raise ImportError('none here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            await export(one, 2)
            await one.until(lambda: "A PDF needs matplotlib; install it with pip install" in one.screen(), 30)

    run(test)
    assert not list(tmp_path.glob("*.pdf"))


def test_names_that_mean_something_elsewhere_are_text_in_every_kind_of_picture() -> None:
    line = picture.Line("$x_<b>&\x1b_", "other", [1.0, 2.0, 3.0], [1.0, None, 2.0])
    made = picture.Picture("_$\\frac{<&>\x07", "loss", 1.0, 3.0, [line], log=True, rules=[picture.Rule("xz", 1.5)])
    written = picture.drawn(made, ".svg").decode()
    words = [text.text for text in ElementTree.fromstring(written).iter("{http://www.w3.org/2000/svg}text")]
    assert "$x_<b>&␛_" in words
    assert "_$\\frac{<&>␇" in words
    pytest.importorskip("matplotlib")
    done = subprocess.run(
        [sys.executable, "-m", "charrnn.commands.picture", ".pdf"],
        input=msgspec.json.encode(made),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"%PDF")


def test_a_picture_of_nothing_but_gaps_is_still_one() -> None:
    made = picture.Picture("run", "loss", 1.0, 1.0, [picture.Line("train", "train", [1.0], [None])])
    assert picture.drawn(made, ".svg").endswith(b"</svg>\n")


def test_nothing_of_numpy_or_matplotlib_is_loaded_by_the_charts_screens() -> None:
    script = (
        "import sys, tui.charts.exporting, tui.charts.others, tui.charts.reading, tui.screens.laying_over, "
        "tui.screens.exporting, tui.chart; from charrnn.commands import picture; "
        "picture.drawn(picture.Picture('a', 'b', 0, 1, []), '.svg'); "
        "print([name for name in ('numpy', 'torch', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_rows_that_changed_are_drawn_again() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            chart, drawn = one.app.panes.loss.chart, []
            chart.refresh = lambda *regions, **_: drawn.append(regions) or chart  # type: ignore[method-assign,assignment]
            chart.show(chart.scene)
            assert drawn == []
            one.engine.say(Losses([LossPoint(101, 101 * 2048, 10.1, POINTS[-1].train_loss, None, 0.003)]))
            await one.until(lambda: len(one.app.session.points) == 101)
            one.app._draw_chart()
            assert all(region.height == 1 for (region,) in drawn)
            assert len(drawn) < chart.size.height

    run(test)


def test_the_input_of_the_prime_keeps_its_own_arrow_keys() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            await one.press("p", "left", "x")
            assert isinstance(one.app.focused, Input)
            assert one.app.chart_window.cursor is None
            assert one.app.chart_view.axis == "step"

    run(test)


@pytest.mark.parametrize("key", ["a", "e", "question_mark"])
def test_what_goes_on_below_a_screen_is_not_drawn(key: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with bench(pace=500.0) as one:
            one.engine.say(Welcome(run="own", folder=str(tmp_path / "own")))
            await at_rest(one)
            await one.press(key)
            await one.until(lambda: len(one.app.screen_stack) == 2)
            await one.pilot.pause(0.5)
            shown: list[object] = []
            display = one.app._display
            one.app._display = lambda screen, update: shown.append(update) or display(screen, update)  # type: ignore[func-returns-value,method-assign]
            characters = one.app.panes.stream.text.transcript.characters
            await one.until(lambda: one.app.panes.stream.text.transcript.characters > characters + 100)
            assert [update for update in shown if update is not None] == []
            await one.press("escape")
            await one.shows("─ Stream ─")

    run(test)

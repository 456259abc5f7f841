"""What a loss means is on the screen: in the corpus's pane, and under the chart where there is no room for that."""

from __future__ import annotations

from dataclasses import replace

from charrnn.engine.messages import BaselinesFound, Losses
from charrnn.text.baselines import TRAINING_AT_MOST, Baselines
from tests.tui.fake_engine import FakeEngine, corpus, point
from tests.tui.test_workbench import bench, run
from tui.panes.corpus_facts import baselines_line
from tui.terminal import wrap

FIGURES = Baselines(uniform=4.174, unigram=3.347, bigram=2.484, five_gram=1.561, xz=1.746, training=900, held_out=100)


def early(engine: FakeEngine) -> None:
    """Training waits after its first losses: every figure lies far below them."""
    engine.change(state="paused")
    engine.say(Losses([point(1), point(2)], first=True))


def test_the_figures_come_into_both_panes_once_they_are_known() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.shows("to beat: measured in a while")
            one.engine.say(BaselinesFound(FIGURES))
            await one.shows("to beat: uniform\u00a04.17 · unigram\u00a03.35 · bigram\u00a02.48")
            await one.shows("5-gram\u00a01.56 · xz\u00a01.75 nats per character")
            assert "measured in a while" not in one.screen()
            assert one.app.session.baselines == BaselinesFound(FIGURES)
            early(one.engine)
            await one.shows("─ ↓ bigram 2.48  ↓ 5-gram 1.56  ↓ xz 1.75 ─", "─ nats ─")

    run(test)


def test_at_80x24_they_stand_under_the_chart() -> None:
    async def test() -> None:
        async with bench((80, 24)) as one:
            one.engine.say(BaselinesFound(FIGURES))
            early(one.engine)
            await one.shows("─ ↓ bigram 2.48  ↓ 5-gram 1.56  ↓ xz 1.75 ─")

    run(test)


def test_what_the_losses_have_come_near_to_is_drawn_among_them_and_named_there() -> None:
    async def test() -> None:
        async with bench((80, 24)) as one:
            one.engine.say(BaselinesFound(FIGURES))
            early(one.engine)
            one.engine.say(Losses([point(step) for step in range(1, 100)], first=True))
            await one.shows(" bigram 2.48 ╌╌╌")
            assert "↓ bigram" not in one.screen()

    run(test)


def test_where_nothing_is_held_out_the_pane_says_so_and_shows_none() -> None:
    async def test() -> None:
        nothing = corpus(held_out_at=100_000, held_out_head="")
        async with bench(corpus=nothing) as one:
            await one.shows("nothing held out, so no", "loss to beat")
            one.engine.say(BaselinesFound(None, "nothing is held out"))
            await one.pilot.pause(0.1)
            assert "to beat:" not in one.screen()
            assert "xz" not in one.screen()

    run(test)


def test_why_there_are_none_is_shown_as_text() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.say(BaselinesFound(None, "[bold]no\x1b[31m luck[/bold]"))
            await one.shows("to beat: no figures, [bold]no␛[31m luck[/bold]")

    run(test)


def test_rows_break_between_two_figures_and_a_part_of_a_corpus_is_named() -> None:
    line = baselines_line(BaselinesFound(FIGURES))
    for columns in range(14, 90):
        assert all(f"{name}\u00a0" in row for row in wrap(line, columns) for name in ("xz", "5-gram") if name in row)
    part = replace(FIGURES, training=TRAINING_AT_MOST)
    assert baselines_line(BaselinesFound(part)).endswith("(learnt from the last 3,000,000 characters)")

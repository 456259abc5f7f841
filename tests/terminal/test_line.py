"""What reaches the terminal, counted: bytes while training, over a slow line and at rest; no stream frame is lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.benchmarks.terminal import fuzz, fuzz_program, storms, streaming
from tests.benchmarks.terminal.__main__ import rows
from tests.benchmarks.terminal.watching import FAKE, workbench
from tests.faults.promise import Promise

SHORT = [fuzz.ROWS[0], fuzz_program.ROWS[0], *storms.ROWS]
TIMES = {fuzz.ROWS[0].name: 3_000, fuzz_program.ROWS[0].name: 40}
SHORT_STORM = 25


@pytest.mark.parametrize(("slow", "most"), [("", 8_000), ("1", 2_500)], ids=["quick", "slow"])
def test_a_training_workbench_sends_few_bytes(tmp_path: Path, slow: str, most: int) -> None:
    with workbench(*FAKE, folder=tmp_path, FAKE_PACE="30", FAKE_SLOW=slow) as one:
        one.shows("● training", "── seed 1 ──")
        one.watch(0.5)
        sent, _ = one.watch(2.5)
        assert 0 < sent <= most


def test_while_training_rests_only_the_streams_own_characters_cost_anything(tmp_path: Path) -> None:
    with workbench(*FAKE, folder=tmp_path, FAKE_PACE="30") as one:
        one.shows("● training", "── seed 1 ──")
        one.press(" ")
        one.shows("○ paused")
        one.watch(1.5)
        sent, _ = one.watch(3.0)
        assert 0 < sent <= 50


def test_at_rest_nothing_is_sent(tmp_path: Path) -> None:
    with workbench(*FAKE, folder=tmp_path, FAKE_PACE="0") as one:
        one.shows("● training", "── seed 1 ──")
        one.press(" ")
        one.shows("○ paused")
        one.watch(1.5)
        before = len(one.raw)
        one.watch(1.0)
        assert len(one.raw) == before


def test_a_key_right_after_esc_is_that_key(tmp_path: Path) -> None:
    with workbench(*FAKE, folder=tmp_path) as one:
        one.shows("● training", "── seed 1 ──")
        for _ in range(3):
            one.press("?")
            one.shows("esc closes")
            one.press("\x1b")
            time.sleep(0.085)
            one.press("+")
            one.shows("─ Stream ─", seconds=3)
        one.shows("T 0.95", seconds=3)


def test_a_line_that_was_stuck_gets_the_newest_frame_and_keys_that_were_pressed_meanwhile(tmp_path: Path) -> None:
    with workbench(*FAKE, folder=tmp_path, FAKE_PACE="1000") as one:
        one.shows("● training", "── seed 1 ──")
        time.sleep(2.0)  # nobody reads
        for _ in range(5):
            one.press("+")
            time.sleep(0.1)
        time.sleep(0.3)
        before, begun = len(one.raw), time.monotonic()
        one.shows("T 1.05")
        assert time.monotonic() - begun < 1.0
        assert len(one.raw) - before < 40_000  # not all the frames of two seconds
        os.kill(one.pid, signal.SIGTERM)
        assert one.end() == 143


@pytest.mark.parametrize("row", SHORT, ids=lambda row: row.name)
def test_a_promise_about_text_keys_and_sizes_is_kept_a_few_times(row: Promise, tmp_path: Path) -> None:
    outcome = row.keep(TIMES.get(row.name, SHORT_STORM), tmp_path, 1)
    assert not outcome.broken, outcome.broken
    assert outcome.tried >= TIMES.get(row.name, SHORT_STORM)


def test_no_character_of_a_fast_stream_is_missing(tmp_path: Path) -> None:
    outcome = streaming.stream(2, tmp_path, 1)
    assert not [words for words in outcome.broken if "characters" in words], outcome


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_row_of_the_table_holds(row: Promise, tmp_path: Path) -> None:
    outcome = row.keep(row.often, tmp_path, 1)
    print(f"{row.name}: {outcome.measured}", flush=True)
    assert not outcome.broken, outcome.broken

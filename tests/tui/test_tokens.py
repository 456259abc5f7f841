"""The workbench with tokens that are no characters: a real engine behind it, and a corpus of long characters."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from charrnn.config import Tokens
from charrnn.engine.client import launch
from charrnn.engine.messages import RunRequest
from tests.tui.fake_engine import corpus
from tests.tui.test_workbench import bench
from tui.app import Workbench
from tui.panes.corpus_facts import fact_lines

LINE = "日本語の文字 naïve 🙂 é.\n"
SMALL = {"hidden": 32, "embedding": 16, "batch": 8, "length": 32, "threads": 1, "pace": 400.0, "lr": 0.02}


@pytest.mark.parametrize(("tokens", "said"), [("byte", "256 bytes"), ("word", " words and ")])
def test_the_workbench_shows_whole_characters_whatever_the_tokens_are(
    tokens: Tokens, said: str, tmp_path: Path, runs_folder: Path
) -> None:
    text = tmp_path / "long-characters.txt"
    text.write_text(LINE * 200, encoding="utf-8")

    async def go() -> None:
        started = launch(RunRequest(target=str(text), options={**SMALL, "tokens": tokens}))
        assert started.process is not None
        app = Workbench(started.connection)
        try:
            async with app.run_test(size=(120, 34)) as pilot:
                end = asyncio.get_running_loop().time() + 120
                transcript = app.panes.stream.text.transcript
                learnt = ""
                while LINE * 2 not in learnt:  # beyond the prime: it has learnt to write it
                    assert asyncio.get_running_loop().time() < end, learnt
                    await pilot.pause(0.05)
                    learnt = transcript.said()[100:]
                rows = app.screen._compositor.render_strips()
                screen = "\n".join("".join(segment.text for segment in row) for row in rows)
                assert f"{len(LINE) * 200:,} characters" in screen
                assert said in screen
                assert not any("\ud800" <= character <= "\udfff" for character in learnt)
                await pilot.press("q")
                while app.return_value is None:  # the engine has said that all is saved
                    assert asyncio.get_running_loop().time() < end
                    await pilot.pause(0.05)
        finally:
            if app.return_value is None:
                with suppress(ProcessLookupError):
                    os.killpg(started.process.pid, signal.SIGKILL)
            await asyncio.to_thread(started.process.wait, 30)

    asyncio.run(go())


def test_of_a_corpus_of_bytes_no_alphabet_is_shown_and_no_character_of_a_prime_is_unknown() -> None:
    info = corpus(symbols="256 bytes", alphabet="")
    lines = [text for text, _ in fact_lines(info, None, 80)]
    assert lines[0].startswith("100,000 characters, 256 bytes; held out")
    assert lines[2:4] == ["UTF-8", ""]  # after the line of what there is to beat

    async def go() -> None:
        async with bench(corpus=info) as one:
            await one.press("p")
            await one.press("Ж", "é")
            await one.pilot.pause(0.1)
            assert "not know" not in one.screen()
            assert one.app.panes.stream.input.alphabet is None

    asyncio.run(go())

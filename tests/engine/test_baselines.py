"""The engine has a corpus's baselines measured once, beside training, and tells them to whoever comes."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from charrnn.config import CorpusConfig
from charrnn.engine import baselines
from charrnn.engine.baselines import find_baselines
from charrnn.engine.client import EngineClient, attach
from charrnn.engine.messages import BaselinesFound, Welcome
from charrnn.runs.directory import socket_path
from charrnn.text.corpus import Corpus, load_corpus
from charrnn.text.measuring import cache_place, keep, measure, read, texts
from tests.engine.driving import Watcher, children, engine

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def corpus(corpus_file: Path) -> Corpus:
    return load_corpus(CorpusConfig(source=str(corpus_file), name="sentences"))


def at_once(corpus: Corpus, run: Path) -> BaselinesFound:
    return asyncio.run(find_baselines(corpus, run, lambda: True, after=0.0))


def test_another_process_measures_them_and_run_and_cache_keep_them(corpus: Corpus, tmp_path: Path) -> None:
    found = at_once(corpus, tmp_path / "run")
    assert found == BaselinesFound(measure(*texts(corpus)))
    assert read(tmp_path / "run" / "baselines.json") == read(cache_place(corpus)) == found.figures


def test_kept_ones_are_told_at_once_and_go_into_a_new_run(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = measure(*texts(corpus))
    keep(cache_place(corpus), figures)
    monkeypatch.setattr(baselines, "_measured", None)
    never = asyncio.run(find_baselines(corpus, tmp_path / "run", lambda: False, after=3600.0))
    assert never.figures == read(tmp_path / "run" / "baselines.json") == figures
    cache_place(corpus).unlink()
    assert at_once(corpus, tmp_path / "run").figures == read(cache_place(corpus)) == figures


def test_a_folder_that_takes_nothing_is_done_without(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    assert at_once(corpus, tmp_path / "run").figures is not None


def test_without_a_held_out_part_or_with_too_little_there_are_none_and_it_says_why(
    corpus_file: Path, tmp_path: Path
) -> None:
    whole = load_corpus(CorpusConfig(source=str(corpus_file), name="s", validation=0.0))
    assert at_once(whole, tmp_path) == BaselinesFound(None, "nothing is held out")
    (tmp_path / "short").write_text("abcdefgh")
    short = load_corpus(CorpusConfig(source=str(tmp_path / "short"), name="s", validation=0.2))
    found = at_once(short, tmp_path)
    assert found.figures is None
    assert "too few for 5-grams" in found.problem
    assert not (tmp_path / "baselines.json").exists()


def test_a_process_that_cannot_measure_is_told_in_words(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program, words in (("/bin/false", "ended with status 1"), ("/nowhere/python", "No such file")):
        monkeypatch.setattr(baselines.sys, "executable", program)
        found = at_once(corpus, tmp_path)
        assert found.figures is None
        assert words in found.problem


def test_nothing_is_measured_before_its_time_nor_while_somebody_waits_for_the_first_text(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []

    async def measured(_: Corpus) -> object:
        times.append(time.monotonic() - begun)
        return measure(*texts(corpus))

    monkeypatch.setattr(baselines, "_measured", measured)
    begun = time.monotonic()
    asyncio.run(find_baselines(corpus, tmp_path, lambda: time.monotonic() - begun > 0.7, after=0.2))
    assert times[0] > 0.7


def test_who_no_longer_waits_leaves_no_process(corpus: Corpus, tmp_path: Path) -> None:
    async def go() -> None:
        before = set(children(os.getpid()))
        task = asyncio.create_task(find_baselines(corpus, tmp_path, lambda: True, after=0.0))
        while not (started := set(children(os.getpid())) - before):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(Path(f"/proc/{process}").exists() for process in started)

    asyncio.run(go())


def test_every_client_is_told(corpus: Corpus, corpus_file: Path, runs_folder: Path) -> None:
    figures = measure(*texts(corpus))
    keep(cache_place(corpus), figures)

    async def go() -> None:
        async with engine(corpus_file) as (first, _):
            found: list[BaselinesFound] = await first.until(lambda: first.told(BaselinesFound))
            place = Path(first.told(Welcome)[0].folder)
            await first.until(socket_path(place).exists)
            second = Watcher(await EngineClient.over(attach(str(socket_path(place)))))
            assert await second.until(lambda: second.told(BaselinesFound)) == found
            await second.close()
            assert found == [BaselinesFound(figures)]
            assert read(place / "baselines.json") == figures

    asyncio.run(go())

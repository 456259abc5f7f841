"""What a client asks of the surprise of its text, of the corpus, of the held-out part: by the live model, and exact."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.config import CorpusConfig
from charrnn.engine.answering import corpus_reading
from charrnn.engine.answering.corpus_reading import rate_passages, watch_corpus
from charrnn.engine.answering.reading import watch_text
from charrnn.engine.answering.subject import Subject
from charrnn.engine.board import Board
from charrnn.engine.examiner import Examined
from charrnn.engine.messages import Notice
from charrnn.engine.questions.reading import (
    AROUND,
    LONGEST_TEXT,
    CorpusSeen,
    PassagesRated,
    RatePassages,
    TextSeen,
    WatchCorpus,
    WatchText,
)
from charrnn.engine.turns import Turns
from charrnn.text.corpus import Corpus, load_corpus
from charrnn.text.vocabulary import Characters
from tests.engine.driving import engine
from tests.insight.models import small_model

VOCABULARY = Characters(" abcdefgh")


class StillExaminer:
    """A model that learns only when a test says so."""

    def __init__(self, vocabulary: Any = VOCABULARY) -> None:
        self.network = small_model("lstm", len(vocabulary))
        self.vocabulary, self.step, self.longest = vocabulary, 5, 0.0
        self.busy = 0

    async def work(self, piece: Any, rests: float = 1.0) -> Any:
        begun = time.thread_time()
        self.busy += 1
        try:
            return piece(Examined(self.network, self.vocabulary, self.step))
        finally:
            self.longest = max(self.longest, time.thread_time() - begun)


def answered(handler: Any, question: Any, subject: Subject, until: int = 1, seconds: float = 5.0) -> list[Any]:
    """The first so many answers."""
    told: list[Any] = []

    async def test() -> None:
        enough = asyncio.Event()

        async def tell(answer: Any) -> None:
            told.append(answer)
            if len(told) >= until:
                enough.set()

        task = asyncio.create_task(handler(question, subject, tell))
        waiting = asyncio.create_task(enough.wait())
        await asyncio.wait({task, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        task.cancel()
        waiting.cancel()

    asyncio.run(test())
    return told


def subject(examiner: StillExaminer, corpus: Corpus | None = None) -> Subject:
    return Subject(Board(), examiner, corpus)  # type: ignore[arg-type]


def test_a_typed_text_has_its_nats_what_was_expected_and_its_spots() -> None:
    examiner = StillExaminer()
    text = "a bad ☃ cab" * 90
    (seen,) = answered(watch_text, WatchText(3, text, at=500), subject(examiner))
    assert isinstance(seen, TextSeen)
    assert (seen.number, seen.step, seen.unknown, seen.first) == (3, 5, "☃", 500 - AROUND)
    nats = array("f", seen.nats)
    assert len(nats) == len(text)
    known = charrnn.surprise(examiner.network, VOCABULARY, text, top=5)
    of_known = [cost for cost, letter in zip(nats, text, strict=True) if letter != "☃"]
    assert of_known == pytest.approx(known.nats.tolist(), abs=1e-4, nan_ok=True)
    assert all(math.isnan(cost) for cost, letter in zip(nats, text, strict=True) if letter == "☃")
    assert len(seen.expected) == 2 * AROUND
    assert [seen.expected[at - seen.first] == [] for at in (500, text.index("☃", 500))] == [False, True]
    at = 500
    place = len(text[:at].replace("☃", ""))
    assert [chance for _, chance in seen.expected[at - seen.first]] == pytest.approx(known.chances[place], abs=1e-4)
    assert [spot.nats for spot in seen.spots] == sorted((spot.nats for spot in seen.spots), reverse=True)
    assert seen.spots[0].nats == pytest.approx(np.nanmax(known.nats), abs=1e-4)
    assert all(spot.expected != text[spot.at] for spot in seen.spots)


def test_it_is_read_again_only_when_the_model_has_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[watch_text.__module__], "AGAIN", 0.05)
    examiner = StillExaminer()
    assert len(answered(watch_text, WatchText(1, "a bad cab"), subject(examiner), until=2, seconds=0.4)) == 1

    class Learning(StillExaminer):
        async def work(self, piece: Any, rests: float = 1.0) -> Any:
            self.step += 1
            return await super().work(piece, rests)

    told = answered(watch_text, WatchText(1, "a bad cab"), subject(Learning()), until=3)
    assert len({seen.step for seen in told}) == 3


def test_nothing_is_read_after_the_end_of_it_and_nothing_too_long() -> None:
    examiner = StillExaminer()
    assert answered(watch_text, WatchText(1, ""), subject(examiner)) == []
    (refused,) = answered(watch_text, WatchText(1, "a" * (LONGEST_TEXT + 1)), subject(examiner))
    assert isinstance(refused, Notice)
    assert answered(watch_corpus, WatchCorpus(1, 0, 0), subject(examiner)) == []
    assert answered(rate_passages, RatePassages(1, on=False), subject(examiner)) == []
    assert examiner.busy == 0


@pytest.fixture(params=["char", "byte", "word"])
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Corpus:
    words = np.random.default_rng(4).choice(["cab", "bäd", "a", "hedge", "fee\n"], 3000)
    (tmp_path / "text").write_text(" ".join(words))
    most = 100 if request.param == "word" else None
    return load_corpus(
        CorpusConfig(
            source=str(tmp_path / "text"), name="text", tokens=request.param, validation=0.2, max_vocabulary=most
        )
    )


def test_the_corpus_in_sight_is_read_after_what_precedes_it(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_reading, "CONTEXT", 100)
    examiner = StillExaminer(corpus.vocabulary)
    for first, end in ((0, 50), (1000, 1400), (corpus.characters - 30, corpus.characters + 500)):
        (seen,) = answered(watch_corpus, WatchCorpus(8, first, end), subject(examiner, corpus))
        assert isinstance(seen, CorpusSeen)
        assert (seen.number, seen.step) == (8, 5)
        assert seen.at <= first
        nats = array("f", seen.nats)
        assert first + 1 <= seen.at + len(nats) <= min(end, corpus.characters)
        assert min(end, corpus.characters) - (seen.at + len(nats)) < 8  # at most a word that the end cuts
        token = corpus.positions.token(first)
        before = corpus.ids[corpus.vocabulary.border(corpus.ids, max(0, token - 100)) : token]
        after = corpus.ids[token : token + 20]
        decode = corpus.vocabulary.decode
        found = charrnn.surprise(examiner.network, corpus.vocabulary, decode(after), context=decode(before))
        if corpus.vocabulary.one_each:
            assert list(nats[:20]) == pytest.approx(found.nats[: len(nats[:20])].tolist(), abs=1e-3, nan_ok=True)


def test_passages_are_of_the_held_out_part_and_are_where_they_are_said_to_be(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_reading, "TOLD_EVERY", 0.0)
    told = answered(rate_passages, RatePassages(2), subject(StillExaminer(corpus.vocabulary), corpus), until=99)
    last = told[-1]
    assert isinstance(last, PassagesRated)
    assert [one.read for one in told] == sorted(one.read for one in told)
    assert {one.step for one in told} == {5}
    assert last.read == last.characters == last.held_out == corpus.characters - corpus.train_characters
    text = corpus.vocabulary.decode(corpus.ids)
    for one in (*last.worst, *last.best):
        assert text[one.at : one.at + len(one.text)] == one.text
        assert one.at >= corpus.train_characters
    assert last.worst[0].nats > last.best[0].nats
    assert len(last.worst) == corpus_reading.TOLD


def test_where_nothing_is_held_out_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a bad cab " * 50)
    corpus = load_corpus(CorpusConfig(source=str(tmp_path / "text"), name="text", validation=0.0))
    (only,) = answered(rate_passages, RatePassages(2), subject(StillExaminer(corpus.vocabulary), corpus), until=9)
    assert (only.held_out, only.worst) == (0, [])


def test_a_live_engine_answers_all_of_it(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path) as (watcher, _):
            watcher.client.send(WatchText(1, "The quick brown fox", 4))
            watcher.client.send(WatchCorpus(2, 100, 300))
            watcher.client.send(RatePassages(3))
            await watcher.until(lambda: len({one.step for one in watcher.told(TextSeen)}) > 1)  # it learns
            await watcher.until(lambda: watcher.told(CorpusSeen) and watcher.told(PassagesRated))
            await watcher.until(lambda: watcher.told(PassagesRated)[-1].read)
            watcher.client.send(WatchText(4, ""))
            watcher.client.send(WatchCorpus(5, 0, 0))
            await asyncio.sleep(0.3)
            before = len(watcher.told(TextSeen)), len(watcher.told(CorpusSeen))
            await watcher.until(lambda: watcher.status.step > watcher.told(TextSeen)[-1].step)
            await asyncio.sleep(2.5)
            assert (len(watcher.told(TextSeen)), len(watcher.told(CorpusSeen))) == before

    asyncio.run(test())


def test_a_piece_whose_client_has_left_keeps_its_turn_to_itself() -> None:
    at_work, most, may_end = 0, 0, threading.Event()

    def piece() -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        may_end.wait(2)
        at_work -= 1

    async def test() -> None:
        turns = Turns()
        first = asyncio.create_task(turns.work(piece))
        await asyncio.sleep(0.05)
        first.cancel()
        second = asyncio.create_task(turns.work(piece))
        await asyncio.sleep(0.2)
        may_end.set()
        await second

    asyncio.run(test())
    assert most == 1

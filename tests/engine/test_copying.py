"""What of the stream is copied: told as it is written, from an index made beside the run, and a curve of it kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from charrnn.config import CorpusConfig, Knobs, ModelConfig, UsageError
from charrnn.engine import copied_curve, copying_desk
from charrnn.engine.answering import copying as answering
from charrnn.engine.answering.subject import Subject
from charrnn.engine.board import Board
from charrnn.engine.copied_curve import keep_curve
from charrnn.engine.copying_desk import CopyingDesk
from charrnn.engine.examiner import Examined
from charrnn.engine.inquirer import Inquirer
from charrnn.engine.messages import Generated, LossPoint
from charrnn.engine.questions.copying import CopiedCurve, Copies, CopiesTold, TellCopies, WatchCopies
from charrnn.engine.stream_copies import KEPT, METER, StreamCopies
from charrnn.insight.copying import kept
from charrnn.insight.copying.index import copying_index
from charrnn.insight.copying.matching import copies
from charrnn.model.language_model import LanguageModel
from charrnn.runs import copied
from charrnn.text.corpus import Corpus, load_corpus
from tests.engine.driving import engine

LEARNT = "it was the best of times, it was the worst of times, it was the age of wisdom. " * 3


def piece(text: str, *, prime: bool = False, stream: int = 1, knobs: Knobs | None = None) -> Generated:
    return Generated(0, text, knobs or Knobs(), stream, 1, prime, 1)


def watched(*pieces: Generated) -> tuple[Board, StreamCopies]:
    board = Board()
    for one in pieces:
        board.add_text(one, hurry=False)
    return board, StreamCopies(copying_index(LEARNT), board.text)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "text.txt"
    path.write_text(LEARNT * 4, encoding="utf-8")
    return load_corpus(CorpusConfig(source=str(path), name="text"))


# ---- what of the stream ------------------------------------------------------------------------------------------


def test_the_spans_of_the_stream_are_told_by_its_positions() -> None:
    async def test() -> None:
        board, stream = watched(piece("Well:#"), piece("it was the best of times"))
        await stream.catch_up()
        told = stream.since(0)
        (copy,) = told.copies
        assert (copy.begin, copy.end, copy.text, copy.times) == (6, 30, "it was the best of times", 3)
        assert LEARNT[copy.at :].startswith(copy.text)
        assert (told.end, told.characters, told.share) == (30, 30, 24 / 30)
        first = stream.settled
        board.add_text(piece(", it was not"), hurry=False)
        await stream.catch_up()
        assert stream.position == 42
        (copy,) = stream.since(first).copies
        assert copy.text == "it was the best of times, it was "  # and it has taken the place of the shorter one

    asyncio.run(test())


def test_primes_are_not_the_models_and_copies_do_not_go_on_from_one_stream_to_the_next() -> None:
    async def test() -> None:
        _, stream = watched(
            piece("it was the worst of ", prime=True),
            piece("times, it was the age of wisdom"),
            piece("it was the age", prime=True, stream=2),
            piece(" of wisdom.", stream=2),
            piece("it was the best of times", stream=3, knobs=Knobs(temperature=0.5)),
        )
        await stream.catch_up()
        told = stream.since(0)
        assert [copy.text for copy in told.copies] == ["times, it was the age of wisdom", "it was the best of times"]
        assert told.characters == 31 + 11 + 24
        assert told.share == (31 + 24) / told.characters

    asyncio.run(test())


def test_a_copy_does_not_go_on_where_the_stream_went_back() -> None:
    """Positions go on, but what follows stands after an earlier one."""

    async def test() -> None:
        board, stream = watched(piece("it was the best of times, it was the worst"))
        await stream.catch_up()
        back = SimpleNamespace(position=42, text=" of times, it was the age", stream=1, prime=False, after=25)
        stream._look(cast(Any, [back]))
        assert [(copy.begin, copy.end) for copy in stream.since(0).copies] == [(0, 42), (42, 67)]
        assert board.text.end == 42

    asyncio.run(test())


def test_however_it_comes_it_is_the_same_and_the_past_is_forgotten() -> None:
    async def test() -> None:
        text = ("x" + LEARNT[:50] + "y" + LEARNT[100:115]) * 900
        _, nothing = watched()
        board = Board()
        parts = StreamCopies(copying_index(LEARNT), board.text)
        for at in range(0, len(text), 1000):
            board.add_text(piece(text[at : at + 1000]), hurry=False)
            await parts.catch_up()
        told = parts.since(0)
        assert told.first >= len(text) - 2 * KEPT - 1000
        expected = [(one.begin, one.end) for one in copies(copying_index(LEARNT), text)][-len(told.copies) :]
        assert [(copy.begin, copy.end) for copy in told.copies] == expected
        late = StreamCopies(copying_index(LEARNT), board.text)
        await late.catch_up()
        assert late.since(0).share == pytest.approx(told.share)
        assert late.told().longest is not None
        assert late.told().characters == METER
        await nothing.catch_up()
        assert nothing.since(0) == Copies(state="ready")

    asyncio.run(test())


# ---- the index ---------------------------------------------------------------------------------------------------


def test_the_index_is_made_once_and_found_again(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        desk = CopyingDesk()
        one, other = await asyncio.gather(desk.index(corpus), desk.index(corpus))
        assert one is other
        assert one.characters == corpus.train_characters
        assert desk.doing == ""
        monkeypatch.setattr(copying_desk.sys, "executable", "/nowhere")  # nobody is there to make another
        again = await CopyingDesk().index(corpus)
        assert copies(again, LEARNT[:40])[0].length == 40

    asyncio.run(test())


def test_why_there_is_no_index_is_a_sentence(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    async def problem() -> str:
        with pytest.raises(UsageError) as raised:
            await CopyingDesk().index(corpus)
        return str(raised.value)

    monkeypatch.setattr(copying_desk, "LARGEST", 100)
    assert asyncio.run(problem()) == "Copies are looked for in training texts of up to 0 MB; this one is larger."
    monkeypatch.setattr(copying_desk, "LARGEST", 10**6)
    monkeypatch.setattr(copying_desk.sys, "executable", "/bin/false")
    assert "ended with status 1" in asyncio.run(problem())


def test_nobody_waits_for_it_and_it_is_no_longer_made(corpus: Corpus, tmp_path: Path) -> None:
    async def test() -> None:
        desk = CopyingDesk()
        asking = asyncio.create_task(desk.index(corpus))
        while not desk.doing and not asking.done():
            await asyncio.sleep(0.005)
            if desk._making is not None and not desk.doing and len(asyncio.all_tasks()) > 2:
                break
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert desk._making is not None
        await asyncio.wait((desk._making,), timeout=5)
        assert desk._making.cancelled()
        assert await desk.index(corpus)  # asked for again it is made again

    asyncio.run(test())


# ---- answers -----------------------------------------------------------------------------------------------------


def test_a_watcher_is_told_what_comes_until_it_says_no(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "LOOK_EVERY", 0.02)

    async def test() -> None:
        subject, told = Subject(Board()), cast(list[Any], [])

        async def tell(answer: Any) -> None:
            told.append(answer)

        async def until(count: int) -> None:
            async with asyncio.timeout(20):
                while len([one for one in told if getattr(one, "state", "") == "ready"]) < count:
                    await asyncio.sleep(0.01)

        inquirer = Inquirer(subject, tell)
        inquirer.ask(WatchCopies())
        await asyncio.sleep(0.1)
        assert told[0] == Copies(state="waiting", words="the corpus is still being read")
        subject.board.add_text(piece("so#it was the best of times"), hurry=False)
        subject.corpus = corpus
        await until(1)
        assert any(one.state == "indexing" and "indexing the training text" in one.words for one in told)
        assert [copy.text for copy in told[-1].copies] == ["it was the best of times"]
        subject.board.add_text(piece("#it was the worst of times!"), hurry=False)
        await until(2)
        assert [copy.text for copy in told[-1].copies][-1] == "it was the worst of times"
        inquirer.ask(WatchCopies(on=False))
        count = len(told)
        subject.board.add_text(piece("it was the worst of times"), hurry=False)
        await asyncio.sleep(0.2)
        assert len(told) == count
        inquirer.ask(TellCopies())
        async with asyncio.timeout(5):
            while not isinstance(told[-1], CopiesTold):
                await asyncio.sleep(0.01)
        assert told[-1].count == 3
        assert told[-1].longest.length == 25
        inquirer.leave()

    asyncio.run(test())


def test_a_text_that_is_too_large_is_told_so(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying_desk, "LARGEST", 10)

    async def test() -> None:
        subject, told = Subject(Board(), corpus=corpus), cast(list[Any], [])

        async def tell(answer: Any) -> None:
            told.append(answer)

        await answering.watch_copies(WatchCopies(), subject, tell)
        await answering.tell_copies(TellCopies(), subject, tell)
        assert told[-2] == Copies(state="none", words=kept.too_large(10))
        assert told[-1] == CopiesTold(problem=kept.too_large(10))

    asyncio.run(test())


def test_a_real_engine_answers(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path) as (watcher, _):
            watcher.client.send(WatchCopies())
            await watcher.until(lambda: watcher.told(Copies) and watcher.told(Copies)[-1].end > 50)
            assert all(one.state == "ready" for one in watcher.told(Copies)[-2:])
            watcher.client.send(TellCopies())
            (told,) = await watcher.until(lambda: watcher.told(CopiesTold))
            assert not told.problem
            assert told.characters > 0

    asyncio.run(test())


# ---- the curve ---------------------------------------------------------------------------------------------------


class StillExaminer:
    """A network that does not learn."""

    def __init__(self, corpus: Corpus) -> None:
        network = LanguageModel(len(corpus.vocabulary), ModelConfig(cell="gru", hidden=8, embedding=8)).eval()
        self.examined = Examined(network, corpus.vocabulary, 7)

    async def work(self, piece: Any) -> Any:
        return piece(self.examined)


def test_a_sample_after_an_evaluation_is_told_and_kept(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copied_curve, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(copied_curve, "CHARACTERS", 320)
    copied.append(tmp_path, step=3, share=0.25, longest=40, characters=320)
    copied.append(tmp_path, step=90, share=0.5, longest=60, characters=320)  # of a time that the run has gone back from

    async def test() -> None:
        subject = Subject(Board(), cast(Any, StillExaminer(corpus)), corpus, tmp_path)
        subject.board.set_status(step=5)
        keeping = asyncio.create_task(keep_curve(subject, after=0.0, share=1.0))

        def curve() -> list[int]:
            return [p.step for m in subject.board.standing() if isinstance(m, CopiedCurve) for p in m.points]

        async with asyncio.timeout(20):
            while curve() != [3]:
                await asyncio.sleep(0.01)
            subject.board.add_points([LossPoint(7, 70, 1.0, 2.0, 2.1, 0.01)])
            await asyncio.sleep(0.1)
            assert curve() == [3]  # nobody has a stream yet: torch is not loaded for this
            subject.board.set_status(sampler_ready=True, state="paused")
            await asyncio.sleep(0.2)
            assert curve() == [3]  # while training is paused nothing is drawn anew for this
            subject.board.set_status(state="training")
            while curve() != [3, 7]:
                await asyncio.sleep(0.01)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    asyncio.run(test())
    assert [step for step, _, _ in copied.read(tmp_path)] == [3, 7]
    line = json.loads((tmp_path / copied.FILE).read_text().splitlines()[-1])
    assert (line["step"], line["characters"]) == (7, 320)
    assert 0 <= line["copied_share"] <= 1


def test_the_same_weights_make_the_same_sample(corpus: Corpus) -> None:
    async def sample() -> Any:
        worker = copied_curve._Worker()
        subject = Subject(Board(), cast(Any, StillExaminer(corpus)), corpus)
        try:
            return await copied_curve._sampled(subject, copying_index(corpus), worker), worker.spent
        finally:
            worker.end()

    import torch

    torch.manual_seed(1)
    one, spent = asyncio.run(sample())
    torch.manual_seed(1)
    assert asyncio.run(sample())[0] == one
    assert spent > 0


def test_each_text_of_a_sample_is_looked_up_by_itself() -> None:
    index = copying_index(LEARNT)
    assert copied_curve.share_of(index, ["it was the be", "st of times"]) == (0.0, 0)
    assert copied_curve.share_of(index, ["it was the best of times", "x" * 24]) == (0.5, 24)
    assert copied_curve.share_of(index, [""]) == (0.0, 0)


def test_torn_and_repeated_lines_of_the_record(tmp_path: Path) -> None:
    assert copied.read(tmp_path) == []
    for step, share in ((10, 0.1), (20, 0.2), (15, 0.3)):
        copied.append(tmp_path, step=step, share=share, longest=30, characters=2000)
    with open(tmp_path / copied.FILE, "a") as file:
        file.write('{"step": 40, "copied_share": 7, "longest_copy": 1}\nnot json\n{"step": 50, "copied_sh')
    assert copied.read(tmp_path) == [(10, 0.1, 30), (15, 0.3, 30)]
    assert len(copied_curve._thinned([copied_curve.CopiedPoint(step, 0.0, 0) for step in range(5000)])) <= 2000

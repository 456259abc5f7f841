"""What a run's younger selves write, asked of an engine: the live run's own states, as they come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import torch

from charrnn.config import Knobs, UsageError
from charrnn.engine.answering.subject import Subject
from charrnn.engine.answering.travel import travel_run
from charrnn.engine.board import Board
from charrnn.engine.examiner import Examined
from charrnn.engine.messages import LossPoint, Notice
from charrnn.engine.questions.travel import LONGEST_ERA, EraWritten, StatesKept, TravelRun
from charrnn.insight.travel import travel
from charrnn.text.vocabulary import Characters
from tests.engine.driving import engine
from tests.insight.small_runs import CHECKPOINT, MILESTONES, TEXT, small_run, weights_of

STEPS = [*MILESTONES, CHECKPOINT]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Asked:
    """A question answered by what lies in a run's folder, without an engine around it."""

    def __init__(self, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(travel_run.__globals__, "LOOK_EVERY", 0.05)
        self.subject = Subject(Board(), folder=run)
        vocabulary = Characters.of_text(TEXT)
        examined = Examined(weights_of(77, vocabulary), vocabulary, 77)

        async def work(piece: object, rests: float = 0.0) -> object:
            return await asyncio.to_thread(piece, examined)  # type: ignore[arg-type]

        monkeypatch.setattr(self.subject.examiner, "work", work)
        self.told: list[object] = []

    async def tell(self, answer: object) -> None:
        self.told.append(answer)

    def eras(self) -> list[EraWritten]:
        return [one for one in self.told if isinstance(one, EraWritten)]

    async def answer(self, question: TravelRun, eras: int) -> None:
        task = asyncio.create_task(travel_run(question, self.subject, self.tell))
        async with asyncio.timeout(20):
            while len(self.eras()) < eras and not task.done():
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and task.exception():
            raise task.exception()  # type: ignore[misc]


def test_all_states_are_told_and_the_nearest_writes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path / "fox")

    async def test() -> None:
        asked = Asked(run, monkeypatch)
        asked.subject.board.add_points(
            [LossPoint(20, 2000, 1.0, 3.0, 3.2, 0.001), LossPoint(60, 6000, 2.0, 2.5, None, 0.001)]
        )
        await asked.answer(TravelRun(number=4, prime="The fox", seed=5, length=70, near=24), 5)
        first = asked.told[0]
        assert isinstance(first, StatesKept)
        assert [state.step for state in first.states] == STEPS
        assert [state.val_loss for state in first.states] == [None, None, 3.2, 3.2, 3.2]
        assert [era.step for era in asked.eras()] == [25, 60, 10, 90, 0]
        wanted = {era.step: era.text for era in travel(run, "The fox", seed=5, length=70)}
        assert {era.step: era.text for era in asked.eras()} == wanted
        assert {(era.number, era.prime, era.problem) for era in asked.eras()} == {(4, "The fox", "")}

    asyncio.run(test())


def test_only_what_is_wanted_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run(tmp_path / "fox")
    place = run / "milestones" / "step-00000010" / "model.safetensors"
    place.write_bytes(place.read_bytes()[:-1])

    async def test() -> None:
        asked = Asked(run, monkeypatch)
        await asked.answer(TravelRun(number=1, length=5, had=[25, 90]), 3)
        assert [era.step for era in asked.eras()] == [60, 10, 0]
        assert [bool(era.problem) for era in asked.eras()] == [False, True, False]
        assert "damaged" in asked.eras()[1].problem
        asked = Asked(run, monkeypatch)
        await asked.answer(TravelRun(number=1, length=5, only=[0, 60]), 2)
        assert [era.step for era in asked.eras()] == [60, 0]
        asked = Asked(run, monkeypatch)
        await asked.answer(TravelRun(number=2, length=0), 1)
        assert asked.told == []

    asyncio.run(test())


def test_what_cannot_be_asked_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        asked = Asked(tmp_path, monkeypatch)
        await asked.answer(TravelRun(number=1, length=LONGEST_ERA + 1), 1)
        (notice,) = asked.told
        assert isinstance(notice, Notice)
        assert "5,000 characters at most" in notice.text
        for question in (TravelRun(number=1, seed=-1), TravelRun(number=1, knobs=Knobs(top_p=0.0))):
            with pytest.raises(UsageError, match="out of range"):
                await asked.answer(question, 1)

    asyncio.run(test())


def test_a_live_run_is_travelled_through_and_its_new_states_come_by_themselves(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def test() -> None:
        async with engine(corpus_file) as (watcher, _):
            watcher.client.send(TravelRun(number=1, prime="The ", seed=2, length=50))
            await watcher.until(lambda: len(watcher.told(EraWritten)) >= 3)
            first = watcher.told(StatesKept)[0]
            await watcher.until(lambda: len(watcher.told(StatesKept)[-1].states) > len(first.states) + 2)
            newest = watcher.told(StatesKept)[-1].states[-1].step
            era = await watcher.until(lambda: [one for one in watcher.told(EraWritten) if one.step == newest])
            assert len(era[0].text) == 50
            assert all(not one.problem for one in watcher.told(EraWritten))
            assert watcher.told(StatesKept)[-1].states[0].step == 0

    asyncio.run(test())

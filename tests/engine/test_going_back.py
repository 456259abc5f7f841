"""Going back in the live stream: what clients are told, undo and redo, holding still, and the choice behind."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future
from pathlib import Path

import pytest
import torch

from charrnn.config import Knobs, UsageError
from charrnn.engine.answering.subject import Subject
from charrnn.engine.board import Board
from charrnn.engine.branches import Branches
from charrnn.engine.choice_messages import GoToEnd, StepStream, TakeInstead, UndoGoingBack
from charrnn.engine.history import TextHistory
from charrnn.engine.inquirer import Inquirer
from charrnn.engine.messages import Generated, Notice
from charrnn.engine.questions.choice import (
    AskChoice,
    ChoiceTold,
    HoldStream,
    SurpriseKnown,
    WatchSurprise,
    as_byte,
    as_nats,
)
from charrnn.engine.stream_desk import StreamDesk
from charrnn.engine.writing import Writing
from charrnn.sampling.places import Places
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary
from tests.engine.driving import engine
from tests.insight.models import small_model

LETTERS = Characters(" abcdefgh\n")


class Told:
    """What clients were told, put together as they do."""

    def __init__(self) -> None:
        self.pieces: list[Generated] = []
        self.history = TextHistory()

    def __call__(self, piece: Generated, urgent: bool) -> None:
        assert piece.position == self.history.end
        self.pieces.append(piece)
        self.history.add(piece)

    def text(self) -> str:
        """The present text of the newest stream, as a client has it that comes now."""
        branches = Branches()
        for piece in self.history.since(0):
            branches.add(piece)
        return branches.said()


def writing_of(vocabulary: Vocabulary = LETTERS, seed: int = 3, window: int | None = None) -> tuple[Writing, Told]:
    told = Told()
    model = small_model("lstm", len(vocabulary))
    writing = Writing(TextStream(model, vocabulary, prime="", seed=0), told)
    if window:
        writing.places = writing.stream.remember(Places(len(vocabulary), window=window))
    writing.restart("abc", seed)
    return writing, told


def test_going_back_is_told_so_that_anybody_has_the_present_text() -> None:
    writing, told = writing_of()
    writing.write(40, False)
    text = told.text()
    writing.obey(TakeInstead(20, 5))
    assert told.text() == text[:20] + LETTERS.symbols[5]
    assert told.pieces[-1].after == 20
    assert told.pieces[-1].seed != told.pieces[0].seed
    writing.write(10, False)
    branch = told.text()
    assert len(branch) == 31
    assert branch.startswith(text[:20])
    # The first character of a branch stands at another place than the one before it in the text.
    writing.obey(TakeInstead(43, 6))
    assert told.pieces[-1].after == 20
    assert told.text() == text[:20] + LETTERS.symbols[6]
    writing.write(5, False)
    assert told.history.since(0)[-1].after == 20
    assert told.history.since(56)[-1].after is None  # the rest of a branch whose beginning a client has


def test_undo_and_redo_go_on_as_if_nothing_had_happened() -> None:
    writing, told = writing_of()
    other, expected = writing_of()
    writing.write(40, False)
    other.write(60, False)
    text = told.text()
    with pytest.raises(UsageError, match="nothing to redo"):
        writing.obey(UndoGoingBack(redo=True))
    writing.obey(TakeInstead(20, 5))
    writing.write(10, False)
    branch = told.text()
    writing.obey(UndoGoingBack())
    assert told.text() == text
    writing.write(20, False)
    assert told.text() == expected.text()
    writing.obey(UndoGoingBack(redo=True))
    assert told.text() == branch
    writing.obey(UndoGoingBack())
    assert told.text() == expected.text()
    with pytest.raises(UsageError, match="nothing to undo"):
        writing.obey(UndoGoingBack())
    writing.obey(GoToEnd(writing.end - 1))  # where it is already
    assert told.text() == expected.text()
    writing.obey(GoToEnd(45))
    assert told.text() == branch
    writing.obey(UndoGoingBack())
    assert told.text() == expected.text()


def test_a_single_step_is_one_token_and_the_next_one_can_be_chosen() -> None:
    writing, told = writing_of()
    for _ in range(3):
        writing.obey(StepStream())
    assert len(told.text()) == 6
    said = writing.choice(AskChoice(7, writing.end))
    assert (said.number, said.taken, said.problem, said.place) == (7, None, "", 4)
    writing.obey(TakeInstead(writing.end, 2))
    assert told.text().endswith(LETTERS.symbols[2])
    assert told.pieces[-1].after is None


def test_the_choice_is_the_one_that_was_made() -> None:
    writing, told = writing_of()
    writing.stream.knobs = Knobs(temperature=0.5, top_k=4)
    writing.write(10, False)
    writing.step = 8
    writing.stream.knobs = Knobs(temperature=1.5)
    writing.write(10, False)
    before = [writing.choice(AskChoice(1, position)) for position in range(3, 23)]
    with torch.no_grad():
        writing.stream.model.output.bias.add_(torch.randn(len(LETTERS)))
    again = [writing.choice(AskChoice(1, position)) for position in range(3, 23)]
    assert before == again  # the weights of that moment
    for position, one in enumerate(before, 3):
        assert one.taken is not None
        assert one.taken.text == told.text()[position]
        assert (one.first, one.end, one.place) == (position, position + 1, position - 2)
        assert one.knobs == (Knobs(temperature=0.5, top_k=4) if position < 13 else Knobs(temperature=1.5))
        assert one.step == (0 if position < 13 else 8)
        assert one.left == (4 if position < 13 else 10)
        assert sum(candidate.after for candidate in one.candidates) == pytest.approx(1, abs=1e-5)
    writing.places._logits_rows = 5  # where a vocabulary is large
    assert writing.choice(AskChoice(1, 10)).now
    assert not writing.choice(AskChoice(1, 22)).now


@pytest.mark.parametrize(("position", "words"), [(1, "prime"), (99, "not written"), (-1, "prime")])
def test_what_was_not_chosen_is_a_sentence(position: int, words: str) -> None:
    writing, _ = writing_of()
    writing.write(10, False)
    assert words in writing.choice(AskChoice(1, position)).problem
    with pytest.raises(UsageError, match=words):
        writing.obey(TakeInstead(position, 1))
    with pytest.raises(UsageError, match="no token"):
        writing.obey(TakeInstead(5, 1000))


def test_what_has_left_the_window_is_a_sentence() -> None:
    writing, told = writing_of(window=30)
    writing.write(20, False)
    writing.obey(TakeInstead(10, 1))
    writing.write(100, False)
    text = told.text()
    for order in (TakeInstead(12, 1), GoToEnd(12), UndoGoingBack()):
        with pytest.raises(UsageError, match="left the window"):
            writing.obey(order)
    assert "left the window" in writing.choice(AskChoice(1, 12)).problem
    assert told.text() == text
    writing.obey(TakeInstead(writing.end - 30, 1))
    assert told.text()[:-1] == text[:-30]


def test_surprise_comes_only_while_it_is_watched_and_what_was_before_can_be_had() -> None:
    writing, told = writing_of()
    writing.write(20, False)
    assert not told.pieces[-1].surprise
    position, known = writing.known_surprise(1000)
    assert (position, len(known)) == (3, 20)
    writing.surprised = True
    writing.write(10, False)
    surprise = told.pieces[-1].surprise
    assert len(surprise) == 10
    assert writing.known_surprise(10) == (23, surprise)
    nats = writing.places.nats(20, 30)
    assert [as_nats(byte) for byte in surprise] == pytest.approx(nats, abs=1 / 32 + 1e-9)
    (merged,) = [piece for piece in told.history.since(0) if not piece.prime]
    assert merged.surprise == b"\xff" * 20 + surprise
    assert told.history.since(25)[0].surprise == surprise[2:]
    assert as_byte(1000.0) == 254
    assert as_nats(as_byte(float("nan"))) is None


def test_of_bytes_a_character_is_gone_back_to_as_a_whole() -> None:
    writing, told = writing_of(Bytes())
    writing.surprised = True
    writing.write(300, False)
    text = told.text()
    for position in range(20, 300, 7):
        said = writing.choice(AskChoice(1, position))
        assert said.first <= position < said.end
        writing.obey(TakeInstead(position, ord("x")))
        assert told.text().startswith(text[: said.first])
        assert told.pieces[-1].after == said.first
        assert len(told.pieces[-1].surprise) == len(told.pieces[-1].text)
        writing.obey(UndoGoingBack())
        assert told.text().startswith(text[:290])


def test_going_back_and_the_choice_take_no_time() -> None:
    writing, _ = writing_of()
    writing.write(11_000, False)
    began = time.thread_time()
    for position in range(2000, 11_000, 450):
        writing.choice(AskChoice(1, position))
        writing.obey(TakeInstead(position, 1))
    assert (time.thread_time() - began) / 40 < 0.05


class Noted(StreamDesk):
    """A desk whose sampler only notes what it is to do."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[tuple[str, bool]] = []
        self.use_sampler(self)  # type: ignore[arg-type]
        self.noted.clear()

    def hold(self, held: bool) -> None:
        self.noted.append(("held", held))

    def watch_surprise(self, on: bool) -> None:
        self.noted.append(("surprised", on))

    def do(self, order: object) -> Future[tuple[int, bytes]]:
        future: Future[tuple[int, bytes]] = Future()
        future.set_result((0, b""))
        return future


def test_what_a_client_wanted_ends_when_it_leaves_or_asks_otherwise() -> None:
    async def tell(answer: object) -> None: ...

    async def test() -> None:
        desk = Noted()
        subject = Subject(Board(), stream=desk)
        one, other = Inquirer(subject, tell), Inquirer(subject, tell)
        for question in (HoldStream(True), WatchSurprise(True)):
            one.ask(question)
            other.ask(question)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sorted(desk.noted) == [("held", True), ("held", True), ("surprised", True), ("surprised", True)]
        one.ask(WatchSurprise(False))
        one.leave()
        await asyncio.sleep(0.01)
        assert [value for name, value in desk.noted if name == "held"][-1]  # the other one still holds it
        other.leave()
        await asyncio.sleep(0.01)
        assert dict(desk.noted) == {"held": False, "surprised": False}

    asyncio.run(test())


def test_clients_hold_step_go_back_and_look_behind(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path) as (watcher, _):
            send = watcher.client.send

            def text() -> str:
                return "".join(piece.text for piece in watcher.text)

            def end() -> int:
                return watcher.text[-1].position + len(watcher.text[-1].text)

            send(WatchSurprise(True))
            await watcher.until(lambda: any(piece.surprise for piece in watcher.text))
            await watcher.until(lambda: watcher.told(SurpriseKnown))
            send(HoldStream(True))
            await watcher.until(lambda: watcher.status.held)
            await asyncio.sleep(0.3)
            here = end()
            await asyncio.sleep(0.3)
            assert end() == here
            assert watcher.status.pace == 200
            send(StepStream())
            await watcher.until(lambda: end() == here + 1)
            send(AskChoice(4, here))
            (said,) = await watcher.until(lambda: watcher.told(ChoiceTold))
            assert (said.number, said.taken.text) == (4, text()[-1])
            other = next(one for one in said.candidates if one.token != said.taken.token)
            send(TakeInstead(here, other.token))
            await watcher.until(lambda: end() == here + 2)
            assert (watcher.text[-1].text, watcher.text[-1].after) == (other.text, here)
            send(TakeInstead(0, other.token))
            await watcher.until(lambda: any("prime" in one.text for one in watcher.told(Notice)))
            send(UndoGoingBack())
            await watcher.until(lambda: end() == here + 3)
            send(HoldStream(False))
            await watcher.until(lambda: end() > here + 50)
            assert not watcher.status.held
            send(WatchSurprise(False))
            await watcher.until(lambda: not watcher.text[-1].surprise)

    asyncio.run(test())

"""What a client asks about the model: answered by the newest weights, the newest question of a kind, and never more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import UsageError
from charrnn.engine import inquirer as module
from charrnn.engine.answering import HANDLERS
from charrnn.engine.answering.subject import Subject
from charrnn.engine.board import Board
from charrnn.engine.inquirer import Inquirer
from charrnn.engine.messages import Notice
from charrnn.engine.questions import QUESTIONS
from charrnn.engine.questions.reading import LONGEST_TEXT, ReadText, TextRead
from tests.engine.driving import engine


def test_every_kind_of_question_has_somebody_to_answer_it() -> None:
    assert set(HANDLERS) == set(QUESTIONS)


def test_a_text_is_read_by_the_live_model(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path) as (watcher, _):
            watcher.client.send(ReadText(1, "The quick brown ☃fox"))  # before there is a model
            (read,) = await watcher.until(lambda: watcher.told(TextRead))
            assert (read.number, read.unknown) == (1, "☃")
            assert "".join(token.text for token in read.tokens) == "The quick brown fox"
            assert read.tokens[0].nats is None
            assert all(token.nats > 0 and len(token.likeliest) == 3 for token in read.tokens[1:])
            await watcher.until(lambda: watcher.status.step > read.step)
            watcher.client.send(ReadText(2, "e", context="th"))
            later = (await watcher.until(lambda: watcher.told(TextRead)[1:]))[0]
            assert later.step > read.step
            assert later.tokens[0].nats is not None
            watcher.client.send(ReadText(3, "a" * (LONGEST_TEXT + 1)))
            await watcher.until(lambda: any("can be read at once" in one.text for one in watcher.told(Notice)))

    asyncio.run(test())


def test_a_newer_question_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    async def slow(question: ReadText, subject: Subject, tell: Any) -> None:
        begun.append(question.number)
        if question.number == 3:
            raise UsageError("No, and this is why.")
        if question.number == 4:
            raise ValueError("broken")
        await asyncio.sleep(0.05)
        await tell(TextRead(question.number, 0, []))

    async def test() -> None:
        told: list[Any] = []

        async def tell(answer: Any) -> None:
            told.append(answer)

        monkeypatch.setitem(module.HANDLERS, ReadText, slow)
        one = Inquirer(Subject(Board()), tell)
        for number, wait in ((1, 0.01), (2, 0.1), (3, 0.01), (4, 0.01), (5, 0.01)):
            one.ask(ReadText(number, "text"))
            await asyncio.sleep(wait)
        one.leave()
        await asyncio.sleep(0.1)
        assert begun == [1, 2, 3, 4, 5]
        assert [answer.number for answer in told if isinstance(answer, TextRead)] == [2]
        notices = [answer for answer in told if isinstance(answer, Notice)]
        assert [notice.level for notice in notices] == ["warning", "error"]
        assert notices[0].text == "No, and this is why."
        assert "broken" in notices[1].text

    asyncio.run(test())

"""Which units mean something, and what one says of the stream, of the corpus and of a text."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.corpus_desk import sendable
from charrnn.engine.examiner import Examined
from charrnn.engine.questions.units import (
    LONGEST_TEXT,
    RankUnits,
    UnitHeard,
    UnitOfCorpus,
    UnitOfText,
    UnitRead,
    UnitsRanked,
    WatchUnit,
)

if TYPE_CHECKING:
    from charrnn.engine.answering.units_ranked import Work
    from charrnn.insight.units.following import Following

TOLD_EVERY = 0.3
HEARD_EVERY = 0.3
"""Seconds between two looks at what the stream wrote."""
READ_AGAIN_EVERY = 4.0
"""Seconds after which newer weights read the last text once more."""
_WORK = 1e9  # multiplications of one piece
_LONGEST, _SHORTEST = 3_000, 200  # characters of one piece
_BEFORE = 400  # characters that are read first, so that the state is that of somebody in the middle


async def rank_units(question: RankUnits, subject: Subject, tell: Tell) -> None:
    """Tells how far it has come, then what it found."""
    if not question.number:
        return
    await tell(UnitsRanked(question.number, 0.0))
    work = await subject.examiner.work(lambda examined: _ranking(examined, subject))
    told = time.monotonic()
    while (share := await subject.examiner.work(lambda _: work.next())) < 1.0:
        if time.monotonic() - told >= TOLD_EVERY:
            told = time.monotonic()
            await tell(UnitsRanked(question.number, share))
    await tell(await subject.examiner.work(lambda _: work.result(question.number)))


async def watch_unit(question: WatchUnit, subject: Subject, tell: Tell) -> None:
    """Tells what the unit says of the last of the stream's text, then of what is written, as it is written.

    A character's activation is then that of the state that went on from the one before, as the stream's own does, but
    now and then newer weights read the last text once more.
    """
    if question.unit is None:
        return
    following = await subject.examiner.work(lambda examined: _following(question.unit or "", examined))
    most = await subject.examiner.work(_characters_a_piece)
    history = subject.board.text
    position, stream, step, read_at = 0, -1, -1, 0.0
    while True:
        now = time.monotonic()
        again = now - read_at >= READ_AGAIN_EVERY and subject.board.status.step != step
        first = max(0, history.end - most) if again else max(position, history.end - most)
        if again or first > position:
            stream, read_at = -1, now
        for piece in history.since(first):
            if piece.stream != stream:
                following.begin_again()
                stream = piece.stream

            def read(examined: Examined, text: str = piece.text) -> tuple[bytes, int]:
                return following.read(examined.network, examined.vocabulary, text), examined.step

            values, step = await subject.examiner.work(read)
            position = piece.position + len(piece.text)
            await tell(UnitHeard(str(following.unit), step, piece.position, values, following.scale or 1.0))
        await asyncio.sleep(HEARD_EVERY)


async def unit_of_corpus(question: UnitOfCorpus, subject: Subject, tell: Tell) -> None:
    """Answers for what there is of those characters; the network reads a little before them first."""
    if question.end - question.first > LONGEST_TEXT:
        raise UsageError(f"{LONGEST_TEXT:,} characters at most can be read at once.")
    following = await subject.examiner.work(lambda examined: _following(question.unit, examined))
    corpus = subject.corpus
    assert corpus is not None
    first = min(max(0, question.first), corpus.characters)
    end = min(max(first, question.end), corpus.characters)

    def text() -> tuple[int, str]:
        begin = max(0, first - _BEFORE)
        positions = corpus.positions
        token = positions.token(begin)
        if token and positions.before(token) > begin:
            token -= 1
        return positions.before(token), corpus.vocabulary.decode(corpus.ids[token : positions.token(end) + 1])

    begins, before = await subject.examiner.work(lambda _: text())
    values, step = await _read(following, before[: end - begins], subject)
    values = values[first - begins :]
    await tell(UnitRead(question.number, str(following.unit), step, first, values, following.scale or 1.0))


async def unit_of_text(question: UnitOfText, subject: Subject, tell: Tell) -> None:
    """Answers with a byte for each character of the text."""
    if len(question.text) + len(question.context) > LONGEST_TEXT:
        raise UsageError(f"{LONGEST_TEXT:,} characters at most can be read at once.")
    following = await subject.examiner.work(lambda examined: _following(question.unit, examined))
    values, step = await _read(following, question.context + question.text, subject)
    values = values[len(question.context) :]
    await tell(UnitRead(question.number, str(following.unit), step, 0, values, following.scale or 1.0))


async def _read(following: Following, text: str, subject: Subject) -> tuple[bytes, int]:
    most = await subject.examiner.work(_characters_a_piece)
    made, step = b"", 0
    for first in range(0, len(text), most):

        def read(examined: Examined, part: str = text[first : first + most]) -> tuple[bytes, int]:
            return following.read(examined.network, examined.vocabulary, part), examined.step

        values, step = await subject.examiner.work(read)
        made += values
    return made, step


def _ranking(examined: Examined, subject: Subject) -> Work:
    from charrnn.engine.answering.units_ranked import Work

    return Work(examined, subject.corpus)


def _following(name: str, examined: Examined) -> Following:
    from charrnn.insight.units.following import Following
    from charrnn.insight.units.naming import unit_named

    return Following(unit_named(sendable(name), examined.network.config))


def _characters_a_piece(examined: Examined) -> int:
    weights = sum(parameter.numel() for parameter in examined.network.layers.parameters())
    return int(min(_LONGEST, max(_SHORTEST, _WORK / max(1, weights))))

"""How the corpus looks under the model's eyes: where it is in sight, and the passages of its held-out part."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.corpus_desk import sendable
from charrnn.engine.examiner import Examined
from charrnn.engine.questions.reading import (
    LONGEST_TEXT,
    CorpusSeen,
    PassageRated,
    PassagesRated,
    RatePassages,
    WatchCorpus,
)

if TYPE_CHECKING:
    from charrnn.insight.passages import Passage, Passages
    from charrnn.insight.reader import Reader
    from charrnn.text.corpus import Corpus
    from charrnn.text.vocabulary import Ids

AGAIN = 3.0
"""Seconds after which what is in sight is read by newer weights, where there are any."""
CONTEXT = 512
"""Tokens before what is to be told, from which the model takes its state."""
HELD_OUT_AT_MOST = 100_000
"""Tokens of the held-out part that are searched for passages, from its beginning."""
TOLD = 20
"""Passages of either kind that are told."""
TOLD_EVERY = 0.5
"""Seconds between two words on how far it has read."""


async def _corpus(subject: Subject) -> Corpus:
    """The corpus, which is there once there is a model."""
    await subject.examiner.work(lambda _: None)
    assert subject.corpus is not None
    return subject.corpus


async def watch_corpus(question: WatchCorpus, subject: Subject, tell: Tell) -> None:
    """Answers at once and, as the model learns, again."""
    if question.first >= question.end:
        return
    corpus = await _corpus(subject)
    told = None
    while True:
        reader, ids, first, skipped = await subject.examiner.work(
            lambda examined, told=told: _before(examined, corpus, question, told)  # type: ignore[misc]
        )
        if reader is not None:
            pieces = reader.pieces(ids)
            while await subject.examiner.work(lambda _, pieces=pieces: next(pieces, "done") is None):  # type: ignore[misc]
                pass
            told = reader.step
            await tell(CorpusSeen(question.number, told, first, _costs(reader, skipped)))
        await asyncio.sleep(AGAIN)


def _before(
    examined: Examined, corpus: Corpus, question: WatchCorpus, told: int | None
) -> tuple[Reader | None, Ids, int, int]:
    """A reader with the newest weights (None where they were told of), what it is to read, the first character to be
    told, and how many characters are read before it.
    """
    from charrnn.insight.reader import Reader

    positions = corpus.positions
    begin = max(0, question.first)
    first = positions.token(min(begin, positions.characters))
    end = positions.token(min(question.end, begin + LONGEST_TEXT, positions.characters))
    start = corpus.vocabulary.border(corpus.ids, max(0, first - CONTEXT))
    reader = None
    if examined.step != told:
        reader = Reader(examined.network, examined.vocabulary, examined.step, top=1)
    before = positions.before(start)
    told_from = positions.before(first)
    return reader, corpus.ids[start:end], told_from, told_from - before


def _costs(reader: Reader, skipped: int) -> bytes:
    import numpy as np

    from charrnn.insight.surprise import by_character

    seen = reader.seen
    return by_character(seen.tokens, seen.nats)[0][skipped:].astype(np.float32).tobytes()


async def rate_passages(question: RatePassages, subject: Subject, tell: Tell) -> None:
    """Tells now and then what it has found so far, and at last all of it; then it is over until it is asked again."""
    if not question.on:
        return
    corpus = await _corpus(subject)
    held_out = corpus.characters - corpus.train_characters
    if not held_out:
        await tell(PassagesRated(question.number, 0, 0, 0, 0))
        return
    step, search, characters = await subject.examiner.work(lambda examined: _begin(examined, corpus))
    pieces, told = search.pieces(), time.monotonic()

    def answer() -> PassagesRated:
        worst, best = search.extremes(TOLD)
        read = min(search.read, characters)
        at = corpus.train_characters
        return PassagesRated(question.number, step, read, characters, held_out, _told(worst, at), _told(best, at))

    await tell(PassagesRated(question.number, step, 0, characters, held_out))
    while await subject.examiner.work(lambda _: next(pieces, "done") is None):
        if time.monotonic() - told >= TOLD_EVERY:
            told = time.monotonic()
            await tell(answer())
    search.read = characters
    await tell(answer())


def _begin(examined: Examined, corpus: Corpus) -> tuple[int, Passages, int]:
    from charrnn.insight.passages import Passages
    from charrnn.insight.reader import Reader

    first = corpus.held_out_at
    end = corpus.vocabulary.border(corpus.ids, min(len(corpus.ids), first + HELD_OUT_AT_MOST))
    context = corpus.ids[corpus.vocabulary.border(corpus.ids, max(0, first - CONTEXT)) : first]
    own = Reader(examined.network, examined.vocabulary, examined.step)  # its weights stay as they are
    search = Passages(own.model, examined.vocabulary, corpus.ids[first:end], context)
    return examined.step, search, corpus.positions.before(end) - corpus.train_characters


def _told(found: list[Passage], at: int) -> list[PassageRated]:
    return [PassageRated(at + one.at, one.nats, sendable(one.text)) for one in found]

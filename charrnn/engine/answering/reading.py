"""How a text that was typed looks under the model's eyes."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.corpus_desk import sendable
from charrnn.engine.examiner import Examined
from charrnn.engine.messages import Notice
from charrnn.engine.questions.reading import (
    AROUND,
    LONGEST_TEXT,
    MOST_SPOTS,
    TOP,
    ReadText,
    Spot,
    TextRead,
    TextSeen,
    TokenRead,
    WatchText,
)

if TYPE_CHECKING:
    from charrnn.insight.reader import Reader
    from charrnn.text.vocabulary import Ids

AGAIN = 2.0
"""Seconds after which a text is read by newer weights, where there are any."""

_readers: WeakKeyDictionary[Tell, tuple[float, Reader]] = WeakKeyDictionary()
"""What was last read for each client, since when: between two key presses little of its text changes."""


async def read_text(question: ReadText, subject: Subject, tell: Tell) -> None:
    """Answers with the whole text at once; one that is too long is refused with a sentence."""
    if len(question.text) + len(question.context) > LONGEST_TEXT:
        await tell(Notice("warning", f"{LONGEST_TEXT:,} characters at most can be read at once."))
        return
    await tell(await subject.examiner.work(lambda examined: _read(question, examined)))


def _read(question: ReadText, examined: Examined) -> TextRead:
    from charrnn.insight.surprise import surprise

    vocabulary = examined.vocabulary
    top = min(max(0, question.top), 10)
    seen = surprise(examined.network, vocabulary, question.text, context=question.context, top=top)
    rows = zip(
        seen.tokens,
        seen.nats.tolist(),
        seen.entropy.tolist(),
        seen.likeliest.tolist(),
        seen.chances.tolist(),
        strict=True,
    )
    tokens = [
        TokenRead(
            text,
            None if math.isnan(nats) else nats,
            None if math.isnan(entropy) else entropy,
            []
            if math.isnan(nats)
            else [(vocabulary.texts[id_], chance) for id_, chance in zip(ids, chances, strict=True)],
        )
        for text, nats, entropy, ids, chances in rows
    ]
    return TextRead(question.number, examined.step, tokens, "".join(vocabulary.unknown(question.text)))


# ---- a text that is typed ------------------------------------------------------------------------------------


async def watch_text(question: WatchText, subject: Subject, tell: Tell) -> None:
    """Answers at once, with weights at most a moment old, and again whenever there are newer ones."""
    if not question.text:
        _readers.pop(tell, None)
        return
    if len(question.text) > LONGEST_TEXT:
        await tell(Notice("warning", f"{LONGEST_TEXT:,} characters at most can be read at once."))
        return
    told = None
    while True:
        reader = await subject.examiner.work(lambda examined: _newest(examined, tell))
        if reader.step != told:
            pieces = reader.pieces(_with_one_more(reader.vocabulary.encode(reader.vocabulary.known(question.text))))
            while await subject.examiner.work(lambda _, pieces=pieces: next(pieces, "done") is None):  # type: ignore[misc]
                pass
            told = reader.step
            await tell(await subject.examiner.work(lambda _, reader=reader: _seen(question, reader)))  # type: ignore[misc]
        await asyncio.sleep(AGAIN)


def _newest(examined: Examined, tell: Tell) -> Reader:
    """A reader with the newest weights; the last one where those were new a moment ago, so that typing is quick."""
    from charrnn.insight.reader import Reader

    made, reader = _readers.get(tell, (0.0, None))
    now = time.monotonic()
    known = reader is not None and reader.vocabulary is examined.vocabulary
    if reader is not None and known and (reader.step == examined.step or now - made < AGAIN):
        return reader
    reader = Reader(examined.network, examined.vocabulary, examined.step, top=TOP)
    _readers[tell] = now, reader
    return reader


def _with_one_more(ids: Ids) -> Ids:
    """Any token after the last one, so that what is expected there is known too."""
    import numpy as np

    return np.append(ids, np.zeros(1, ids.dtype))


def _seen(question: WatchText, reader: Reader) -> TextSeen:
    import numpy as np

    from charrnn.insight.reader import placed
    from charrnn.insight.surprise import by_character, spelled

    vocabulary, seen, text = reader.vocabulary, reader.seen, question.text
    tokens = spelled(vocabulary, reader.ids[:-1])
    nats, of = by_character(tokens, seen.nats[:-1])
    where = placed(text, vocabulary.known(text), np.arange(len(nats)))
    whole = np.full(len(text), np.nan, np.float32)
    whole[where >= 0] = nats
    texts = vocabulary.texts

    def likeliest(character: int) -> list[tuple[str, float]]:
        known = where[character] if character < len(text) else len(nats)
        place = of[known] if 0 <= known < len(nats) else len(tokens)
        if known < 0 or place == 0:
            return []
        rows = zip(seen.likeliest[place].tolist(), seen.chances[place].tolist(), strict=True)
        return [(sendable(texts[id_]), chance) for id_, chance in rows]

    spots = []
    for at in np.argsort(np.where(np.isnan(whole), -1.0, whole))[: -MOST_SPOTS - 1 : -1].tolist():
        others = [one for one in likeliest(at) if one[0] != text[at]]
        if others:
            spots.append(Spot(at, float(whole[at]), *others[0]))
    first = max(0, question.at - AROUND)
    around = [likeliest(at) for at in range(first, min(len(text) + 1, question.at + AROUND))]
    unknown = sendable("".join(vocabulary.unknown(text)))
    return TextSeen(question.number, reader.step, whole.tobytes(), first, around, spots, unknown)

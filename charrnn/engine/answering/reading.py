"""How a text looks under the model's eyes."""

from __future__ import annotations

import math

from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.examiner import Examined
from charrnn.engine.messages import Notice
from charrnn.engine.questions.reading import LONGEST_TEXT, ReadText, TextRead, TokenRead


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

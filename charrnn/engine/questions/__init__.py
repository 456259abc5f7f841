"""What clients ask about the model, and what they are answered: messages, one module for each subject. No torch here.

A client is answered in its own time. Of each kind of question its newest counts: it takes the place of the one before.
Some answers come once, others go on coming until another question of that kind takes its place or the client leaves.
"""

from __future__ import annotations

from charrnn.engine.questions.reading import (
    CorpusSeen,
    PassagesRated,
    RatePassages,
    ReadText,
    TextRead,
    TextSeen,
    WatchCorpus,
    WatchText,
)

Question = ReadText | WatchText | WatchCorpus | RatePassages
QUESTIONS = (ReadText, WatchText, WatchCorpus, RatePassages)

Answer = TextRead | TextSeen | CorpusSeen | PassagesRated
ANSWERS = (TextRead, TextSeen, CorpusSeen, PassagesRated)

"""What clients ask about the model, and what they are answered: messages, one module for each subject. No torch here.

A client is answered in its own time. Of each kind of question its newest counts: it takes the place of the one before.
Some answers come once, others go on coming until another question of that kind takes its place or the client leaves.
"""

from __future__ import annotations

from charrnn.engine.questions.reading import ReadText, TextRead
from charrnn.engine.questions.units import (
    RankUnits,
    UnitHeard,
    UnitOfCorpus,
    UnitOfText,
    UnitRead,
    UnitsRanked,
    WatchUnit,
)

Question = ReadText | RankUnits | WatchUnit | UnitOfCorpus | UnitOfText
QUESTIONS = (ReadText, RankUnits, WatchUnit, UnitOfCorpus, UnitOfText)

Answer = TextRead | UnitsRanked | UnitHeard | UnitRead
ANSWERS = (TextRead, UnitsRanked, UnitHeard, UnitRead)

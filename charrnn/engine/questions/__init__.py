"""What clients ask about the model, and what they are answered: messages, one module for each subject. No torch here.

A client is answered in its own time. Of each kind of question its newest counts: it takes the place of the one before.
Some answers come once, others go on coming until another question of that kind takes its place or the client leaves.
"""

from __future__ import annotations

from charrnn.engine.questions.choice import AskChoice, ChoiceTold, HoldStream, SurpriseKnown, WatchSurprise
from charrnn.engine.questions.reading import ReadText, TextRead

Question = ReadText | WatchSurprise | AskChoice | HoldStream
QUESTIONS = (ReadText, WatchSurprise, AskChoice, HoldStream)

Answer = TextRead | SurpriseKnown | ChoiceTold
ANSWERS = (TextRead, SurpriseKnown, ChoiceTold)

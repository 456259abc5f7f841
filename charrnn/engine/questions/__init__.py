"""What clients ask about the model, and what they are answered: messages, one module for each subject. No torch here.

A client is answered in its own time. Of each kind of question its newest counts: it takes the place of the one before.
Some answers come once, others go on coming until another question of that kind takes its place or the client leaves.
"""

from __future__ import annotations

from charrnn.engine.questions.lanes import (
    CheckpointsListed,
    CloseLanes,
    LanesEnded,
    LanesOpened,
    LanesText,
    ListCheckpoints,
    OpenLanes,
    TuneLanes,
)
from charrnn.engine.questions.reading import ReadText, TextRead

Question = ReadText | OpenLanes | TuneLanes | CloseLanes | ListCheckpoints
QUESTIONS = (ReadText, OpenLanes, TuneLanes, CloseLanes, ListCheckpoints)

Answer = TextRead | LanesOpened | LanesText | LanesEnded | CheckpointsListed
ANSWERS = (TextRead, LanesOpened, LanesText, LanesEnded, CheckpointsListed)

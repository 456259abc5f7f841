"""What clients ask about the model, and what they are answered: messages, one module for each subject. No torch here.

A client is answered in its own time. Of each kind of question its newest counts: it takes the place of the one before.
Some answers come once, others go on coming until another question of that kind takes its place or the client leaves.
"""

from __future__ import annotations

from charrnn.engine.questions.copying import CopiedCurve, Copies, CopiesTold, TellCopies, WatchCopies
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
from charrnn.engine.questions.travel import EraWritten, StatesKept, TravelRun

Question = ReadText | TravelRun | WatchCopies | TellCopies | OpenLanes | TuneLanes | CloseLanes | ListCheckpoints
QUESTIONS = (ReadText, TravelRun, WatchCopies, TellCopies, OpenLanes, TuneLanes, CloseLanes, ListCheckpoints)

Answer = (
    TextRead
    | StatesKept
    | EraWritten
    | Copies
    | CopiesTold
    | CopiedCurve
    | LanesOpened
    | LanesText
    | LanesEnded
    | CheckpointsListed
)
ANSWERS = (
    TextRead,
    StatesKept,
    EraWritten,
    Copies,
    CopiesTold,
    CopiedCurve,
    LanesOpened,
    LanesText,
    LanesEnded,
    CheckpointsListed,
)

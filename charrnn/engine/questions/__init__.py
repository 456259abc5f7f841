"""What clients ask about the model, and what they are answered: messages, one module for each subject. No torch here.

A client is answered in its own time. Of each kind of question its newest counts: it takes the place of the one before.
Some answers come once, others go on coming until another question of that kind takes its place or the client leaves.
"""

from __future__ import annotations

from typing import Any, get_args

from charrnn.engine.questions import choice, copying, lanes, reading, travel, units

Question = (
    reading.ReadText
    | travel.TravelRun
    | copying.WatchCopies
    | copying.TellCopies
    | lanes.OpenLanes
    | lanes.TuneLanes
    | lanes.CloseLanes
    | lanes.ListCheckpoints
    | units.RankUnits
    | units.WatchUnit
    | units.UnitOfCorpus
    | units.UnitOfText
    | reading.WatchText
    | reading.WatchCorpus
    | reading.RatePassages
    | choice.WatchSurprise
    | choice.AskChoice
    | choice.HoldStream
)
Answer = (
    reading.TextRead
    | travel.StatesKept
    | travel.EraWritten
    | copying.Copies
    | copying.CopiesTold
    | copying.CopiedCurve
    | lanes.LanesOpened
    | lanes.LanesText
    | lanes.LanesEnded
    | lanes.CheckpointsListed
    | units.UnitsRanked
    | units.UnitHeard
    | units.UnitRead
    | reading.TextSeen
    | reading.CorpusSeen
    | reading.PassagesRated
    | choice.SurpriseKnown
    | choice.ChoiceTold
)
QUESTIONS: tuple[type[Any], ...] = get_args(Question)
ANSWERS: tuple[type[Any], ...] = get_args(Answer)

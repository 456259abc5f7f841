"""What a run's younger selves wrote: a state after the other, each in pieces that leave room for other questions."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.examiner import Examined
from charrnn.engine.last_stream import LONGEST_PRIME
from charrnn.engine.messages import Notice
from charrnn.engine.questions.travel import LONGEST_ERA, EraWritten, StatesKept, StateThen, TravelRun
from charrnn.insight.eras import KeptState, kept_states, nearest_first
from charrnn.presets import range_problem

if TYPE_CHECKING:
    from charrnn.insight.travel import Traveller
    from charrnn.sampling.stream import TextStream

LOOK_EVERY = 2.0
"""Seconds between two looks at the states that there are."""
PIECE = 0.1
"""Seconds of writing at a time."""


class _Journey:
    """One question's way through the states. Its methods that work are called one at a time, in a thread."""

    def __init__(self, question: TravelRun) -> None:
        self._question = question
        self._traveller: Traveller | None = None
        self._stream: TextStream | None = None
        self._text = ""

    def open(self, examined: Examined, state: KeptState) -> None:
        """Raises UsageError."""
        from charrnn.insight.travel import Traveller

        asked = self._question
        self._traveller = self._traveller or Traveller.like(examined.network, examined.vocabulary)
        self._traveller.open(state)
        self._stream = self._traveller.begin(asked.prime, asked.seed, asked.knobs)
        self._text = ""

    def write(self) -> tuple[str, str] | None:
        """Goes on writing; prime and text once all of it is written."""
        assert self._stream is not None
        left, until = self._question.length - len(self._text), time.monotonic() + PIECE
        made = []
        while left > 0 and time.monotonic() < until:
            made.append(self._stream.take(min(left, 16)))
            left -= len(made[-1])
        self._text += "".join(made)
        return (self._stream.prime, self._text) if left <= 0 else None


async def travel_run(question: TravelRun, subject: Subject, tell: Tell) -> None:
    """Tells the states first, then what each wrote, then the same of new ones as they come."""
    if question.length < 1:
        return
    if question.length > LONGEST_ERA or len(question.prime) > LONGEST_PRIME:
        words = f"A state can write {LONGEST_ERA:,} characters at most, after a prime of {LONGEST_PRIME:,} at most."
        await tell(Notice("warning", words))
        return
    for name, value in {"seed": question.seed, **asdict(question.knobs)}.items():
        problem = range_problem(name, value)
        if problem:
            raise UsageError(f"{name.replace('_', '-')} {problem}.")
    journey, done, told = _Journey(question), set(question.had), None
    near = question.near
    while True:
        states = await _states(subject)
        seen = [StateThen(one.step, one.chars, one.train_loss, one.val_loss) for one in states]
        if [one.step for one in seen] != told:
            told = [one.step for one in seen]
            await tell(StatesKept(question.number, seen))
        newest = states[-1].step if states else 0
        todo = [one for one in nearest_first(states, newest if near is None else near) if one.step not in done]
        todo = [one for one in todo if one.step in question.only] if question.only else todo
        if not todo:
            await asyncio.sleep(LOOK_EVERY)
            continue
        started = time.monotonic()
        for state in todo:
            done.add(state.step)
            answer = await _ask(journey, state, question, subject)
            if answer is not None:
                await tell(answer)
            if time.monotonic() - started > LOOK_EVERY:
                break


async def _states(subject: Subject) -> list[KeptState]:
    """Those on the disk of a run that has its folder."""
    points = list(subject.board.losses.points)
    folder: Path | None = subject.folder
    if folder is None:
        return []
    try:
        return await asyncio.to_thread(kept_states, folder, points)
    except OSError:  # the folder has gone; its engine says so
        return []


async def _ask(journey: _Journey, state: KeptState, question: TravelRun, subject: Subject) -> EraWritten | None:
    """What a state wrote, or why it did not; None where it has been removed meanwhile, to make room."""
    try:
        await subject.examiner.work(lambda examined: journey.open(examined, state))
    except UsageError as error:
        gone = not await asyncio.to_thread(state.path.exists)
        return None if gone else EraWritten(question.number, state.step, "", "", str(error))
    while (written := await subject.examiner.work(lambda examined: journey.write())) is None:
        pass
    return EraWritten(question.number, state.step, *written)

"""What questions are about, and how their answers go out. No torch here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from charrnn.engine.board import Board
from charrnn.engine.copying_desk import CopyingDesk
from charrnn.engine.examiner import Examiner
from charrnn.engine.messages import Notice
from charrnn.engine.questions import Answer
from charrnn.engine.stream_desk import StreamDesk
from charrnn.text.corpus import Corpus

Tell = Callable[[Answer | Notice], Awaitable[None]]
"""Gives a client an answer, and returns once that is on its way to it: who does not read holds no more than one."""


@dataclass(slots=True)
class Subject:
    """The run as far as it is known: `corpus` and `folder` come before the examiner has a model."""

    board: Board
    examiner: Examiner = field(default_factory=Examiner)
    corpus: Corpus | None = None
    folder: Path | None = None
    copying: CopyingDesk = field(default_factory=CopyingDesk)
    stream: StreamDesk = field(default_factory=StreamDesk)

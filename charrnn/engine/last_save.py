"""The end of a run whose last state the disk does not take: it waits for room, for nobody may be there to see to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.engine.trainer_messages import Finish, Place, Remark, Save

if TYPE_CHECKING:
    from charrnn.engine.training_loop import TrainingLoop


def save_until_saved(loop: TrainingLoop) -> None:
    """Tries again whenever the engine asks for it, until the last state is on disk or the run is told to finish.

    Every rank does the same: rank 0, which alone writes, says whether it is done.
    """
    told = False
    while loop.ranks.of_first(lambda: float(loop.writer.wait() is not None)):
        if not told:
            words = "Training is done and waits until the disk takes its last state; to stop the run does without it."
            loop.link.say(Remark("warning", words))
            told = True
        order = loop.link.orders.get(block=True)
        match order:
            case Finish():
                return
            case Save(again):
                loop.writer.put(loop.snapshot(asked=not again))
            case Place(identity):
                loop.writer.identity = loop.milestones.identity = identity

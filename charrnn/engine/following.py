"""What a trainer says while it trains, put on the board and into the run's record. No torch here."""

from __future__ import annotations

from pathlib import Path

from charrnn.engine import notices, resuming
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.board import Board
from charrnn.engine.corpus_messages import StreamPlaces
from charrnn.engine.keeper import Keeper
from charrnn.engine.marks import MarkBook
from charrnn.engine.messages import Notice, Sample
from charrnn.text.positions import Positions


class Follower:
    """Of one run, over all its trainers, on a text of such `positions`.

    `paused`: training waits; `done`: what the last trainer said at its end.
    """

    def __init__(self, board: Board, keeper: Keeper, positions: Positions) -> None:
        self._board, self._keeper, self._record = board, keeper, keeper.record
        self.marks = MarkBook(board)
        self._record.heard = self.marks.event
        self._positions = positions
        self.paused = False
        self.done: trainer.Done | None = None

    def hear(self, message: trainer.FromTrainer, place: Path) -> None:
        """Takes in one message of the trainer of the run at `place`."""
        board, record = self._board, self._record
        match message:
            case trainer.Resumed():
                resuming.tell(message, place, record, board)
            case trainer.Progress():
                board.set_status(
                    step=message.step,
                    chars=message.chars,
                    seconds=message.seconds,
                    characters_per_second=message.rate,
                    passes=message.passes,
                    learning_rate=message.learning_rate,
                    current_rate=message.current_rate,
                    best_val_loss=message.best_val_loss,
                    best_step=message.best_step,
                    phase=message.phase,
                    phase_step=message.phase_step,
                    phase_steps=message.phase_steps,
                    hurry=message.phase != board.status.phase,
                )
            case trainer.StreamsAt(streams, tokens):
                places = list(map(self._positions.before, tokens))
                board.announce(StreamPlaces(streams, places), standing=True)
            case trainer.Recorded(points):
                board.add_points(points)
                record.points(points)
            case trainer.Applied(event, value, step):
                record.event(event, value, step)
                self._applied(message)
            case trainer.SavedAt(step, asked, problem):
                self._saved(step, asked, problem)
            case trainer.SampleMade(step, text):
                board.announce(Sample(step, text))
            case trainer.Skipped(step, count):
                record.event("skipped", count, step)
                board.announce(notices.of_skipped(message))
            case trainer.WentBack(step, to, rate):
                notice = notices.of_return(message)
                record.log(notice.text)
                record.event("went_back", to, step)
                record.event("learning_rate", rate, step)
                board.set_status(learning_rate=rate, hurry=True)
                board.announce(notice)
            case trainer.Stalled():
                board.announce(notices.of_stall(message))
            case trainer.Remark(level, text):
                board.announce(Notice(level, text))
            case trainer.Done(reason, step, best, best_step):
                self.done = message
                record.event("end", reason, step)
                board.set_status(best_val_loss=best, best_step=best_step)
                if board.status.state != "stopping":
                    board.set_status(state="finished", characters_per_second=0.0, hurry=True)
                    board.announce(notices.of_end(message))

    def _applied(self, change: trainer.Applied) -> None:
        board = self._board
        if change.event == "pause":
            self.paused = bool(change.value)
            if board.status.state in ("training", "paused"):
                rate = 0.0 if self.paused else board.status.characters_per_second
                board.set_status(state="paused" if self.paused else "training", characters_per_second=rate, hurry=True)
        elif change.event == "learning_rate":
            board.set_status(learning_rate=float(change.value), hurry=True)
        else:
            board.announce(notices.of_cooldown(change, board.status))

    def _saved(self, step: int, asked: bool, problem: str | None) -> None:
        self._keeper.saved(step, problem)
        if problem is None:
            self.marks.saved(step)
        if problem is not None and asked:
            self._board.announce(Notice("error", f"The checkpoint could not be written: {problem}."))
        elif asked:
            self._record.event("checkpoint", True, step)
            self._board.announce(Notice("saved", f"Checkpoint written at step {step:,}."))

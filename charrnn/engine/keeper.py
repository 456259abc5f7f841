"""What an engine keeps of its run on disk, and what it does while the disk refuses. No torch here.

Training goes on meanwhile: the trainer holds its state in memory, the board every loss. What is wrong stands on the
board as the trouble "disk" until the record and the checkpoints are written again, and then what became of it is said.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable

from charrnn.config import RunConfig
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.board import Board
from charrnn.engine.messages import Notice
from charrnn.engine.record import LOG, Record
from charrnn.runs.directory import RunFolder
from charrnn.runs.room import free_bytes

LOOK_EVERY = 2.0
SAVE_AGAIN_EVERY = 10.0
_ADVICE = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "the quota there is used up; make room",
    errno.EROFS: "mount it for writing again",
    errno.EACCES: "make it writable again",
    errno.EPERM: "make it writable again",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EIO: "look after the disk",
}


class Keeper:
    """Of one run: its folder with the lock, its record, and whether its checkpoints are written.

    `send` reaches the trainer, which is asked for a checkpoint as soon as there is hope for one.
    """

    def __init__(
        self, board: Board, send: Callable[[trainer.ToTrainer], None], made_again: Callable[[], None] = lambda: None
    ) -> None:
        """`made_again` is called when the run's folder had gone and is there again, empty."""
        self._board, self._send, self._made_again = board, send, made_again
        self.record = Record(self._record_said)
        self.folder: RunFolder | None = None
        self._config: RunConfig | None = None
        self._lost_folder: OSError | None = None  # why it could not be made again
        self._was_made_again = False
        self._unsaved: str | None = None  # why the newest checkpoint was not written
        self._saved_step: int | None = None
        self._sync_due = False
        self._needed = 0
        self._asked = -SAVE_AGAIN_EVERY
        self._free = 0
        self._lost: dict[str, int] = {}

    @property
    def problem(self) -> str | None:
        """What is not on disk, why, and what to do, as a clause; None while the disk takes everything."""
        if self.folder is None:
            return None
        place = str(self.folder.path)
        if self._lost_folder is not None:
            return _lost(place, self._lost_folder)
        error = self.record.error
        if error is None and self._unsaved is None:
            return None
        what = "The record and the checkpoints" if error and self._unsaved else "The record" if error else "Checkpoints"
        why = (error.strerror or str(error)) if error else str(self._unsaved)
        why += "" if place in why else f" ({place})"
        return f"{what} cannot be written: {why}; {_advice(why)}"

    @property
    def identity(self) -> tuple[int, int] | None:
        """Which folder the trainer may write to."""
        return None if self.folder is None else self.folder.identity

    def begin(self, folder: RunFolder, config: RunConfig, needed: int, saved_step: int | None) -> None:
        """The run has its folder: from here on everything is written there.

        A checkpoint takes about `needed` bytes; the newest is of `saved_step`, None while there is none.
        """
        self.folder, self._config, self._needed = folder, config, needed
        self._saved_step = saved_step if self._saved_step is None else self._saved_step
        self.record.open(folder.path, folder.require_ours)

    def saved(self, step: int, problem: str | None) -> None:
        """The trainer has written a checkpoint, or could not."""
        if problem is None:
            self._saved_step = step
            self._sync_due = True
        elif self.folder is not None:
            self._tried()
        self._unsaved = problem
        self._tell()

    async def watch(self) -> None:
        """For as long as the engine lives: looks after the folder, and tries again what failed."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look()
            if self._sync_due and self.problem is None:
                await self.sync()

    async def sync(self) -> None:
        """Has the record reach the disk as the checkpoint has, so that a power cut takes none of what led to it."""
        self._sync_due = False
        try:
            await asyncio.to_thread(self.record.sync)
        except OSError as error:
            # What a failed sync has kept nobody knows, so all of it is written once more.
            self.record.log(f"the record could not be synced: {error.strerror or error}")
            self._rewrite()
            self._sync_due = True

    def _rewrite(self) -> None:
        assert self.folder is not None
        self.record.open_again(self.folder.path, self.folder.require_ours, lambda: self._board.losses.points)

    def look(self) -> None:
        """One look, as often as `LOOK_EVERY`."""
        if self.folder is None:
            return
        try:
            self.folder.require_ours()
        except OSError:
            self._make_again()
        else:
            self._lost_folder = None
        failing = self.record.error is not None
        self.record.flush()
        if self._unsaved is not None and self._lost_folder is None and self._hopeful(failing):
            self._ask()
        self._tell()

    def close(self) -> None:
        self.record.flush()
        self._tell()
        if self.folder is not None:
            self.folder.close()

    def _hopeful(self, was_failing: bool) -> bool:
        """Whether another checkpoint is worth its try: the record goes through again, there is room, or it is time."""
        assert self.folder is not None
        if was_failing and self.record.error is None:
            return True
        if time.monotonic() - self._asked >= SAVE_AGAIN_EVERY:
            return True
        return (free_bytes(self.folder.path) or 0) >= self._free + max(self._needed, 1)

    def _ask(self) -> None:
        self._tried()
        self._send(trainer.Save(again=True))

    def _tried(self) -> None:
        assert self.folder is not None
        self._asked, self._free = time.monotonic(), free_bytes(self.folder.path) or 0

    def _make_again(self) -> None:
        assert self.folder is not None
        assert self._config is not None
        try:
            folder = self.folder.made_again(self._config)
        except OSError as error:
            self._lost_folder = error
            return
        self.folder.close()
        self.folder, self._lost_folder, self._was_made_again = folder, None, True
        self._unsaved = self._unsaved or "the run's folder had gone, and its checkpoints with it"
        self._rewrite()
        self._made_again()
        self._send(trainer.Place(folder.identity))
        self._ask()

    def _record_said(self, trouble: str | None) -> None:
        if trouble is None:
            for name, count in self.record.lost.items():
                self._lost[name] = self._lost.get(name, 0) + count
        self._tell()

    def _tell(self) -> None:
        """Brings the board up to date; when it is over, also how it went."""
        problem, stood = self.problem, self._board.trouble("disk")
        since = f"; the newest checkpoint is of step {self._saved_step:,}" if self._saved_step is not None else ""
        self._board.set_trouble("disk", problem and f"{problem}. Memory keeps it meanwhile{since}.")
        if stood is not None and problem is None:
            notice = self._over()
            self._board.announce(notice)
            self.record.log(notice.text)

    def _over(self) -> Notice:
        assert self.folder is not None
        saved = f"the newest checkpoint is of step {self._saved_step:,}" if self._saved_step is not None else ""
        if self._was_made_again:
            self._was_made_again = False
            words = f"The run's folder had gone: it was made again, with every loss; {saved}, older ones are lost"
            return Notice("warning", f"{words} ({self.folder.path}).")
        lost = [f"{count:,} {'bytes' if name == LOG else 'lines'} of {name}" for name, count in self._lost.items()]
        self._lost = {}
        what = f"lost are {' and '.join(lost)}" if lost else "nothing was lost"
        return Notice(
            "warning" if lost else "info", f"The disk takes the run again: {what}; {saved or 'no checkpoint yet'}."
        )


def _lost(place: str, error: OSError) -> str:
    if error.errno == errno.ESTALE:
        return f"Another folder lies where the run's was ({place}) and is left alone; move it away"
    why = f"{error.filename} has gone too" if error.errno == errno.ENOENT else f"{error.strerror or error}"
    return f"The run's folder has gone ({place}) and cannot be made again: {why}; bring it back or mount it again"


def _advice(why: str) -> str:
    return next((words for number, words in _ADVICE.items() if os.strerror(number) in why), "make it writable again")

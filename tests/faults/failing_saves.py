"""A process that saves checkpoints while `failing_calls.c` lets one of its calls fail, or kills it.

    LD_PRELOAD=failing_calls.so python -m tests.faults.failing_saves FOLDER TIMES SEED

Each try is a fork of its own, as torch takes seconds to load. A line of JSON on standard output says what came of all.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import torch

from charrnn.runs.checkpoint import KEPT, load_tensors, save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.runs.manifest import MODEL, STATE
from charrnn.runs.recovery import resume_point, verify
from charrnn.runs.saved import best_checkpoint, list_checkpoints, mark

KILL = -1
WAYS = (KILL, errno.ENOSPC, errno.EIO)
FRESH_EVERY = 25  # tries: then a new run, whose first save is the one that is tried

RETURNED, RAISED, UNDISTURBED, HARMED, BAD_AGAIN, BAD_RAISE = range(6)
WORDS = {
    HARMED: "the save failed and an older checkpoint is gone or another",
    BAD_AGAIN: "the next save, undisturbed, failed",
    BAD_RAISE: "the save raised something else than OSError",
}

calls = ctypes.CDLL(None)


def tensors(step: int, number: int) -> dict[str, dict[str, torch.Tensor]]:
    """What is saved: no two are alike."""
    generator = torch.Generator().manual_seed(step * 1000 + number)
    model = {"w": torch.randn(64, 33, generator=generator), "b": torch.randn(7, generator=generator)}
    return {MODEL: model, STATE: {"counters": torch.tensor([step, number]), "m": torch.randn(99, generator=generator)}}


def save(run: Path, step: int, number: int) -> None:
    what = tensors(step, number)
    loss = random.Random(step * 7 + number).uniform(1, 2)
    save_checkpoint(run, step=step, model=what[MODEL], state=what[STATE], val_loss=loss, facts={"symbols": "ab"})


class Tries:
    """One run's folder, in which save after save is tried; `may_be[step]` are the numbers a checkpoint may hold."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.broken: list[str] = []
        self.by_way = dict.fromkeys(WAYS, 0)
        self._begin(0)
        self.most_calls = self._calls_of_a_save()

    def _begin(self, number: int) -> None:
        self.run = self.folder / f"run-{number}"
        self.run.mkdir()
        self.step = 0
        self.returned = 0
        self.may_be: dict[int, set[int]] = {}

    def _calls_of_a_save(self) -> int:
        """Somewhat more than the most that an undisturbed save makes, one that makes room or replaces one."""
        count = 0
        for number in range(KEPT + 3):
            calls.faults_arm(0, 0)
            save(self.run, min(number, KEPT + 1) + 1, number)
            count = max(count, calls.faults_disarm())
        shutil.rmtree(self.run)
        self._begin(0)
        return count + count // 4

    def one(self, number: int) -> bool:
        """A save that is disturbed at some call, in a process of its own; then what the next opening finds.

        False where the save had not so many calls: that was none.
        """
        if number % FRESH_EVERY == FRESH_EVERY - 1:
            shutil.rmtree(self.run)
            self._begin(number)
        again = self.step > 0 and self.chance.random() < 0.3  # the same step once more
        step = self.step if again else self.step + self.chance.randrange(1, 50)
        way = self.chance.choice(WAYS)
        at = self.chance.randrange(1, self.most_calls + 1)
        words = f"try {number}, step {step}, {'SIGKILL' if way == KILL else errno.errorcode[way]} at call {at}"
        self.may_be.setdefault(step, set()).add(number)
        code = self._disturbed(step, number, at, way)
        if code in (RETURNED, UNDISTURBED):
            self.step, self.returned, self.may_be[step] = step, step, {number}
        elif code == RAISED:  # and the next save was well
            self.step, self.returned, self.may_be[step + 1] = step + 1, step + 1, {number}
        elif code != -signal.SIGKILL or way != KILL:
            self.broken.append(f"{words}: {WORDS.get(code, f'the process ended with {code}')}")
        try:
            self._opens(words, number, whole=code in (RAISED, UNDISTURBED))
        except Exception as error:
            self.broken.append(f"{words}: {type(error).__name__}: {error}")
        self.by_way[way] += code != UNDISTURBED
        return code != UNDISTURBED

    def _disturbed(self, step: int, number: int, at: int, way: int) -> int:
        """How a process that saves ended."""
        child = os.fork()
        if child == 0:
            status = BAD_RAISE
            try:
                status = self._in_child(step, number, at, way)
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _in_child(self, step: int, number: int, at: int, way: int) -> int:
        before = self._whole()
        calls.faults_arm(at, way)
        try:
            save(self.run, step, number)
            return RETURNED if calls.faults_disarm() >= at else UNDISTURBED
        except OSError:
            calls.faults_disarm()
        if not before <= self._whole():
            return HARMED
        try:
            save(self.run, step + 1, number)  # the disk is well again
        except OSError:
            return BAD_AGAIN
        return RAISED

    def _whole(self) -> set[tuple[str, bytes]]:
        """Every checkpoint that stands in its place, with what its manifest says of its bytes."""
        folders = (self.run / "checkpoints").glob("step-*")
        return {(path.name, (path / "MANIFEST.json").read_bytes()) for path in folders}

    def _opens(self, words: str, number: int, *, whole: bool) -> None:
        """As an engine opens it: the newest loads, byte for byte, nothing is lost and nothing left over.

        `whole`: the last save was not disturbed.
        """
        with contextlib.closing(RunFolder.open(self.run)):
            found = resume_point(self.run)
        folder = self.run / "checkpoints"
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        if found.remarks or any(not name.startswith("step-") for name in names):
            self.broken.append(f"{words}: damaged or left over: {found.remarks} {names}")
        if found.checkpoint is None:
            if self.returned:
                self.broken.append(f"{words}: a checkpoint was promised, and none is there")
            return
        saved = list_checkpoints(self.run)
        for checkpoint in saved:
            verify(checkpoint.path)
            held = {name: load_tensors(checkpoint, name) for name in (MODEL, STATE)}
            step, of = held[STATE]["counters"].tolist()
            wanted = tensors(step, of)
            if step != checkpoint.step or of not in self.may_be[step]:
                self.broken.append(f"{words}: step {step} holds number {of}, which it should not")
            self.may_be[step] = {of}
            if any(not torch.equal(t, wanted[file][n]) for file in held for n, t in held[file].items()):
                self.broken.append(f"{words}: step {step} is not what was saved")
        if found.checkpoint.step < self.returned or found.checkpoint != saved[-1]:
            self.broken.append(f"{words}: the newest is of {found.checkpoint.step}, {self.returned} was promised")
        self.step = saved[-1].step
        best = best_checkpoint(saved)
        rest = [c for c in saved[:-KEPT] if c != best and not c.kept]
        if rest and whole:  # a save that was cut may have had no time to make room: the next one does
            self.broken.append(f"{words}: {len(rest)} checkpoints stay that nobody needs")
        if number % 40 == 7:
            mark(saved[0], keep=True)


def main() -> int:
    folder, times, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    tries = Tries(folder, seed)
    number, done = 0, 0
    while done < times:
        done += tries.one(number)
        number += 1
    ways = {"SIGKILL" if way == KILL else errno.errorcode[way]: count for way, count in tries.by_way.items()}
    print(json.dumps({"tried": times, "ways": ways, "calls": tries.most_calls, "broken": tries.broken}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How much of what a run writes is copied, as it learns: a sample after evaluations, written down. No torch here.

The sample is written by the newest weights, beside the stream and never by the trainer: eight texts at once from the
same prime, under the same seeds and knobs every time, so that two of them compare. It is only made while the engine has
a stream and training is not paused, and takes no more than a hundredth of a core, on a thread that yields to others.
"""

from __future__ import annotations

import asyncio
import copy
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from charrnn.config import Knobs, UsageError
from charrnn.engine.questions.copying import CopiedCurve, CopiedPoint
from charrnn.runs import copied

if TYPE_CHECKING:
    from charrnn.engine.answering.subject import Subject
    from charrnn.engine.examiner import Examined
    from charrnn.insight.copying.index import CopyingIndex
    from charrnn.model.language_model import LanguageModel
    from charrnn.sampling.many import ManyStreams
    from charrnn.text.corpus import Corpus

Result = TypeVar("Result")

BEGINS_AFTER = 20.0
"""Seconds of training before a text is indexed for this: a run's first moments are not to be shared."""
LARGEST = 20_000_000
"""Tokens of training text that are indexed without being asked for."""
STREAMS, CHARACTERS = 8, 2_000
"""Texts of a sample, and how many characters they have together."""
KNOBS = Knobs(temperature=0.8)
SEED = 1
SHARE_OF_A_CORE = 0.01
PIECE = 0.05
"""Seconds of work before a rest of nine times as long."""
MOST_POINTS = 2_000
_LOOK_EVERY = 1.0
_NICENESS = 15


async def keep_curve(subject: Subject, *, after: float = BEGINS_AFTER, share: float = SHARE_OF_A_CORE) -> None:
    """Tells what the run's folder has, then goes on with it for as long as the engine lives.

    Without an index there is no curve: texts that cannot have one, or are large, have none.
    """
    corpus, folder, board = subject.corpus, subject.folder, subject.board
    if corpus is None or folder is None:
        return
    known = await asyncio.to_thread(copied.read, folder)
    points = [CopiedPoint(*line) for line in known if line[0] <= board.status.step]
    if points:
        board.announce(CopiedCurve(_thinned(points)), standing=True)
    if not 0 < len(corpus.train_ids) <= LARGEST:
        return
    await asyncio.sleep(after)
    worker = _Worker()
    looked = points[-1].step if points else -1
    try:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            await _unpaused(subject)
            step = _evaluated(subject, corpus)
            if step is None or step == looked or not board.status.sampler_ready:
                continue
            looked, begun = step, worker.spent
            try:
                index = await subject.copying.index(corpus)
            except UsageError:
                return  # whoever asks for copies is told why
            point = await _sampled(subject, index, worker)
            points = [*(one for one in points if one.step < point.step), point]
            await asyncio.to_thread(_keep, folder, point)
            board.announce(CopiedCurve(_thinned(points)), standing=True)
            await asyncio.sleep((worker.spent - begun) / share)
    finally:
        worker.end()


async def _unpaused(subject: Subject) -> None:
    """While training is paused nothing is computed for this, and no new point has the chart drawn again."""
    while subject.board.status.state == "paused":
        await asyncio.sleep(_LOOK_EVERY)


def _evaluated(subject: Subject, corpus: Corpus) -> int | None:
    """The step of the newest held-out loss; where nothing is held out, of the newest loss."""
    for point in reversed(subject.board.losses.points):
        if point.val_loss is not None or not len(corpus.held_out_ids):
            return point.step
    return None


def _keep(folder: Path, point: CopiedPoint) -> None:
    """A disk that takes no line keeps the point from later starts, and nothing else."""
    try:
        copied.append(folder, step=point.step, share=point.share, longest=point.longest, characters=CHARACTERS)
    except OSError:
        return


def _thinned(points: list[CopiedPoint]) -> list[CopiedPoint]:
    """At most MOST_POINTS of them, the newest in any case."""
    while len(points) > MOST_POINTS:
        points = points[-1::-2][::-1]
    return points


class _Worker:
    """A thread that yields to the others, and rests nine times as long as it works."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "copied-curve", _yield_to_others)
        self.spent = 0.0

    async def work(self, piece: Callable[[], Result]) -> Result:
        """What a piece of work makes, after the rest that is due for it."""

        def timed() -> tuple[Result, float]:
            begun = time.thread_time()
            return piece(), time.thread_time() - begun

        result, took = await asyncio.get_running_loop().run_in_executor(self._pool, timed)
        self.spent += took
        await asyncio.sleep(9 * min(took, 10 * PIECE))
        return result

    def end(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _yield_to_others() -> None:
    if sys.platform == "linux":  # only there a thread has a priority of its own
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        except OSError:
            return


async def _sampled(subject: Subject, index: CopyingIndex, worker: _Worker) -> CopiedPoint:
    """A sample of the newest weights, looked up."""
    network, step = await subject.examiner.work(_copied_network)
    assert subject.corpus is not None
    vocabulary = subject.corpus.vocabulary

    def begin() -> ManyStreams:
        from charrnn.sampling.many import ManyStreams, seeds_from

        return ManyStreams(network, vocabulary, prime="", seeds=seeds_from(SEED, STREAMS), knobs=KNOBS)

    streams = await worker.work(begin)
    texts = [""] * STREAMS
    while sum(map(len, texts)) < CHARACTERS:
        texts = await worker.work(lambda texts=texts: _write(streams, texts))  # type: ignore[misc]
        await _unpaused(subject)
    return CopiedPoint(step, *await worker.work(lambda: share_of(index, texts)))


def _copied_network(examined: Examined) -> tuple[LanguageModel, int]:
    """The weights as they are now, which do not change while the sample is written."""
    return copy.deepcopy(examined.network), examined.step


def _write(streams: ManyStreams, texts: list[str]) -> list[str]:
    """Goes on with the texts for a piece of time, all of them alike."""
    import torch

    torch.set_num_threads(1)
    end = time.perf_counter() + PIECE
    made = [[text] for text in texts]
    count = sum(map(len, texts))
    while count < CHARACTERS and time.perf_counter() < end:
        for parts, more in zip(made, streams.next(), strict=True):
            parts.append(more)
            count += len(more)
    return ["".join(parts) for parts in made]


def share_of(index: CopyingIndex, texts: list[str]) -> tuple[float, int]:
    """Which share of the texts is copied, each text by itself, and how many characters the longest copy has."""
    from charrnn.insight.copying.matching import copies, covered

    found = [copies(index, text) for text in texts]
    length = sum(map(len, texts))
    share = sum(covered(one) for one in found) / length if length else 0.0
    return share, max((copied.length for one in found for copied in one), default=0)

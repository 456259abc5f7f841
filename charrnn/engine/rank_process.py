"""The processes of a run that one torchrun started, from their meeting to their end.

Rank 0 is the run: its worker process is the engine (`charrnn train` in the foreground), with the run's folder, lock,
socket and clients, and its rank in the process group is the engine's trainer process, which inherits torchrun's
environment. The workers of the other ranks are trainers alone, with the same loop, but without engine, files or words:
what to train (the settings as decided, the text's ids, a checkpoint's tensors) comes to them from rank 0, so nothing
needs to be the same on their machines but charrnn itself.

When a rank dies, the others lose their connection and end, torchrun starts all workers again, and the new rank 0 goes
on with the run (`charrnn.runs.relaunch`) from its newest checkpoint, on as many ranks as there then are.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import signal
import sys
from dataclasses import replace

import msgspec
import numpy as np
import torch

from charrnn.config import UsageError
from charrnn.engine import wire
from charrnn.engine.machine import cores
from charrnn.engine.memory import open_memory
from charrnn.engine.rank_orders import EngineLink, RankLink
from charrnn.engine.run_setup import run_config
from charrnn.engine.trainer_messages import Build
from charrnn.engine.trainer_process import train
from charrnn.engine.training_loop import TrainingLoop
from charrnn.torchrun import Seat, wait_to_be_ended
from charrnn.training.distributed import AT_ONCE, Together, join
from charrnn.training.ranks import RankLostError, streams_each


def lead(seat: Seat, link: EngineLink, build: Build, weights: int, ids: int) -> TrainingLoop:
    """Rank 0's loop, once all ranks have theirs. Raises UsageError, for another rank's reason too, and `RankLostError`.

    What is wrong with the settings is found before the others are met.
    """
    build = decided(build, seat.size, _own_cores(seat))
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nothing has begun: there is nothing to save
    ranks = join(seat)
    signal.signal(signal.SIGTERM, before)
    build = _agreed(ranks, build)
    _hand_over(ranks, build, ids)
    return TrainingLoop(RankLink(ranks, link), build, weights, ids, ranks)


def follow(seat: Seat) -> int:
    """The life of a worker that is not rank 0; its exit status. Says nothing but that it lost the others.

    A wrong use is rank 0's to tell, with status 2: torchrun then ends this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 decides what an interruption means
    try:
        ranks = join(seat)
        build = _agreed(ranks, None)
        link = RankLink(ranks, None)
        loop = TrainingLoop(link, build, open_memory(), _hand_over(ranks, build, None), ranks)
    except UsageError:
        wait_to_be_ended()
        return 2
    except RankLostError:
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: link.end())
    try:
        train(loop)
    except RankLostError as error:
        if not link.ending:
            print(f"charrnn train: rank {seat.rank}: {error}", file=sys.stderr, flush=True)
        return 1
    return 143 if link.ending else 0


def decided(build: Build, ranks: int, cores: int) -> Build:
    """With the settings resolved for so many ranks, and so many cores for each of them. Raises UsageError.

    A batch that nobody asked for is made to come out even. Threads that nobody asked for are no more than there are
    cores, also where the run was begun by one process.
    """
    config = run_config(build, cores)
    if build.recorded is None and config.preset != "lecture" and "batch" not in build.options:
        even = config.training.batch - config.training.batch % ranks
        if even not in (0, config.training.batch):
            config = run_config(msgspec.structs.replace(build, options=build.options | {"batch": even}), cores)
    streams_each(config.training.batch, ranks)
    if "threads" not in build.options:
        config = replace(config, training=replace(config.training, threads=min(config.training.threads, cores)))
    return msgspec.structs.replace(build, recorded=config)


def _agreed(ranks: Together, build: Build | None) -> Build:
    """What all ranks build: rank 0's settings, on a device that each has, with the threads that each can run.

    Raises UsageError on every rank for what is wrong on one of them.
    """
    arrived = ranks.bytes_of_first(b"" if build is None else wire.frame(build))
    build = wire.read_blocking(io.BytesIO(arrived), wire.to_trainer)
    assert isinstance(build, Build)
    assert build.recorded is not None
    training = build.recorded.training
    problem = ""
    try:
        ranks.use(training.device)
    except UsageError as error:
        problem = str(error)
    problems = [words.decode() for words in ranks.bytes_of_each(problem.encode()) if words]
    if problems:
        raise UsageError(problems[0])
    threads = training.threads
    if "threads" not in build.options:
        threads = min(threads, *(int(words) for words in ranks.bytes_of_each(str(_own_cores(ranks.seat)).encode())))
    options = build.options | {"device": training.device, "threads": threads}
    return msgspec.structs.replace(build, options=options)


def _own_cores(seat: Seat) -> int:
    return max(1, cores() // seat.local_size)


def _hand_over(ranks: Together, build: Build, ids: int | None) -> int:
    """The descriptor of memory that holds the ids of the text: rank 0's own, the others' a copy of it.

    Raises `RankLostError` where a copy's digest is another.
    """
    size = build.ids * np.dtype(build.dtype).itemsize
    memory = open_memory() if ids is None else ids
    if ids is None:
        os.ftruncate(memory, size)
    digest = hashlib.sha256()
    with mmap.mmap(memory, size, access=mmap.ACCESS_WRITE if ids is None else mmap.ACCESS_READ) as held:
        for first in range(0, size, AT_ONCE):
            portion = bytearray(held[first : first + AT_ONCE])
            ranks.broadcast(torch.frombuffer(portion, dtype=torch.uint8))
            digest.update(portion)
            if ids is None:
                held[first : first + len(portion)] = portion
    if len(set(ranks.bytes_of_each(digest.digest()))) > 1:
        raise RankLostError("the text did not reach every process as it was sent")
    return memory

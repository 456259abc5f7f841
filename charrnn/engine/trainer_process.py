"""The trainer's own process: takes orders from the engine, trains, publishes weights, writes checkpoints.

    python -m charrnn.engine.trainer_process --link FD --weights FD --ids FD --lock FD

It never waits for the engine: what it says goes through a thread of its own. When the engine has gone it finishes, and
holds the run's trainer lock, which came over the socket `--lock`, until it has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import queue
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.config import UsageError
from charrnn.engine import wire
from charrnn.engine.orphan import LastWords
from charrnn.engine.trainer_messages import Build, CannotBuild, Finish, FromTrainer, Proceed, Remark
from charrnn.native.library import prepare
from charrnn.torchrun import seat

if TYPE_CHECKING:
    from charrnn.engine.training_loop import TrainingLoop


class Link:
    """The connection to the engine: orders come in through a queue, words go out through one, each with a thread."""

    def __init__(self, descriptor: int, lock: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._lock = socket.socket(fileno=lock)
        self._held: list[int] = []
        self._folder: Path | None = None
        self._alone = False
        self._last_words = LastWords()
        self._out: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, message: FromTrainer) -> None:
        self._last_words.add(message, unheard=self._alone)
        self._out.put(wire.frame(message))

    def _write(self) -> None:
        while frame := self._out.get():
            try:
                self._socket.sendall(frame)
            except OSError:  # the engine is gone; the reader asks the loop to finish
                return

    def _read(self) -> None:
        with self._socket.makefile("rb") as stream:
            while True:
                try:
                    order = wire.read_blocking(stream, wire.to_trainer)
                except (OSError, wire.WireError):
                    order = None
                if isinstance(order, Proceed):
                    self._take_over(order)
                if order is None:
                    self._stay_alone()
                self.orders.put(Finish() if order is None else order)
                if order is None:
                    return

    def _take_over(self, order: Proceed) -> None:
        """From now on this process may write to the run's folder."""
        self._folder = Path(order.folder)
        with contextlib.suppress(OSError):
            _, self._held, _, _ = socket.recv_fds(self._lock, 1, 1)
        for descriptor in self._held:
            os.set_inheritable(descriptor, False)

    def _stay_alone(self) -> None:
        """The engine has gone, and nobody reads standard error any more: to write to it would fail."""
        self._alone = True
        with contextlib.suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)

    def clock(self, seconds: float) -> float:
        """A process alone counts for itself."""
        return seconds

    def close(self) -> None:
        """Says what is still to be said, then hangs up."""
        self._out.put(b"")
        self._writer.join(timeout=10)
        if self._alone and self._folder is not None:
            self._last_words.write(self._folder)
        self._socket.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="charrnn.engine.trainer_process")
    for name in ("link", "weights", "ids", "lock"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl+c reaches the whole terminal; the engine decides
    faulthandler.enable()  # a crash in native code says where; the engine asks a silent trainer the same
    faulthandler.register(signal.SIGUSR1)
    _offer_to_the_kernel()
    link = Link(arguments.link, arguments.lock)
    for number in (signal.SIGTERM, signal.SIGHUP):  # a batch system ends the whole group: the last state is saved first
        signal.signal(number, lambda *_: link.orders.put(Finish()))
    try:
        build = link.orders.get()
        if not isinstance(build, Build):
            return 0
        try:
            loop = _loop(link, build, arguments.weights, arguments.ids)
        except UsageError as error:
            link.say(CannotBuild(str(error)))
            return 2
        train(loop)
    finally:
        link.close()
    return 0


def _offer_to_the_kernel() -> None:
    """When memory runs out it takes this process rather than the engine, which can start another."""
    with contextlib.suppress(OSError, ValueError):
        place = Path("/proc/self/oom_score_adj")
        place.write_text(str(min(1000, int(place.read_text()) + 300)))


def _loop(link: Link, build: Build, weights: int, ids: int) -> TrainingLoop:
    """Alone, or as rank 0 of those that one torchrun started."""
    words = "Compiling the kernels for this processor: once, up to a minute."
    prepare(lambda: link.say(Remark("info", words)))
    place = seat()
    if place.size > 1:
        from charrnn.engine.rank_process import lead

        return lead(place, link, build, weights, ids)
    from charrnn.engine.training_loop import TrainingLoop

    return TrainingLoop(link, build, weights, ids)


def train(loop: TrainingLoop) -> None:
    """Once the run has its folder, until it is told to finish."""
    order = loop.link.orders.get()
    while not isinstance(order, Proceed | Finish):
        order = loop.link.orders.get()
    if isinstance(order, Proceed):
        loop.train(Path(order.folder), order.paused, order.identity)
    loop.ranks.leave()


if __name__ == "__main__":
    sys.exit(main())

"""An engine without a model, for the tests of the screen: the real protocol, canned text, a loss that falls.

In a test it runs in the app's own loop over a socket pair; as a program (`fake_engine.py --connection FD`) it stands
in for `python -m charrnn.engine` behind a real pseudo-terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.engine import wire
from charrnn.engine.messages import (
    ClientMessage,
    CorpusInfo,
    Ended,
    EngineMessage,
    Generated,
    Losses,
    LossPoint,
    ModelInfo,
    Notice,
    Refused,
    RestartStream,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    Status,
    StopRun,
    Text,
    Welcome,
    WriteCheckpoint,
)

HEAD = (
    "To be, or not to be, that is the question:\n[bold]six characters[/bold] \x1b]52;c;ZXZpbA==\x07 and a\ttab.\n" * 40
)
WORDS = "the quick brown fox jumps over the lazy dog and writes on\n"


def corpus(**changes: Any) -> CorpusInfo:
    info = CorpusInfo(
        name="hamlet",
        characters=100_000,
        symbols=f"{len(set(HEAD + WORDS))} symbols",
        alphabet="".join(sorted(set(HEAD + WORDS))),
        held_out_at=90_000,
        head=HEAD,
        held_out_head="Here begins what is held out.\n" + HEAD,
        note="UTF-8",
    )
    return msgspec.structs.replace(info, **changes)


def model() -> ModelInfo:
    config = RunConfig(
        preset="auto",
        corpus=CorpusConfig(source="hamlet", name="hamlet"),
        model=ModelConfig(),
        training=TrainingConfig(),
        stream=StreamConfig(),
    )
    return ModelInfo(summary="lstm 1×256", parameters=363_111, device="cpu ×2", config=config)


def point(step: int, **changes: Any) -> LossPoint:
    loss = 1.2 + 3.4 / (1 + step / 20)
    val = loss + 0.1 if step % 5 == 0 else None
    made = LossPoint(step, step * 2048, step / 10, loss, val, 0.003)
    return msgspec.structs.replace(made, **changes)


@dataclass
class FakeEngine:
    """Answers one client. `received` is what it was sent; `say` sends what a test wants said."""

    text: str = WORDS
    pace: float = 50.0
    load_seconds: float = 0.0
    refusal: Refused | None = None
    library: Any = None  # a FakeCorpus, for what is asked of the corpus's text
    corpus: CorpusInfo = field(default_factory=corpus)
    received: list[ClientMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.status = Status(state="starting", pace=self.pace, learning_rate=0.003, prime="To be", sampler_ready=True)
        self._stream = 0
        self._position = 0
        self._prime_due = True
        self._source = itertools.cycle(self.text)
        self._writer: asyncio.StreamWriter | None = None
        self._stopping = asyncio.Event()

    def say(self, *messages: EngineMessage) -> None:
        assert self._writer is not None
        if not self._writer.is_closing():
            self._writer.write(b"".join(map(wire.frame, messages)))

    def change(self, **changes: Any) -> None:
        self.status = msgspec.structs.replace(self.status, **changes)
        self.say(self.status)

    async def serve(self, connection: socket.socket) -> None:
        reader, self._writer = await asyncio.open_unix_connection(sock=connection)
        listener = asyncio.create_task(self._listen(reader))
        try:
            if self.refusal is not None:
                self.say(self.refusal)
                return
            self.say(Welcome(run="hamlet-1", folder="/runs/hamlet-1"), self.corpus)
            await asyncio.sleep(self.load_seconds)
            self.say(model())
            self.change(state="training")
            await self._stream_text()
        finally:
            listener.cancel()
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()
            self._writer.close()

    async def _stream_text(self) -> None:
        step = 0
        while not self._stopping.is_set():
            count = max(1, round(self.status.pace * 0.04)) if self.status.pace else 0
            pieces = [self._prime()] if self._prime_due else []
            if count:
                pieces.append(self._piece("".join(itertools.islice(self._source, count)), prime=False))
            self.say(Text(pieces))
            if self.status.state == "training":
                step += 1
                self.say(Losses([point(step)]))
                self.change(step=step, seconds=step * 0.04, characters_per_second=100_000.0 + step)
            await asyncio.sleep(max(0.02, count / self.status.pace if self.status.pace else 0.04))

    def _prime(self) -> Generated:
        self._prime_due = False
        return self._piece(self.status.prime, prime=True)

    def _piece(self, text: str, *, prime: bool) -> Generated:
        made = Generated(self._position, text, self.status.knobs, self._stream, self.status.seed, prime, 1)
        self._position += len(text)
        return made

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while (message := await wire.read(reader, wire.from_client)) is not None:
                self.received.append(message)
                self._obey(message)
        except ConnectionError:
            # A client that was killed leaves as one that closes.
            pass
        finally:
            self._stopping.set()

    def _obey(self, message: ClientMessage) -> None:
        match message:
            case SetKnobs():
                self.change(knobs=message.knobs)
            case SetPace():
                self.change(pace=message.pace)
            case SetLearningRate():
                self.change(learning_rate=message.rate)
            case SetCooldown():
                phase = ("cool-down", 35, 100, 0.00195) if message.on else ("", 0, 0, 0.003)
                names = ("phase", "phase_step", "phase_steps", "current_rate")
                self.change(**dict(zip(names, phase, strict=True)))
            case SetPaused():
                self.change(state="paused" if message.paused else "training")
            case RestartStream():
                prime = self.status.prime if message.prime is None else message.prime
                unknown = [character for character in prime if character not in self.corpus.alphabet]
                if unknown:
                    self.say(Notice("warning", f"The model does not know {' '.join(unknown)}; left out."))
                self._stream += 1
                self._prime_due = True
                known = "".join(character for character in prime if character in self.corpus.alphabet)
                self.change(prime=known, seed=self.status.seed + 1 if message.seed is None else message.seed)
            case WriteCheckpoint():
                self.say(Notice("info", "Wrote checkpoint step-00000007."))
            case StopRun():
                self.change(state="stopping")
                self.say(Ended("Saved at step 7."))
                self._stopping.set()
            case _:
                if self.library is not None:
                    self.say(*self.library.answers(message))


async def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[sys.argv.index("--connection") + 1]))
    engine = FakeEngine(load_seconds=0.2, pace=float(os.environ.get("FAKE_PACE", "50")))
    if os.environ.get("FAKE_TEXT"):
        engine.text = Path(os.environ["FAKE_TEXT"]).read_text(encoding="utf-8")
        engine.__post_init__()
    reason = os.environ.get("FAKE_REFUSAL")
    if reason:
        engine.refusal = Refused(reason, 2)
    await engine.serve(connection)


if __name__ == "__main__":
    asyncio.run(main())

"""The fake engine, which says fuzzed strings wherever an engine can say anything: `--connection FD`, as the other.

FUZZ_COUNT and FUZZ_SEED say which; when all are said the folder FUZZ_DONE is made.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import msgspec

from charrnn.engine.messages import CorpusInfo, Losses, Notice, Text, Welcome
from tests.benchmarks.terminal.strings import encodable, fuzzed
from tests.tui.fake_engine import FakeEngine, corpus, model, point

AT_ONCE = 10
PAUSE = 0.1


class FuzzingEngine(FakeEngine):
    async def _stream_text(self) -> None:
        strings = [encodable(text) for text in fuzzed(int(os.environ["FUZZ_COUNT"]), int(os.environ["FUZZ_SEED"]))]
        self.say(model())
        for at in range(0, len(strings), AT_ONCE):
            some = strings[at : at + AT_ONCE]
            for number, text in enumerate(some):
                pieces = [self._piece(text, prime=number % 5 == 0)]
                pieces.append(self._piece(f" {at + number}\n" if number % 3 else " ", prime=False))
                self.say(Text(pieces), Notice(("info", "warning", "error")[number % 3], text))
            self.say(Welcome(run=some[0], folder="/runs/" + some[-1]), self._corpus(some))
            self.say(msgspec.structs.replace(model(), summary=some[1 % len(some)], device=some[2 % len(some)]))
            self.say(Losses([point(1 + at // AT_ONCE)]))
            troubles = tuple(some[:2]) if at // AT_ONCE % 3 == 0 else ()
            self.change(state="training", prime="".join(some), step=at, troubles=troubles, phase=some[-1])
            await asyncio.sleep(PAUSE)
            if self._stopping.is_set():
                return
        Path(os.environ["FUZZ_DONE"]).mkdir()
        await self._stopping.wait()

    def _corpus(self, some: list[str]) -> CorpusInfo:
        text = "".join(some)
        alphabet = "".join(sorted(set(text)))
        return corpus(
            name=some[0], head=text, held_out_head=text, alphabet=alphabet, note=some[-1], symbols=some[1 % len(some)]
        )


if __name__ == "__main__":
    connection = socket.socket(fileno=int(sys.argv[sys.argv.index("--connection") + 1]))
    asyncio.run(FuzzingEngine().serve(connection))

"""Any string through the whole program, wherever one can come from: the engine, the keyboard, an error at the start.

Corpus (text, alphabet, name, how it was decoded), prime, file and run name, notices and errors, troubles, and what the
model writes, all in a pseudo-terminal; some strings are pasted into the prime's line too.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.benchmarks.terminal import fuzzing_engine
from tests.benchmarks.terminal.strings import encodable, foreign, fuzzed
from tests.benchmarks.terminal.watching import FAKE, Watched, workbench
from tests.faults.promise import Outcome, Promise

IN_A_SESSION = 1_000
PASTES_EVERY = 1.0


def program(times: int, folder: Path, seed: int) -> Outcome:
    broken: list[str] = []
    for number, at in enumerate(range(0, times, IN_A_SESSION)):
        place = folder / str(number)
        place.mkdir()
        broken += _session(min(IN_A_SESSION, times - at), place, seed * 1_000 + number)
    return Outcome(times, f"{len(broken)} foreign bytes or exceptions", tuple(broken[:20]))


def _session(count: int, folder: Path, seed: int) -> list[str]:
    engine = str(Path(fuzzing_engine.__file__))
    said = {"FAKE_ENGINE": engine, "FUZZ_COUNT": str(count), "FUZZ_SEED": str(seed), "FUZZ_DONE": str(folder / "done")}
    root = str(Path(__file__).parents[3])
    said["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    made = random.Random(seed)
    sizes = [(120, 34), (80, 24), (60, 16), (160, 50)]
    with workbench(*FAKE, folder=folder, size=sizes[seed % len(sizes)], **said) as one:
        one.blind = True
        end = time.monotonic() + 60 + count
        pastes = [encodable(text).replace("\x1b[201~", "") for text in fuzzed(50, seed + 1)]
        one.until(lambda: b"\x1b[?2004h" in one.raw, 20)  # before that the terminal itself echoes what is pasted
        while not (folder / "done").exists() and one.status is None and time.monotonic() < end:
            one.watch(PASTES_EVERY)
            _paste(one, made.choice(pastes))
        one.watch(0.5)
        done = (folder / "done").exists()
        one.press("\x1b")
        one.watch(0.2)
        one.leave("d")
        faults = one.faults() + [f"foreign bytes {some!r}" for some in foreign(bytes(one.raw))[:5]]
        faults += [] if done else ["not all strings were said"]
    words = encodable(next(fuzzed(1, seed))).replace("\x00", "")
    with workbench(*FAKE, folder=folder, FAKE_REFUSAL=words) as refused:
        refused.blind = True
        refused.end()
        status, refused.status = refused.status, 0
        faults += [] if status == 2 else [f"a refusal ended with {status}"]
        faults += [f"foreign bytes {some!r} after a refusal" for some in foreign(bytes(refused.raw))[:5]]
    return [f"{words} (seed {seed})" for words in faults]


def _paste(one: Watched, text: str) -> None:
    one.press("p")
    one.watch(0.05)
    one.press(f"\x1b[200~{text}\x1b[201~")
    one.watch(0.1)
    one.press("\x1b")
    one.watch(0.1)


_FIGURE = "0 foreign control bytes, 0 exceptions"
ROWS = (Promise(9, "fuzzed strings through the whole program", _FIGURE, 10_000, 300, program),)

"""A session of 24 hours, its messages fed at speed: what it adds to the memory, and whether drawing gets slower.

The measuring is done in a process of its own:

    python -m tests.benchmarks.terminal.long_session HOURS
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from charrnn.config import Knobs
from charrnn.engine.messages import Generated, Losses, Status, Text
from tests.benchmarks.terminal.watching import resident
from tests.faults.promise import Outcome, Promise
from tests.tui.fake_engine import corpus, model, point
from tui.app import Workbench

MOST_MEMORY = 20.0
"""Megabytes."""
SLOWER = 1.3
PACE, TURNS = 30, 8
"""Characters a second, in so many pieces."""


async def session(hours: float) -> dict[str, float]:
    ours, theirs = socket.socketpair()
    app = Workbench(ours)
    made = random.Random(1)
    words = ["the", "network", "writes", "some", "words", "of", "its", "own", "and", "goes", "on", "été", "漢字", "=="]
    with theirs:
        async with app.run_test(size=(120, 34)) as pilot:
            for message in (corpus(), model()):
                app.hear(message)
            seconds, position, text = 0, 0, ""

            async def minutes(count: float) -> None:
                nonlocal seconds, position, text
                for _ in range(round(count * 60)):
                    seconds += 1
                    while len(text) < PACE:
                        text += made.choice(words) + (made.choice("\n    ") if made.random() < 0.2 else " ")
                    for turn in range(TURNS):
                        piece = text[PACE * turn // TURNS : PACE * (turn + 1) // TURNS]
                        knobs = Knobs(temperature=0.8 + 0.05 * (seconds // 600 % 3))
                        app.hear(Text([Generated(position, piece, knobs, 0, 1, False, seconds)]))
                        steps = seconds * 80
                        app.hear(Status(state="training", step=steps, chars=steps * 2048, seconds=float(seconds)))
                        position += len(piece)
                    text = text[PACE:]
                    app.hear(Losses([point(seconds * 80)]))
                    if seconds % 10 == 0:
                        app._draw_stream()
                        app._draw_chart()
                        app._draw_status()
                        await asyncio.sleep(0)
                await pilot.pause()

            def redraw() -> float:
                """The middle one of some drawings of everything, in milliseconds of this process."""
                times = []
                for _ in range(25):
                    begun = time.process_time()
                    app._draw_stream()
                    app._draw_chart()
                    app.screen._compositor.render_full_update().render_segments(app.console)
                    times.append((time.process_time() - begun) * 1e3)
                return statistics.median(times)

            await minutes(10)
            first = redraw()
            gc.collect()
            before = resident(os.getpid())
            await minutes(hours * 60 - 10)
            gc.collect()
            after, last = resident(os.getpid()), redraw()
    return {"memory": after - before, "first": first, "last": last, "characters": position}


def day(hours: int, folder: Path, seed: int) -> Outcome:
    command = [sys.executable, "-m", "tests.benchmarks.terminal.long_session", str(hours)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    if done.returncode:
        return Outcome(hours, "it failed", (done.stderr[-500:],))
    seen = json.loads(done.stdout.splitlines()[-1])
    ratio = seen["last"] / seen["first"]
    broken = [f"{seen['memory']:.1f} MB more"] if seen["memory"] > MOST_MEMORY else []
    broken += [f"drawing takes {ratio:.2f} times as long"] if ratio > SLOWER else []
    words = f"{seen['memory']:+.1f} MB; redraw {seen['first']:.1f} ms, then {seen['last']:.1f} ms (ratio {ratio:.2f})"
    return Outcome(hours, words, tuple(broken))


ROWS = (Promise(7, "24 hours of messages", "+ < 20 MB, redraw time unchanged", 24, 1, day),)

if __name__ == "__main__":
    print(json.dumps(asyncio.run(session(float(sys.argv[1])))))

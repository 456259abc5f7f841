"""Attach to a run that trained and wrote with nobody there: the screen is full at once, and nothing is missing.

A real run trains and writes as fast as it can, watched at first by a client that notes everything and then leaves.
After an absence a real workbench attaches in a real pseudo-terminal, and beside it a client that notes what it is told:
every line of metrics.jsonl up to then, and a text without a gap that begins with what the first client saw and ends
with what the screen shows.

A full screen: the state, the chart with a line, the corpus and the stream's newest text are drawn. How long that takes
is told by the clock; it is judged by the time that the workbench computes until then, which another program's work does
not lengthen as it does the clock's, and the clock's own where that is shorter.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from itertools import takewhile
from pathlib import Path

from charrnn.engine import wire
from charrnn.engine.client import attach
from charrnn.engine.history import KEPT_CHARACTERS
from charrnn.engine.messages import Generated, Hello, Losses, LossPoint, SetPace, Status, Text
from charrnn.runs.directory import socket_path
from tests.faults.at_work import Run, cpu_seconds, end, spread, training_run
from tests.faults.promise import Outcome, Promise
from tests.terminal.pseudo_terminal import Terminal

FULL_WITHIN = 1.0
OFTEN, FEW = 20, 2
BRAILLE = re.compile("[\u2801-\u28ff]{3}")


class Listener:
    """A client that notes every loss point and all the text."""

    def __init__(self, run: Run) -> None:
        self.points: list[LossPoint] = []
        self.pieces: list[Generated] = []
        self._connection = attach(str(socket_path(run.folder)), Hello())

    def listen(self, seconds: float) -> Listener:
        """Until nothing has come for a moment, or for so long; then it leaves."""
        self._connection.settimeout(seconds)
        with self._connection, self._connection.makefile("rb") as stream:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                try:
                    message = wire.read_blocking(stream, wire.from_engine)
                except (TimeoutError, wire.WireError):
                    break
                match message:
                    case Losses(points, first):
                        self.points = points if first else self.points + points
                    case Text(pieces):
                        self.pieces += pieces
                    case Status() | None:
                        pass
        return self

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def gaps(self) -> int:
        """Places where a piece does not begin where the one before it ended."""
        pairs = zip(self.pieces, self.pieces[1:], strict=False)
        return sum(one.position + len(one.text) != two.position for one, two in pairs)


def keep(times: int, folder: Path, seed: int) -> Outcome:
    chance = random.Random(seed)
    broken, waits, computed, judged, lengths = [], [], [], [], [0]
    with training_run(folder, "left", cell="gru", hidden=16, embedding=8, batch=4, length=16) as run:
        run.say(SetPace(1e6 if times >= OFTEN else 2000.0))
        for attempt in range(times):
            before = Listener(run).listen(1.0)
            time.sleep(chance.uniform(1.0, 3.0))
            terminal = run.workbench()
            try:
                clock, computing, queued, problem = _full(terminal)
                shown = _stream_rows(terminal)
                due = len(run.lines())
                after = Listener(run).listen(1.5)
            finally:
                end(terminal)
            problem = problem or _missing(run, before, after, shown, due)
            broken += [f"attach {attempt}: {problem}"] if problem else []
            waits.append(clock)
            computed.append(computing)
            judged.append(clock - queued if times >= OFTEN else min(clock, computing))
            lengths.append(len(after.text))
        recorded = len(run.lines())
    if statistics.median(judged) > FULL_WITHIN:
        broken.append(f"the screen was full after {statistics.median(judged):.2f} s")
    measured = (
        f"full after {spread(waits)} by the clock, {spread(computed)} of computing; {recorded:,} loss points, "
        f"{max(lengths):,} characters"
    )
    return Outcome(times, measured, tuple(broken))


def _full(terminal: Terminal) -> tuple[float, float, float, str]:
    """When the screen was full, by the clock and by what the workbench had computed; what was missing if it was not.

    Third is for how long the workbench had waited for a core that others had (proc(5), schedstat): in the short form,
    beside other tests, only computing is judged; in the long one the clock without that.
    """
    begun = time.monotonic()
    while time.monotonic() < begun + 60:
        terminal.read(0.01)
        screen = "\n".join(terminal.screen.display)
        parts = {
            "the state": "● training" in screen,
            "the chart": BRAILLE.search(screen) is not None and "step 1" in screen,
            "the corpus": "characters" in screen and "symbols" in screen,
            "the stream": any(row and "begins in a moment" not in row for row in _stream_rows(terminal)),
        }
        if all(parts.values()):
            return time.monotonic() - begun, cpu_seconds(terminal.pid), _queued(terminal.pid), ""
    return 60.0, 60.0, 0.0, "without " + ", ".join(name for name, there in parts.items() if not there)


def _queued(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _stream_rows(terminal: Terminal) -> list[str]:
    """The rows of the stream's pane, without its frame and its scroll bar."""
    rows = list(terminal.screen.display)
    first = next((number for number, row in enumerate(rows) if "─ Stream ─" in row), len(rows))
    inside = takewhile(lambda row: not row.startswith("──"), rows[first + 1 :])
    return [row.rstrip(" ▁▂▃▄▅▆▇█▐").strip() for row in inside]


def _missing(run: Run, before: Listener, after: Listener, shown: list[str], due: int) -> str:
    """What the client that came back was not told, in words; `due` lines of the record stood when it came."""
    recorded = [(line["step"], line["train_loss"]) for line in run.lines()]
    told = [(point.step, point.train_loss) for point in after.points]
    if not told or told != recorded[: len(told)] or len(told) < due:
        return f"{len(told)} loss points were told of {len(recorded)}"
    if after.gaps():
        return f"the text has {after.gaps()} gaps"
    whole, begin = after.text, after.pieces[0].position
    if begin and len(whole) < KEPT_CHARACTERS:
        return f"the text begins at character {begin:,} although only {len(whole):,} are kept"
    for piece in before.pieces:
        end_of_piece = piece.position + len(piece.text)
        kept = piece.text[max(0, begin - piece.position) :] if end_of_piece > begin else ""
        if whole[max(0, piece.position - begin) : max(0, end_of_piece - begin)] != kept:
            return f"the text from character {piece.position:,} on is another than was told before"
    seen = max(shown, key=len, default="")
    if seen not in whole.replace("\n", " ") and seen[:20] not in whole:
        return f"the screen shows {seen!r}, which the run did not write"
    return ""


PROMISES = (
    Promise(
        row=2,
        name="attach",
        figure="full screen ≤ 1 s, every loss point, the text of the absence",
        often=OFTEN,
        few=FEW,
        keep=keep,
    ),
)

"""Any string through the function that makes text safe, and through those that measure, cut and wrap it."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.terminal.strings import fuzzed, unsafe
from tests.faults.promise import Outcome, Promise
from tui.terminal import pad, safe, safe_line, width, wrap


def function(times: int, folder: Path, seed: int) -> Outcome:
    broken: list[str] = []
    for number, text in enumerate(fuzzed(times, seed)):
        columns = 1 + number % 90
        try:
            shown, line = safe(text), safe_line(text)
            shown.encode()
            bad = unsafe(shown) + unsafe(line) + (["\n"] if "\n" in line else [])
            if number % 8 == 0:
                bad += [row for row in wrap(shown, columns) if width(row) > columns]
                bad += [row for row in [pad(line, columns)] if width(row) != columns]
        except Exception as error:
            bad = [repr(error)]
        if bad:
            broken.append(f"{text!a} gave {bad!r} (seed {seed})")
    return Outcome(times, f"{len(broken)} with a control character or an exception", tuple(broken[:20]))


_FIGURE = "0 foreign control bytes, 0 exceptions"
ROWS = (Promise(8, "fuzzed strings through the function", _FIGURE, 1_000_000, 20_000, function),)

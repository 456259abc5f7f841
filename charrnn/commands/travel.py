"""`charrnn travel`: what a run wrote at each state that it has kept, printed or as a file."""

from __future__ import annotations

import sys
from pathlib import Path

from charrnn.commands.many import tell_left_out
from charrnn.commands.travelogue import KINDS, Travelogue, file_of, heading
from charrnn.config import Knobs, UsageError
from charrnn.insight.travel import eras_of
from charrnn.runs.durable import write_file
from charrnn.text.visible import for_reader, visible_line


def require_new_file(out: Path) -> None:
    """Raises UsageError unless a file of this name can be written that takes nobody's place."""
    if out.suffix.lower() not in KINDS:
        raise UsageError(f"{out.name} has no ending that is known; give .txt, .html or .cast.")
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} to; make it first.")
    if out.exists() or out.is_symlink():
        raise UsageError(f"There is a file {out} already; give another name.")


def travel(run: Path, *, prime: str | None, seed: int, length: int, knobs: Knobs, out: Path | None) -> None:
    """Prints each state's step, losses and text as they are made, or writes them to `out`. Raises UsageError."""
    if out is not None:
        require_new_file(out)
    remarks: list[str] = []
    eras = []
    left_out = prime is None
    for era in eras_of(run, prime=prime, seed=seed, length=length, knobs=knobs, remarks=remarks):
        if not left_out and prime is not None:
            tell_left_out(list(dict.fromkeys(one for one in prime if one not in era.prime)))
            left_out = True
        if out is not None:
            eras.append(era)
            continue
        text = f"{heading(era)}\n{for_reader(era.prime + era.text, sys.stdout)}\n"
        sys.stdout.write(text if not eras else f"\n{text}")
        sys.stdout.flush()
        eras = [era]
    for words in remarks:
        print(visible_line(words), file=sys.stderr)
    if out is None:
        return
    try:
        write_file(out, [file_of(Travelogue(run.name, seed, knobs, eras), out.suffix.lower())])
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}.") from None
    print(f"wrote {out}")

"""Several streams side by side, at the stream's pace, for as long as a client looks at them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.config import Knobs, UsageError
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.examiner import Examined
from charrnn.engine.questions.lanes import (
    LONGEST_PRIME,
    MOST_LANES,
    MOST_PACE,
    CheckpointsListed,
    CloseLanes,
    LaneOpened,
    LanesEnded,
    LanesOpened,
    LanesText,
    LaneWish,
    ListCheckpoints,
    OpenLanes,
    OtherRun,
    SavedStep,
    TuneLanes,
)
from charrnn.presets import range_problem
from charrnn.runs.glance import glance, places
from charrnn.runs.saved import checkpoint_folders, choose_checkpoint, list_checkpoints, read_manifest

if TYPE_CHECKING:
    from charrnn.engine.answering.lanes_writing import Writing
    from charrnn.sampling.saved_model import SavedModel

TURN_SECONDS = 0.125
"""So much text is made ahead at once: waking up for each character would cost training more than making it."""
MOST_BYTES = 512 << 20
"""Of all weights that are loaded for a client's lanes together."""
MOST_RUNS = 100


@dataclass(slots=True)
class _Open:
    """What a client wants of its lanes now."""

    knobs: list[Knobs]
    held: bool = False
    closed: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


_open: dict[Tell, _Open] = {}
"""By whom they are told to: a client has one set of lanes."""


async def open_lanes(question: OpenLanes, subject: Subject, tell: Tell) -> None:
    """Tells what became of the wishes, then text until the client closes its lanes, asks for others or leaves."""
    mine = _open[tell] = _Open([wish.knobs for wish in question.lanes])
    words = ""
    try:
        _require(question)
        writing = await _opened(question, subject, tell)
        if writing is not None:
            await _write(writing, mine, question.number, subject, tell)
    except UsageError as error:
        words = str(error)
    finally:
        if _open.get(tell) is mine:
            del _open[tell]
    await tell(LanesEnded(question.number, words))


async def tune_lanes(question: TuneLanes, subject: Subject, tell: Tell) -> None:
    """Takes effect with the next character; knobs that do not fit the lanes change nothing."""
    mine = _open.get(tell)
    if mine is None:
        return
    if len(question.knobs) == len(mine.knobs) and not any(map(_problem, question.knobs)):
        mine.knobs = list(question.knobs)
    mine.held = question.held
    mine.changed.set()


async def close_lanes(question: CloseLanes, subject: Subject, tell: Tell) -> None:
    """Their models are let go of."""
    mine = _open.get(tell)
    if mine is not None:
        mine.closed = True
        mine.changed.set()


async def list_for_lanes(question: ListCheckpoints, subject: Subject, tell: Tell) -> None:
    """Answers once the run has its folder."""
    await subject.examiner.work(lambda _: None)
    assert subject.folder is not None
    await tell(await asyncio.to_thread(_listed, subject.folder))


def _require(question: OpenLanes) -> None:
    if not 1 <= len(question.lanes) <= MOST_LANES:
        raise UsageError(f"There can be 1 to {MOST_LANES} lanes, not {len(question.lanes)}.")
    if len(question.prime) > LONGEST_PRIME:
        raise UsageError(f"Lanes start from {LONGEST_PRIME:,} characters at most; shorten the prime.")
    for wish in question.lanes:
        problem = _problem(wish.knobs) or range_problem("seed", wish.seed)
        if problem:
            raise UsageError(f"A lane's settings cannot be: {problem}.")


def _problem(knobs: Knobs) -> str | None:
    found = ((name, range_problem(name, value)) for name, value in asdict(knobs).items())
    return next((f"{name.replace('_', '-')} {problem}" for name, problem in found if problem), None)


async def _opened(question: OpenLanes, subject: Subject, tell: Tell) -> Writing | None:
    """The lanes that can be written, once the client has been told which; None where there are none."""
    loaded: dict[tuple[str, str], SavedModel | str] = {}
    room = MOST_BYTES
    await subject.examiner.work(lambda _: None)  # until there is a model, and so a folder
    for wish in question.lanes:
        kind = (wish.run, wish.checkpoint)
        if kind in loaded or kind == ("", ""):
            continue
        try:
            place = _place(subject, wish)
            found, size = await subject.examiner.work(partial(_load, place, wish.checkpoint, room))
        except UsageError as error:
            loaded[kind] = _sendable(str(error))
        except (OSError, MemoryError) as error:
            loaded[kind] = _sendable(f"The weights cannot be read: {error}.")
        else:
            loaded[kind], room = found, room - size
    losses = {kind: _loss(subject, kind, found) for kind, found in loaded.items()}
    writing, lanes = await subject.examiner.work(lambda examined: _begin(question, examined, loaded, losses))
    await tell(LanesOpened(question.number, lanes))
    return writing


def _place(subject: Subject, wish: LaneWish) -> Path:
    """The folder of the wish's run. Raises UsageError for what is no run of the folder of runs."""
    folder = subject.folder
    assert folder is not None
    if not wish.run:
        return folder
    if wish.run in (".", "..") or Path(wish.run).name != wish.run or "\0" in wish.run:
        raise UsageError(f"There is no run {wish.run[:80]!r} beside this one; choose one of the list.")
    return folder.parent / wish.run


def _load(run: Path, which: str, room: int, _: Examined) -> tuple[SavedModel, int]:
    """The model and the bytes of its weights. Raises UsageError, also where there is no room left for them."""
    from charrnn.sampling.saved_model import load_model

    which = which or "last"
    size = read_manifest(choose_checkpoint(run, which).path).files.model.bytes
    if size > room:
        raise UsageError(f"All lanes' weights together may take {MOST_BYTES >> 20} MB; choose fewer runs.")
    return load_model(run, which), size


def _loss(subject: Subject, kind: tuple[str, str], found: SavedModel | str) -> float | None:
    """The held-out loss of a checkpoint, as its manifest has it."""
    if isinstance(found, str):
        return None
    with contextlib.suppress(UsageError):
        return choose_checkpoint(_place(subject, LaneWish(Knobs(), 0, *kind)), str(found.step)).val_loss
    return None


def _begin(
    question: OpenLanes,
    examined: Examined,
    loaded: dict[tuple[str, str], SavedModel | str],
    losses: dict[tuple[str, str], float | None],
) -> tuple[Writing | None, list[LaneOpened]]:
    from charrnn.engine.answering.lanes_writing import begin

    return begin(question, examined, loaded, losses)


async def _write(writing: Writing, mine: _Open, number: int, subject: Subject, tell: Tell) -> None:
    """At the stream's pace, until they are closed."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while not mine.closed:
        pace = min(subject.board.status.pace, MOST_PACE)
        still = mine.held or pace <= 0
        if not mine.changed.is_set() and (still or due > loop.time()):
            wait = TURN_SECONDS if still else min(TURN_SECONDS, due - loop.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(mine.changed.wait(), None if mine.held else wait)
            continue
        mine.changed.clear()
        if still:
            due = loop.time()
            continue
        wanted = max(1, round(pace * TURN_SECONDS))
        piece = partial(writing.write, knobs=mine.knobs, wanted=wanted)
        step, made, pieces = await subject.examiner.work(piece)
        due = max(due, loop.time() - TURN_SECONDS) + made / pace
        await tell(LanesText(number, step, pieces))


def _sendable(text: str) -> str:
    """Without what a file's name may have that is no character."""
    return text.encode("utf-8", "replace").decode()


def _listed(folder: Path) -> CheckpointsListed:
    own = [SavedStep(saved.step, saved.val_loss) for saved in list_checkpoints(folder)]
    runs: list[OtherRun] = []
    for place in places(folder.parent):
        if place.path.name == folder.name or len(runs) == MOST_RUNS or _sendable(place.name) != place.name:
            continue
        with contextlib.suppress(UsageError, OSError):
            if checkpoint_folders(place.path):
                found = glance(place.path)
                runs.append(OtherRun(place.name, found.config.corpus.name, found.best, found.best_step))
    return CheckpointsListed(own, runs)

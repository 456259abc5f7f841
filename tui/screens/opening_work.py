"""What the opening screen does off the event loop: looking at runs and texts, estimating, measuring."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from charrnn.config import Device, UsageError
from charrnn.engine.machine import cores, may_have_gpu
from charrnn.picks import Value
from charrnn.runs import directory
from charrnn.runs.glance import Glance, Holdings, Place, glance, holdings, places
from charrnn.text.builtin import BUILT_IN
from tui.completion import Candidate, candidates, is_settled
from tui.screens.opening_runs import Seen

if TYPE_CHECKING:
    from charrnn.engine.estimates import Estimate, Speeds
    from charrnn.text.preview import Look

T = TypeVar("T")

_AT_ONCE = 6
"""Runs that are read between two looks at the keyboard."""


async def aside(work: Callable[..., T], *arguments: object) -> T:
    """What `work` returns or raises, from a thread that the end of the program does not wait for: a disk may hang."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if not done.done():
            if error is None:
                done.set_result(cast("T", result))
            else:
                done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work(*arguments)
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="opening").start()
    return await done


def read_places(folder: Path) -> list[Place]:
    """The runs in the folder, by name and time."""
    return places(folder)


def read_holdings(path: Path) -> Holdings:
    """What a run has on the disk."""
    return holdings(path)


async def read_all(found: Sequence[Place]) -> AsyncIterator[dict[Path, Seen]]:
    """The runs at a glance, a few at a time, in their order."""
    for begin in range(0, len(found), _AT_ONCE):
        yield await aside(_read_some, found[begin : begin + _AT_ONCE])


def _read_some(found: Iterable[Place]) -> dict[Path, Seen]:
    seen: dict[Path, Seen] = {}
    for place in found:
        try:
            seen[place.path] = glance(place.path)
        except UsageError as error:
            seen[place.path] = str(error)
        except (OSError, ValueError, ArithmeticError) as error:
            seen[place.path] = f"{place.path} cannot be read: {error}."
    return seen


async def states_of(live: list[Path]) -> dict[Path, str]:
    """How live runs say that they stand; one that does not answer is left out."""
    from charrnn.engine.asking import standings

    return {path: standing.state for path, standing in (await standings(live)).items()}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a path found: the text or a problem, what the path may become, what the run would be called."""

    target: str | None = None
    look: Look | None = None
    problem: str = ""
    found: list[Candidate] = field(default_factory=list)
    run_name: str = ""
    name_problem: str = ""


def look_for(
    target: str, listing: str | None, recent: Sequence[tuple[str, str]], folder: Path, wanted: str = ""
) -> Looked:
    """Looks at `target`, and at what `listing` may become; `wanted` is the name that the run is to have, if any."""
    from charrnn.text.preview import look_at

    found = candidates(listing, recent) if listing is not None and not is_settled(listing) else []
    if not target:
        return Looked(target, None, "Which text? Type a path, or choose with ↓.", found)
    try:
        if target not in BUILT_IN and os.path.isfile(Path(target).expanduser() / directory.CONFIG):
            raise UsageError(f"{target} is a run; open it in the list of runs.")
        look = look_at(target)
    except UsageError as error:
        return Looked(target, None, str(error), found)
    except (OSError, ValueError, RuntimeError) as error:  # a home that nobody has, a NUL
        return Looked(target, None, f"{target} cannot be read: {error}.", found)
    try:
        place = directory.new_place(look.name, wanted or None, folder)
    except UsageError as error:
        return Looked(target, look, "", found, "", str(error))
    return Looked(target, look, "", found, place.name)


def _joined(*speeds: Speeds) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for some in speeds:
        for key, speed in some.items():
            found.setdefault(key, []).append(speed)
    return found


class Estimator:
    """What presets mean for a text here: from the settings, from earlier runs, and from a short measurement.

    `changed` is called when a measurement brought news. Nothing is measured before `may_measure`.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.found: list[Estimate] = []
        self.problem = ""
        self.devices: list[str] = ["cpu"]
        self.may_measure = False
        self.measuring = False
        self.recent: list[tuple[str, str]] = []
        self._changed = changed
        self._speeds: Speeds | None = None
        self._from_runs: Speeds = {}
        self._tried: set[str] = set()
        self._asked_devices = not may_have_gpu()
        self._look: Look | None = None
        self._options: dict[str, Value] = {}

    def learn(self, found: Sequence[Place], seen: Mapping[Path, Seen]) -> None:
        """Takes speeds and texts from the runs that were read, the newest first."""
        from charrnn.engine.estimates import speed_key

        texts: dict[str, str] = {}
        for place in sorted(found, key=lambda place: place.age):
            run = seen.get(place.path)
            if not isinstance(run, Glance):
                continue
            texts.setdefault(run.config.corpus.source, f"text of {place.name}")
            if run.speed:
                key = speed_key(run.config.model, run.config.training)
                self._from_runs[key] = max((run.speed, f"as in {place.name}"), self._from_runs.get(key, (0.0, "")))
        self.recent = [(text, remark) for text, remark in texts.items() if not text.startswith(os.devnull)]

    def estimate(self, look: Look | None, options: dict[str, Value]) -> None:
        """What the presets mean for that text with those options, into `found`; or `problem`."""
        self._look, self._options = look, options
        self.found, self.problem = [], ""
        if look is None:
            return
        from charrnn.engine import estimates

        if self._speeds is None:
            self._speeds = estimates.kept_speeds()
        # What else the machine did made some runs slower; none was faster than it can.
        known = {key: max(pairs) for key, pairs in _joined(self._speeds, self._from_runs).items()}
        others = {name: value for name, value in options.items() if name != "preset"}
        try:
            self.found = estimates.estimates(look, others, device=self._device(), cores=cores(), speeds=known)
        except UsageError as error:
            self.problem = str(error)

    def _device(self) -> Device:
        wanted = str(self._options.get("device", "auto"))
        if wanted == "auto":
            wanted = "cuda" if "cuda" in self.devices else "cpu"
        return cast(Device, wanted)

    @property
    def should_measure(self) -> bool:
        """Whether there is something to measure that has not been tried, and nothing is being measured."""
        return self.may_measure and not self.measuring and (not self._asked_devices or bool(self._unknown()))

    def _unknown(self) -> list[Estimate]:
        return [one for one in self.found if one.speed is None and self._key(one) not in self._tried]

    @staticmethod
    def _key(one: Estimate) -> str:
        from charrnn.engine.estimates import speed_key

        return speed_key(one.config.model, one.config.training)

    async def measure(self, *, busy: bool) -> None:
        """Measures what is not known; where the machine is `busy` training, the figures are not kept for later."""
        from charrnn.engine.estimates import measure

        self.measuring = True
        try:
            while self.should_still:
                unknown = self._unknown() if self._asked_devices else []
                self._asked_devices = True
                self._tried |= {self._key(one) for one in unknown}
                self._changed()
                async with aclosing(measure(unknown)) as said:
                    async for news in said:
                        self._hear(news, busy=busy)
        except OSError:
            pass
        finally:
            self.measuring = False
        self._changed()

    @property
    def should_still(self) -> bool:
        """Whether there is more to measure."""
        return not self._asked_devices or bool(self._unknown())

    def _hear(self, news: list[str] | tuple[str, float], *, busy: bool) -> None:
        if isinstance(news, list):
            self.devices = news
        else:
            key, speed = news
            if self._speeds is not None:
                self._speeds[key] = (speed, "measured beside a run" if busy else "measured")
            if not busy:
                from charrnn.engine.estimates import keep_speed

                keep_speed(key, speed)
        self.estimate(self._look, self._options)
        self._changed()

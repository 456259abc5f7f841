"""What a promise is, how often it is tried, and what came of it. A module here with PROMISES is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """So many times tried; `broken` has a sentence for each time that it was not kept, `measured` what was seen."""

    tried: int
    measured: str = ""
    broken: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        return self.tried - len(self.broken)


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the table: `often` times in the table, `few` times in the tests' command.

    `keep(times, folder, seed)` tries it in an empty folder of its own and leaves no process behind; the same seed
    chooses the same moments and places.
    """

    row: int
    name: str
    figure: str
    often: int
    few: int
    keep: Callable[[int, Path, int], Outcome]


def promises() -> list[Promise]:
    """Every promise that a module of this folder makes, in the table's order."""
    here = importlib.import_module(__package__)
    modules = [importlib.import_module(f"{__package__}.{found.name}") for found in pkgutil.iter_modules(here.__path__)]
    return sorted((p for module in modules for p in getattr(module, "PROMISES", ())), key=lambda p: (p.row, p.name))

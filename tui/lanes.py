"""Which lanes there are to be: what tells them apart, and how a key changes that. Pure: no widget, no engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from msgspec.structs import replace as with_

from charrnn.config import Knobs
from charrnn.engine.questions.lanes import MOST_LANES, LaneOpened, LaneWish
from tui.terminal import safe_line
from tui.turning import HIGHEST_TEMPERATURE, LEAST_TEMPERATURE

Varies = Literal["temperature", "seed", "weights"]
TEMPERATURES = (0.4, 0.8, 1.2)
SEEDS_AT_FIRST = 3
WARMER_BY = 0.4
"""How much higher the temperature of a lane is that is added."""
SAME = "Every lane writes on from the same prime, in step; only what its title names is different. "
EXPLANATION: dict[Varies, str] = {
    "temperature": "A cold lane takes the likeliest character and repeats itself, a hot one takes chances and makes "
    "words up.",
    "seed": "Here only the dice differ: where lanes soon part the model was unsure, where they agree it was not.",
    "weights": "Here the weights differ: an early checkpoint knows letters, a later one words, the best one sentences.",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The lanes that are wished for; `varies` is what their titles name."""

    varies: Varies
    prime: str
    wishes: tuple[LaneWish, ...]

    @property
    def explained(self) -> str:
        """Two sentences for one who sees lanes for the first time."""
        return SAME + EXPLANATION[self.varies]

    # ---- what a key makes of it ------------------------------------------------------------------------------

    def with_one_more(self, at: int) -> Plan:
        """One more at the end, like the lane `at` but warmer, or under the next seed."""
        wish = self.wishes[at]
        if self.varies == "temperature":
            warmest = max(one.knobs.temperature for one in self.wishes)
            coldest = min(one.knobs.temperature for one in self.wishes)
            wanted = round(warmest + WARMER_BY, 2)
            if wanted > HIGHEST_TEMPERATURE:
                wanted = max(LEAST_TEMPERATURE, round(coldest / 2, 2))
            wish = with_(wish, knobs=replace(wish.knobs, temperature=wanted, greedy=False))
        else:
            wish = with_(wish, seed=max(one.seed for one in self.wishes) + 1)
        return replace(self, wishes=(*self.wishes, wish)[:MOST_LANES])

    def without(self, at: int) -> Plan:
        """Without the lane `at`; the last one stays."""
        left = (*self.wishes[:at], *self.wishes[at + 1 :])
        return replace(self, wishes=left or self.wishes)

    def with_new_seeds(self) -> Plan:
        """All under seeds that none of them has had; equal ones stay equal."""
        seeds = [wish.seed for wish in self.wishes]
        by = max(seeds) - min(seeds) + 1
        return replace(self, wishes=tuple(with_(wish, seed=wish.seed + by) for wish in self.wishes))

    def with_knobs(self, at: int, knobs: Knobs) -> Plan:
        """Other knobs for the lane `at`."""
        wishes = list(self.wishes)
        wishes[at] = with_(wishes[at], knobs=knobs)
        return replace(self, wishes=tuple(wishes))

    # ---- titles ----------------------------------------------------------------------------------------------

    def name(self, at: int) -> str:
        """What tells the lane `at` from the others."""
        wish = self.wishes[at]
        if self.varies == "temperature":
            return wish.knobs.in_brief
        if self.varies == "seed":
            return f"seed {wish.seed}"
        return _weights(wish)

    def rest(self, at: int, opened: LaneOpened | None, live_step: int, loss: str) -> list[str]:
        """What else is to be said of it, the most important first. `loss` is that of its weights, "" for unknown."""
        wish = self.wishes[at]
        step = "" if opened is None else f"step {live_step if opened.live else opened.step:,}"
        if self.varies == "weights":
            same = len({one.knobs for one in self.wishes}) == 1
            named = bool(not wish.run and wish.checkpoint.isdigit())
            return [part for part in ("" if named else step, loss, "" if same else wish.knobs.in_brief) if part]
        named = self.varies == "seed"
        return [part for part in (wish.knobs.in_brief if named else "", step, loss) if part]


def _weights(wish: LaneWish) -> str:
    if wish.run:
        return safe_line(wish.run)
    if not wish.checkpoint:
        return "live"
    return f"step {int(wish.checkpoint):,}" if wish.checkpoint.isdigit() else safe_line(wish.checkpoint)


def by_temperature(knobs: Knobs, seed: int, prime: str, temperatures: Sequence[float] = TEMPERATURES) -> Plan:
    """The live model at these temperatures, its other knobs as they are."""
    knobs = replace(knobs, greedy=False)
    wishes = tuple(LaneWish(replace(knobs, temperature=one), seed) for one in temperatures)
    return Plan("temperature", prime, wishes)


def by_seed(knobs: Knobs, seed: int, prime: str) -> Plan:
    """The live model under several seeds."""
    return Plan("seed", prime, tuple(LaneWish(knobs, seed + number) for number in range(SEEDS_AT_FIRST)))


def by_weights(knobs: Knobs, seed: int, prime: str, chosen: Sequence[tuple[str, str]]) -> Plan:
    """These runs and checkpoints, as `LaneWish` names them."""
    return Plan("weights", prime, tuple(LaneWish(knobs, seed, *one) for one in chosen[:MOST_LANES]))

"""What the keys make of knobs: a step warmer, the next top-k, the next of min-p and top-p."""

from __future__ import annotations

from dataclasses import replace

from charrnn.config import Knobs

TOP_KS = (0, 40, 20, 10, 5, 3, 1)
NUCLEUS = (
    (0.0, 1.0),
    (0.02, 1.0),
    (0.05, 1.0),
    (0.1, 1.0),
    (0.2, 1.0),
    (0.0, 0.95),
    (0.0, 0.9),
    (0.0, 0.8),
    (0.0, 0.5),
)
"""(min-p, top-p) in the order in which the key goes through them."""
LEAST_TEMPERATURE, HIGHEST_TEMPERATURE, TEMPERATURE_STEP = 0.05, 2.0, 0.05


def warmer(knobs: Knobs, steps: int) -> Knobs:
    """The temperature so many steps higher (fewer than none: lower), within its bounds; greedy is over."""
    number = round(knobs.temperature / TEMPERATURE_STEP) + steps
    temperature = min(max(round(number * TEMPERATURE_STEP, 2), LEAST_TEMPERATURE), HIGHEST_TEMPERATURE)
    return replace(knobs, temperature=temperature, greedy=False)


def with_next_top_k(knobs: Knobs) -> Knobs:
    """The next smaller of `TOP_KS`; after the smallest, off."""
    smaller = [k for k in TOP_KS[1:] if k < knobs.top_k]
    return replace(knobs, top_k=(smaller[0] if smaller else 0) if knobs.top_k else TOP_KS[1])


def with_next_nucleus(knobs: Knobs) -> Knobs:
    """The next of `NUCLEUS`."""
    here = (knobs.min_p, knobs.top_p)
    place = NUCLEUS.index(here) + 1 if here in NUCLEUS else 0
    min_p, top_p = NUCLEUS[place % len(NUCLEUS)]
    return replace(knobs, min_p=min_p, top_p=top_p)

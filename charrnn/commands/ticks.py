"""Round numbers for the axes of charts."""

from __future__ import annotations

import math

_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)
_DAY = 86_400


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from `low` to `high`: at most about so many, at steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / max(1, about)
    if not 0 < raw < math.inf:
        return []
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((power * factor for factor in (1, 2, 5) if power * factor >= raw * 0.999), power * 10)
    return _multiples(low, high, step)


def time_ticks(low: float, high: float, about: int) -> list[float]:
    """The same for seconds: at round seconds, minutes, hours or days."""
    raw = (high - low) / max(1, about)
    if raw > _TIMES[-1]:
        return [day * _DAY for day in ticks(low / _DAY, high / _DAY, about)]
    return ticks(low, high, about) if raw < 1 else _multiples(low, high, next(t for t in _TIMES if t >= raw))


def log_ticks(low: float, high: float, about: int) -> list[float]:
    """Where `low` and `high` are logarithms to ten: 1, 2, 5 and their tenfolds, or round numbers in a narrow range."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    if len(powers) > 2 * about:
        return [10.0**power for power in powers if low <= power <= high and power % (len(powers) // about) == 0]
    found = [
        factor * 10.0**power
        for power in powers
        for factor in (1, 2, 5)
        if low <= math.log10(factor * 10.0**power) <= high
    ]
    return found if len(found) >= 3 else [value for value in ticks(10**low, 10**high, about) if value > 0]


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]

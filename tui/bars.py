"""Numbers as bars: a row of them, or an area over several rows."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def spread(values: Sequence[float], columns: int) -> list[float]:
    """The values as exactly `columns` numbers from 0 (the lowest) to 1; none where there are no values."""
    if not values or columns < 1:
        return []
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    chosen = []
    for column in range(columns):
        begin = column * len(values) // columns
        part = values[begin : max(begin + 1, (column + 1) * len(values) // columns)]
        chosen.append((sum(part) / len(part) - low) / span)
    return chosen


def bars(values: Sequence[float], columns: int) -> str:
    """One row; the lowest value is the lowest bar."""
    return "".join(_EIGHTHS[1 + min(7, int(height * 8))] for height in spread(values, columns))


def area(values: Sequence[float], columns: int, rows: int) -> list[str]:
    """`rows` rows, from the top; what lies below the curve is filled."""
    heights = [1 + round(height * (8 * rows - 1)) for height in spread(values, columns)]
    found = []
    for row in range(rows):
        below = 8 * (rows - 1 - row)
        found.append("".join(_EIGHTHS[min(8, max(0, height - below))] for height in heights))
    return found

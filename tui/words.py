"""Amounts in few words: bytes, spans of time."""

from __future__ import annotations


def size_in_words(count: float) -> str:
    """Bytes as "812 B", "1.2 MB", "34 GB"."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= 0.9995 * size:
            return f"{count / size:.1f} {unit}" if count < 9.95 * size else f"{count / size:,.0f} {unit}"
    return f"{count:.0f} B"


def span_in_words(seconds: float) -> str:
    """A span of time that is about so long: "8 s", "1.4 min", "12 min", "3.2 h", "4 d"."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 0.995 * size:
            return f"{seconds / size:.1f} {unit}" if seconds < 9.95 * size else f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"

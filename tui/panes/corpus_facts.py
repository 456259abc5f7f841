"""What is known of a corpus, as it stands above its text."""

from __future__ import annotations

from rich.style import Style

from charrnn.engine.messages import BaselinesFound, CorpusInfo
from charrnn.text.baselines import named, part_in_words
from tui import palette
from tui.terminal import cut, fit, safe_line, width

Line = tuple[str, Style]

FEW_ROWS = 9
"""Rows of text below which what is known of the corpus is told in brief."""
FEWEST_ROWS = 5
"""Rows of text below which one of them has to do for that."""
LEAST_ALPHABET = 24
MORE = "… a: all"
"""How an alphabet ends that is cut off: the key that shows the rest."""


def baselines_line(found: BaselinesFound | None) -> str:
    """What a held-out loss is to be measured against: rows break between two figures, never inside one."""
    if found is None:
        return "to beat: measured in a while"
    if found.figures is None:
        return f"to beat: no figures, {safe_line(found.problem)}"
    words = " · ".join(f"{name}\u00a0{loss:.2f}" for name, loss in named(found.figures))
    part = part_in_words(found.figures)
    return f"to beat: {words} nats per character" + (f" ({part})" if part else "")


def fact_lines(info: CorpusInfo, found: BaselinesFound | None, columns: int, rows: int = 99) -> list[Line]:
    """What stands above the text, not yet wrapped; where there are few rows, in brief."""
    held_out = info.characters - info.held_out_at
    share = held_out / max(1, info.characters)
    facts = f"{info.characters:,} characters, {info.symbols}"
    note = safe_line(info.note)
    note_style = palette.WARNING if "undecodable" in note else palette.QUIET
    if rows < FEW_ROWS:
        facts += f", {share:.0%} held out" if held_out else ", nothing held out"
        brief = f"{facts}; {note}" if note else facts
        return [(fit(brief, columns), note_style)] if rows < FEWEST_ROWS else [(brief, note_style), ("", palette.PLAIN)]
    if held_out:
        facts += f"; held out from character {info.held_out_at:,} ({share:.0%})"
    else:
        facts += "; nothing held out, so no loss to beat"
    lines: list[Line] = [(facts, palette.PLAIN)]
    if held_out:
        lines.append((baselines_line(found), palette.ACCENT if found and found.figures else palette.QUIET))
    # The space is shown as a glyph: it is a symbol like the others, and the row is not to be wrapped at it.
    alphabet = safe_line(info.alphabet).replace(" ", "␣")
    room = columns - width(note) - 3
    if alphabet and note and room >= LEAST_ALPHABET:
        lines.append((f"{note} · {fitted(alphabet, room, MORE)}", note_style))
    else:
        lines += [(note, note_style)] if note else []
        lines += [(fitted(alphabet, columns, MORE), palette.QUIET)] if alphabet else []
    return [*lines, ("", palette.PLAIN)]


def fitted(text: str, columns: int, ending: str) -> str:
    """A safe line in so many cells; where it is cut it ends with some words instead."""
    if width(text) <= columns:
        return text
    return text[: cut(text, columns - width(ending))] + ending if width(ending) < columns else fit(text, columns)

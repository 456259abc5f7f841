"""The corpus: its size, its alphabet, how it begins and how its held-out part begins."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events

from charrnn.engine.messages import BaselinesFound, CorpusInfo
from charrnn.text.baselines import named, part_in_words
from tui import palette
from tui.panes.frame import Pane, Part
from tui.panes.rows import Rows
from tui.terminal import safe, safe_line, wrap

Line = tuple[str, Style]


class CorpusText(Rows):
    def __init__(self) -> None:
        super().__init__(id="corpus-text")
        self._info: CorpusInfo | None = None
        self._baselines: BaselinesFound | None = None
        self._rows: list[Line] = [("reading the corpus…", palette.QUIET)]

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Sequence[Line]:
        return [self._rows[number]]

    def show(self, info: CorpusInfo) -> None:
        self._info = info
        self._wrap()

    def show_baselines(self, found: BaselinesFound) -> None:
        self._baselines = found
        self._wrap()

    def on_resize(self, event: events.Resize) -> None:
        self._wrap()

    def _wrap(self) -> None:
        if self._info is None:
            return
        columns = self.text_columns
        rows: list[Line] = []
        for text, style in corpus_lines(self._info, self._baselines, columns):
            rows += [(row, style) for row in wrap(text, columns)]
        self._rows = rows
        self.top = min(self.top, self.last_top)
        self.refresh()


def baselines_line(found: BaselinesFound | None) -> str:
    """What a held-out loss is to be measured against: rows break between two figures, never inside one."""
    if found is None:
        return "to beat: measured in a while"
    if found.figures is None:
        return f"to beat: no figures, {safe_line(found.problem)}"
    words = " · ".join(f"{name}\u00a0{loss:.2f}" for name, loss in named(found.figures))
    part = part_in_words(found.figures)
    return f"to beat: {words} nats per character" + (f" ({part})" if part else "")


def corpus_lines(info: CorpusInfo, found: BaselinesFound | None, columns: int) -> list[Line]:
    """The pane's text, not yet wrapped."""
    held_out = info.characters - info.held_out_at
    facts = f"{info.characters:,} characters, {info.symbols}"
    if held_out:
        facts += f"; held out from character {info.held_out_at:,} ({held_out / max(1, info.characters):.0%})"
    else:
        facts += "; nothing held out, so no loss to beat"
    lines: list[Line] = [(facts, palette.PLAIN)]
    if held_out:
        lines.append((baselines_line(found), palette.ACCENT if found and found.figures else palette.QUIET))
    if info.note:
        lines.append((safe_line(info.note), palette.QUIET))
    # The space is shown as a glyph: it is a symbol like the others, and the row is not to be wrapped at it.
    alphabet = safe_line(info.alphabet).replace(" ", "␣")
    lines += [(alphabet, palette.QUIET)] if alphabet else []
    lines += [("", palette.PLAIN), (safe(info.head), palette.PLAIN)]
    if held_out:
        if len(info.head) < info.held_out_at:
            lines.append((f"… {info.held_out_at - len(info.head):,} characters more …", palette.QUIET))
        label = f"── held out from character {info.held_out_at:,} "
        lines += [
            ("", palette.PLAIN),
            (label + "─" * max(2, columns - len(label)), palette.ACCENT),
            (safe(info.held_out_head), palette.PLAIN),
        ]
    return lines


class CorpusPane(Pane):
    def __init__(self) -> None:
        self.text = CorpusText()
        super().__init__("Corpus", self.text, id="corpus")

    def show_corpus(self, info: CorpusInfo) -> None:
        self.text.show(info)
        self.upper.show([Part(self.title, palette.STRONG)], [Part(safe_line(info.name), palette.ACCENT, 2)])

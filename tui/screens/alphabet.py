"""The corpus's symbols with their names and counts: what the model can write at all, and how often it has read it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from charrnn.engine.corpus_messages import SymbolCount, SymbolsCounted
from tui import palette
from tui.panes.frame import Pane, Part
from tui.panes.rows import Rows
from tui.screens.covering import Covering
from tui.terminal import fit, pad, safe_line, width

Row = list[tuple[str, Style]]

CONTROLS = {
    "\n": "line break",
    "\t": "tab",
    "\r": "carriage return",
    " ": "space",
    "\f": "page break",
    "\x1b": "escape",
}
LEAST_BAR = 6


def symbol_name(symbol: SymbolCount, unit: str) -> str:
    """What a symbol is called, where its glyph does not say it: "" for letters and digits of ASCII, and for words."""
    if unit == "byte" and symbol.number >= 0x80:
        return _byte_name(symbol.number)
    if unit == "word" and len(symbol.text) > 1:
        return ""
    if symbol.text.isascii() and symbol.text.isalnum():
        return ""
    unnamed = "control character" if unicodedata.category(symbol.text) == "Cc" else "no name"
    return CONTROLS.get(symbol.text) or unicodedata.name(symbol.text, unnamed).lower()


def _byte_name(byte: int) -> str:
    if byte < 0xC0:
        return "continues a character"
    if not 0xC2 <= byte < 0xF5:
        return "in no text"
    return f"begins a character of {2 + (byte >= 0xE0) + (byte >= 0xF0)} bytes"


def symbol_code(symbol: SymbolCount, unit: str) -> str:
    """Its code point, or the byte; "" for a word."""
    if unit == "byte":
        return f"0x{symbol.number:02X}"
    return f"U+{ord(symbol.text):04X}" if len(symbol.text) == 1 else ""


def glyph(symbol: SymbolCount, unit: str) -> str:
    """The symbol made visible on one line."""
    if unit == "byte" and symbol.number >= 0x80:
        return f"{symbol.number:02x}"
    return safe_line(symbol.text).replace(" ", "␣")


def symbol_rows(counted: SymbolsCounted, columns: int, *, by_number: bool) -> list[Row]:
    """A head and a row a symbol: glyph, name, code, count, share, bar; what does not fit is left out from the right."""
    symbols = sorted(counted.symbols, key=lambda symbol: symbol.number) if by_number else counted.symbols
    unit, total = counted.unit, max(1, counted.tokens)
    most = max((symbol.count for symbol in symbols), default=0)
    counts = max(5, len(f"{most:,}"))
    glyphs = min(24, max([6, *(width(glyph(symbol, unit)) for symbol in symbols)]))
    codes = 6 if unit == "byte" else 9
    fixed = glyphs + 1 + codes + counts + 9
    names = min(36, max(0, columns - fixed - 2 * LEAST_BAR)) if columns - fixed >= 12 + LEAST_BAR else 0
    bars = columns - fixed - names - 2
    head = pad("symbol", glyphs + 1) + pad("name" if names else "", names) + pad("code", codes)
    rows: list[Row] = [[(head + f"{'count':>{counts}}{'share':>9}", palette.QUIET)]]
    for symbol in symbols:
        share = symbol.count / total
        length = round(bars * symbol.count / most) if most else 0
        bar = "━" * length or ("·" if symbol.count else "")
        name = pad(fit(symbol_name(symbol, unit), names - 1), names) if names else ""
        rows.append(
            [
                (pad(fit(glyph(symbol, unit), glyphs), glyphs + 1), palette.STRONG),
                (name + pad(symbol_code(symbol, unit), codes), palette.QUIET),
                (f"{symbol.count:>{counts},}", palette.PLAIN if symbol.count else palette.WARNING),
                (f"{100 * share:>7.2f} %" if symbol.count else "    never", palette.PLAIN),
                ("  " + bar if bars >= LEAST_BAR else "", palette.ACCENT),
            ]
        )
    return rows


class Symbols(Rows):
    def __init__(self) -> None:
        super().__init__(id="symbols")
        self.counted: SymbolsCounted | None = None
        self.by_number = False
        self._rows: list[Row] = []

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        return self._rows[number]

    def draw(self) -> None:
        """Makes the rows anew: there is something else to show, or another width."""
        counted = self.counted
        if counted is None or not counted.symbols:
            self._rows = [[(f"counting the corpus's symbols: {counted.share if counted else 0:.0%}", palette.QUIET)]]
        else:
            self._rows = symbol_rows(counted, self.text_columns, by_number=self.by_number)
        self.top = min(self.top, self.last_top)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.draw()


class AlphabetScreen(Covering[None]):
    AUTO_FOCUS = "#symbols"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,a,q", "close", "Close the alphabet", show=False),
        Binding("s", "sort", "Sort by count or by code", show=False),
    ]

    def __init__(self, corpus: str) -> None:
        super().__init__()
        self._corpus = corpus
        self._symbols = Symbols()
        self._pane = Pane("Alphabet", self._symbols, id="alphabet")

    def compose(self) -> ComposeResult:
        self._pane.upper.show([Part("Alphabet", palette.STRONG)], [Part(safe_line(self._corpus), palette.ACCENT, 2)])
        self._show_lower()
        yield self._pane

    def show(self, counted: SymbolsCounted) -> None:
        """What is known of the counts."""
        self._symbols.counted = counted
        self._symbols.draw()
        self._show_lower()

    def _show_lower(self) -> None:
        order = "s by count" if self._symbols.by_number else "s by number"
        keys = [Part("esc closes", palette.PLAIN, 1), Part(order, palette.QUIET, 3)]
        counted = self._symbols.counted
        if counted is None or not counted.symbols:
            self._pane.lower.show(keys, [])
            return
        unit = f"{counted.unit}s"
        summary = f"{counted.distinct:,} of {counted.known:,} {unit} occur, {counted.tokens:,} in all"
        if len(counted.symbols) < counted.known:
            summary = f"the commonest {len(counted.symbols):,}; {summary}"
        self._pane.lower.show(keys, [Part(summary, palette.PLAIN, 2, f"{counted.distinct:,} of {counted.known:,}")])

    def action_sort(self) -> None:
        self._symbols.by_number = not self._symbols.by_number
        self._symbols.top = 0
        self._symbols.draw()
        self._show_lower()

    def action_close(self) -> None:
        self.dismiss()

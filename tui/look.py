"""How lines look on this terminal: the theme's colours and, where there is no UTF-8, other glyphs.

The one place for both: a filter over every line that any widget makes. Widgets use palette.py and draw with Unicode.
Where that is what the terminal gets anyway, there is no filter and no work.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.color import Color as RichColour
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from tui.glyphs import UTF_8, stand_ins
from tui.themes import ROLES, Depth, colours

_NO_STYLE = Style()


class Look(LineFilter):
    """The filter for a theme, a number of colours and a character set."""

    def __init__(self, theme: str, depth: Depth, charset: str) -> None:
        """`charset` is what the terminal can show: UTF_8 for everything, else see glyphs.py."""
        super().__init__()
        chosen = colours(theme, depth)
        self.theme, self.depth, self.charset = theme, depth, charset
        self._roles = {colour: Style.parse(chosen.of(role)) for colour, role in ROLES.items()}
        self._ground = Style(color=chosen.text or None, bgcolor=chosen.ground or None)
        self._colourless = depth == "none"
        self._styles: dict[Style, Style] = {}
        self._as_it_is = theme == "auto" and depth in ("truecolor", "256")

    def filters(self) -> Sequence[LineFilter]:
        """What the lines go through: nothing, where this filter would change nothing."""
        return () if self._as_it_is and self.charset == UTF_8 else (self,)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of one line as the terminal gets them; neighbours that look alike are one, to save bytes."""
        made: list[Segment] = []
        for text, style, control in segments:
            if self.charset != UTF_8:
                text = stand_ins(text, self.charset, strong=bool(style and style.bold))
            if not self._as_it_is:
                style = self.styled(style or _NO_STYLE)
            if made and control is None and made[-1].control is None and made[-1].style == style:
                made[-1] = Segment(made[-1].text + text, style)
            else:
                made.append(Segment(text, style, control))
        return made

    def styled(self, style: Style) -> Style:
        """A style of the palette, or of Textual's own widgets, in this look."""
        made = self._styles.get(style)
        if made is None:
            if len(self._styles) > 2_000:
                self._styles.clear()
            made = self._styles[style] = self._make(style)
        return made

    def _make(self, style: Style) -> Style:
        attributes = style.without_color if style.color or style.bgcolor else style
        made = self._ground + attributes + self._meant(style.color)
        behind = style.bgcolor
        if behind is None or behind.is_default:
            return made
        meant = self._meant(behind)
        if self._colourless or meant.color is None:
            return made + Style(reverse=True)
        return made + Style(bgcolor=meant.color)

    def _meant(self, colour: RichColour | None) -> Style:
        """What stands for a colour of the palette; another colour stays, where there are colours."""
        if colour is None or colour.is_default:
            return _NO_STYLE
        role = self._roles.get(colour.triplet.hex) if colour.triplet else None
        if role is not None:
            return role
        return _NO_STYLE if self._colourless else Style(color=colour)

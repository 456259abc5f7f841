"""The colours by what they are for: the terminal's own foreground and background, one accent, one quiet grey.

These are the theme "auto". Its colours are of middling lightness (relative luminance about 0.18), which contrasts at
least 4.5 to 1 with white and with black alike, so that nothing has to know which of the two the terminal has. Another
theme puts its own in the place of each where a line is made (look.py), so every colour here stands for one use.
"""

from __future__ import annotations

from rich.style import Style

ACCENT_COLOUR = "#00838b"
QUIET_COLOUR = "#767676"
LINE_COLOUR = "#767677"
"""Of frames: no text, so a theme may make it fainter than the quiet grey."""
GOOD_COLOUR = "#15873d"
WARNING_COLOUR = "#a86800"
ERROR_COLOUR = "#da323e"
ON_ACCENT_COLOUR = "#fffffe"
"""Of text that stands on the accent, as the chosen row of a list does."""

PLAIN = Style()
STRONG = Style(bold=True)
PRIME = Style(bold=True, underline=True)
ACCENT = Style(color=ACCENT_COLOUR)
ACCENT_STRONG = Style(color=ACCENT_COLOUR, bold=True)
QUIET = Style(color=QUIET_COLOUR)
GOOD = Style(color=GOOD_COLOUR)
WARNING = Style(color=WARNING_COLOUR)
ERROR = Style(color=ERROR_COLOUR, bold=True)
CHOSEN = Style(color=ON_ACCENT_COLOUR, bgcolor=ACCENT_COLOUR)
"""The row of a list that enter would take."""

"""The colours: the terminal's own foreground and background, one accent, one quiet grey.

The fixed colours are of middling lightness (relative luminance about 0.18), which contrasts about 4.5 to 1 with white
and with black alike, so that nothing has to know which of the two the terminal has.
"""

from __future__ import annotations

from rich.style import Style

ACCENT_COLOUR = "#00868b"
QUIET_COLOUR = "#7a7a7a"
GOOD_COLOUR = "#15873d"
WARNING_COLOUR = "#a86800"
ERROR_COLOUR = "#d6303c"

PLAIN = Style()
STRONG = Style(bold=True)
PRIME = Style(bold=True, underline=True)
ACCENT = Style(color=ACCENT_COLOUR)
ACCENT_STRONG = Style(color=ACCENT_COLOUR, bold=True)
QUIET = Style(color=QUIET_COLOUR)
GOOD = Style(color=GOOD_COLOUR)
WARNING = Style(color=WARNING_COLOUR)
ERROR = Style(color=ERROR_COLOUR, bold=True)

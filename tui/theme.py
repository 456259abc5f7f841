"""The colours as Textual knows them: its theme for terminals' own colours, with the palette's few put in.

There is one for Textual, whatever the user's theme is: that takes the palette's place where lines are made (look.py).
"""

from __future__ import annotations

from dataclasses import replace

from textual.theme import BUILTIN_THEMES

from tui import palette

THEME = replace(
    BUILTIN_THEMES["ansi-dark"],
    name="workbench",
    primary=palette.ACCENT_COLOUR,
    secondary=palette.QUIET_COLOUR,
    accent=palette.ACCENT_COLOUR,
    warning=palette.WARNING_COLOUR,
    error=palette.ERROR_COLOUR,
    success=palette.GOOD_COLOUR,
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        "quiet": palette.QUIET_COLOUR,
        "line": palette.LINE_COLOUR,
        "block-cursor-background": palette.ACCENT_COLOUR,
        "block-cursor-foreground": palette.ON_ACCENT_COLOUR,
        "block-cursor-blurred-background": palette.ACCENT_COLOUR,
        "block-cursor-blurred-foreground": palette.ON_ACCENT_COLOUR,
        "input-selection-background": palette.ACCENT_COLOUR,
        "input-selection-foreground": palette.ON_ACCENT_COLOUR,
        "screen-selection-background": palette.ACCENT_COLOUR,
        "screen-selection-foreground": palette.ON_ACCENT_COLOUR,
        "scrollbar": palette.QUIET_COLOUR,
        "scrollbar-hover": palette.ACCENT_COLOUR,
        "scrollbar-active": palette.ACCENT_COLOUR,
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
    },
)

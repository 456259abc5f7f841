"""A terminal's screen as a picture in SVG, by Rich's own export."""

from __future__ import annotations

import html
import io
import re

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

DARK = TerminalTheme(
    (13, 17, 23),
    (222, 226, 230),
    [
        (60, 64, 70),
        (214, 48, 60),
        (21, 135, 61),
        (168, 104, 0),
        (60, 120, 200),
        (150, 90, 190),
        (0, 134, 139),
        (200, 204, 208),
    ],
    [
        (122, 122, 122),
        (240, 90, 100),
        (60, 190, 100),
        (220, 160, 40),
        (100, 160, 240),
        (190, 130, 230),
        (40, 190, 195),
        (255, 255, 255),
    ],
)
_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="TITLE">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{
  font-family: "Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
<rect fill="#0d1117" width="100%" height="100%" rx="8" />
<g transform="translate(10, 10)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
_TITLE_BAR = 30  # what Rich leaves for one, in the picture's units
_NAMES = {"brown": "yellow", "default": None}  # pyte's name for the terminal's fourth colour


def svg_of(screen: pyte.Screen, title: str, name: str) -> str:
    """What stands on the screen; `name` keeps the picture's own names apart from those of others on the same page."""
    console = Console(
        record=True, width=screen.columns, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for y in range(screen.lines):
        row = Text(no_wrap=True, end="\n")
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            row.append(cell.data, _style(cell))
        row.rstrip()
        console.print(row, overflow="crop", highlight=False, soft_wrap=True)
    template = _FORMAT.replace("TITLE", html.escape(title))
    made = console.export_svg(theme=DARK, code_format=template, unique_id=name)

    def lower(found: re.Match[str]) -> str:
        return f'viewBox="0 0 {found[1]} {float(found[2]) - _TITLE_BAR:g}"'

    return re.sub(r'viewBox="0 0 (\S+) (\S+)"', lower, made, count=1)


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_colour(cell.fg),
        bgcolor=_colour(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        reverse=cell.reverse,
    )


def _colour(name: str) -> str | None:
    name = _NAMES.get(name, name) or ""
    if len(name) == 6 and all(digit in "0123456789abcdef" for digit in name):
        return f"#{name}"
    return name.replace("bright", "bright_") or None

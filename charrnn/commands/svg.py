"""A loss chart as an SVG file. It needs no library: a chart is lines, and words beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from charrnn.commands.ticks import log_ticks, ticks, time_ticks
from charrnn.text.visible import visible_line

if TYPE_CHECKING:
    from charrnn.commands.picture import Line, Picture

WIDTH, HEIGHT = 800, 450
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 38, 52
SHARE_AXIS = 42
SHARE_COLOUR = "#7a4f9a"
GREY, FAINT, INK = "#6b6b6b", "#d9d9d9", "#222222"
_OTHERS = (("#9c5d00", "6 3"), ("#15733a", "2 2"), ("#7a3e9d", "8 3 2 3"), ("#b02a5b", "4 2"), ("#3a5fcd", "1 3"))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


class _Plane:
    """Where losses and places lie in the file."""

    def __init__(self, picture: Picture) -> None:
        self.log = picture.log
        shown = [self.scaled(y) for line in picture.lines for y in line.ys if y is not None]
        low, high = (min(shown), max(shown)) if shown else (0.0, 1.0)
        near = 0.12 * (high - low)
        for rule in picture.rules:
            at = self.scaled(rule.value)
            low, high = (min(low, at), max(high, at)) if low - near <= at <= high + near else (low, high)
        margin = 0.05 * (high - low) or max(abs(low) * 0.05, 0.05)
        self.y = (low - margin, high + margin)
        self.right = RIGHT + (SHARE_AXIS if picture.copied is not None else 0)
        self.x = (picture.low, picture.high if picture.high > picture.low else picture.low + 1.0)

    def scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def across(self, at: float) -> float:
        return LEFT + (at - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - self.right)

    def down(self, value: float) -> float:
        return TOP + (self.y[1] - self.scaled(value)) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)

    def y_ticks(self) -> list[float]:
        return log_ticks(*self.y, 6) if self.log else ticks(*self.y, 6)


def _words(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, fill: str = GREY, more: str = ""
) -> str:
    safe = escape(visible_line(text))
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{more}>{safe}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dashed}/>'


def _pieces(line: Line) -> Iterator[list[tuple[float, float]]]:
    """A line's points from gap to gap."""
    piece: list[tuple[float, float]] = []
    for x, y in zip(line.xs, line.ys, strict=True):
        if y is None:
            if piece:
                yield piece
            piece = []
        else:
            piece.append((x, y))
    if piece:
        yield piece


def _styles(lines: Sequence[Line]) -> Iterator[tuple[Line, str, float, str]]:
    """Each line with its colour, width and dashes."""
    others = 0
    for line in lines:
        if line.kind == "dots":
            yield line, "#c0c0c0", 0.0, ""
            continue
        if line.kind == "other":
            colour, dash = _OTHERS[others % len(_OTHERS)]
            others += 1
            yield line, colour, 1.2, dash
        else:
            yield line, "#00868b" if line.kind == "held-out" else "#8a8a8a", 2.2 if line.kind == "held-out" else 1.0, ""


def svg(picture: Picture) -> str:
    """The picture as the text of an SVG file, WIDTH by HEIGHT."""
    plane = _Plane(picture)
    bottom, right = HEIGHT - BOTTOM, WIDTH - plane.right
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif">',
        f"<title>{escape(visible_line(picture.title))}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _words(LEFT, 22, picture.title, size=14, fill=INK),
    ]
    for value in plane.y_ticks():
        y = plane.down(value)
        out += [_stroke(LEFT, y, right, y, FAINT), _words(LEFT - 6, y + 4, _number(value), anchor="end")]
    for at in (time_ticks if picture.scale == "seconds" else ticks)(*plane.x, 7):
        x = plane.across(at)
        out += [_stroke(x, bottom, x, bottom + 4, GREY), _words(x, bottom + 17, _number(at), anchor="middle")]
    out += [
        _stroke(LEFT, bottom, right, bottom, GREY),
        _words((LEFT + right) / 2, HEIGHT - 12, picture.x_label, anchor="middle"),
        _words(
            16,
            (TOP + bottom) / 2,
            picture.y_label,
            anchor="middle",
            more=f' transform="rotate(-90 16 {(TOP + bottom) / 2:.1f})"',
        ),
    ]
    out += _happenings(picture, plane)
    for rule in picture.rules:
        if plane.y[0] <= plane.scaled(rule.value) <= plane.y[1]:
            y = plane.down(rule.value)
            out += [_stroke(LEFT, y, right, y, GREY, "2 3"), _words(LEFT + 6, y - 4, rule.name)]
    if picture.copied is not None:
        out += _share(picture.copied, plane)
    styled = list(_styles(picture.lines))
    for line, colour, thickness, dash in styled:
        for piece in _pieces(line):
            out.append(_polyline(plane, line, piece, colour, thickness, dash))
    named = sorted((entry for entry in styled if entry[0].kind != "dots"), key=lambda entry: entry[0].kind == "other")
    for number, (line, colour, thickness, dash) in enumerate(named):
        y = TOP + 12 + 17 * number
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        out += [
            f'<line x1="{right - 26}" y1="{y}" x2="{right}" y2="{y}" stroke="{colour}" stroke-width="{thickness}"'
            f"{dashed}/>",
            _words(right - 32, y + 4, line.name, anchor="end", fill=INK),
        ]
    return "\n".join([*out, "</svg>\n"])


def _polyline(
    plane: _Plane, line: Line, piece: list[tuple[float, float]], colour: str, thickness: float, dash: str
) -> str:
    places = [(plane.across(x), plane.down(y)) for x, y in piece]
    if line.kind == "dots" or len(places) == 1:
        size = 0.9 if line.kind == "dots" else 2.0
        return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"/>' for x, y in places)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{thickness}" '
        f'stroke-linejoin="round"{dashed}/>'
    )


def _share(line: Line, plane: _Plane) -> list[str]:
    """A share in per cent, dotted, with its axis at the right."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - plane.right
    middle = (TOP + bottom) / 2
    out = [_stroke(right, TOP, right, bottom, SHARE_COLOUR)]
    for value in (0, 50, 100):
        y = bottom - value / 100 * (bottom - TOP)
        out.append(_words(right + 5, y + 4, f"{value}", fill=SHARE_COLOUR))
    turned = f' transform="rotate(-90 {WIDTH - 12} {middle:.1f})"'
    out.append(_words(WIDTH - 12, middle, line.name, anchor="middle", fill=SHARE_COLOUR, more=turned))
    places = [
        (plane.across(x), bottom - y / 100 * (bottom - TOP))
        for x, y in zip(line.xs, line.ys, strict=True)
        if y is not None
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    out.append(
        f'<polyline points="{path}" fill="none" stroke="{SHARE_COLOUR}" stroke-width="1.4" stroke-dasharray="1.5 3"/>'
    )
    out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.8" fill="{SHARE_COLOUR}"/>' for x, y in places[-1:]]
    return out


def _happenings(picture: Picture, plane: _Plane) -> list[str]:
    """Checkpoints as squares on the axis; everything else as a line with its words."""
    out, bottom = [], HEIGHT - BOTTOM
    for one in picture.happenings:
        x = plane.across(one.at)
        if one.kind == "checkpoint":
            out.append(f'<rect x="{x - 2:.1f}" y="{bottom - 4}" width="4" height="4" fill="{GREY}"/>')
        else:
            turned = f' transform="rotate(-90 {x - 3:.1f} {TOP + 2})"'
            out += [
                _stroke(x, TOP, x, bottom, FAINT),
                _words(x - 3, TOP + 2, one.words, anchor="end", size=8, more=turned),
            ]
    return out

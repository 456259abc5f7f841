"""Themes: every colour can be read on its ground; without colours weight and glyphs say it; ASCII keeps columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ANSI_COLOR_NAMES, Color, ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColour
from textual.strip import Strip

from tests.tui.test_workbench import Bench, bench, run
from tui import keys, palette
from tui.glyphs import UTF_8, stand_ins
from tui.look import Look
from tui.settings import Settings
from tui.terminal import safe
from tui.themes import ROLES, THEMES, Colours, Depth, colours

BLACK = TextualColour(0, 0, 0)
TEXT_ROLES = ("accent", "quiet", "good", "warning", "error")
LEAST = {"auto": 4.5, "dark": 4.5, "light": 4.5, "contrast": 7.0}
# What the 16 colours are by themselves: the Linux console's and xterm's.
SIXTEEN = (
    "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
)
PALETTE = [style for name, style in vars(palette).items() if isinstance(style, Style)]


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pairs(chosen: Colours, ground: str) -> Iterator[tuple[str, str, str]]:
    """Every (name, text, ground) that a theme shows; a reversed style stands on its own colour."""
    yield "text", chosen.text, ground
    for role in TEXT_ROLES:
        yield role, chosen.of(role).split()[0], ground
    yield "on accent", chosen.of("on accent"), chosen.of("accent")


def exact(colour: str) -> tuple[int, int, int]:
    found = Color.parse(colour).triplet
    assert found is not None
    return found.red, found.green, found.blue


def of_256(colour: str) -> tuple[int, int, int]:
    return tuple(Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor())


@pytest.mark.parametrize("name", list(LEAST))
def test_text_can_be_read_on_its_ground(name: str) -> None:
    full = THEMES[name].full
    grounds = [full.ground] if full.ground else ["#000000", "#ffffff"]
    for ground in grounds:
        for role, text, behind in pairs(full, ground):
            if text:
                assert contrast(exact(text), exact(behind)) >= LEAST[name], (role, text, behind)


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_256_colours_are_enough(name: str) -> None:
    for role, text, behind in pairs(THEMES[name].full, THEMES[name].full.ground):
        assert contrast(of_256(text), of_256(behind)) >= LEAST[name], (role, text, behind)


@pytest.mark.parametrize("standard", SIXTEEN, ids=["Linux console", "xterm"])
@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_16_colours_are_enough(name: str, standard: str) -> None:
    values = [tuple(bytes.fromhex(word)) for word in standard.split()]
    for role, text, behind in pairs(THEMES[name].sixteen, THEMES[name].sixteen.ground):
        one, other = (values[ANSI_COLOR_NAMES[colour]] for colour in (text, behind))
        assert contrast(one, other) >= LEAST[name], (role, text, behind)


def test_every_colour_of_the_palette_has_a_use_that_every_theme_knows() -> None:
    used = {colour.name for style in PALETTE for colour in (style.color, style.bgcolor) if colour}
    assert used <= set(ROLES)
    for theme in THEMES.values():
        for chosen in (theme.full, theme.sixteen):
            assert set(chosen.roles) == set(ROLES.values())
    assert len(set(ROLES)) == len(set(ROLES.values())) == len(ROLES)


@pytest.mark.parametrize("depth", ["truecolor", "256", "16", "none"])
@pytest.mark.parametrize("name", list(THEMES))
def test_no_colour_of_another_theme_comes_through(name: str, depth: Depth) -> None:
    look = Look(name, depth, UTF_8)
    own = {Style.parse(words).color for words in colours(name, depth).roles.values()}
    for style in PALETTE:
        made = look.styled(style)
        if style.color is not None:
            assert made.color in own
        if depth == "none":
            assert made.color is None
            assert made.bgcolor is None


def test_without_colours_the_uses_still_differ() -> None:
    look = Look("auto", "none", UTF_8)
    plain, accent, quiet, error, chosen = (
        look.styled(style) for style in (palette.PLAIN, palette.ACCENT, palette.QUIET, palette.ERROR, palette.CHOSEN)
    )
    assert len({plain, accent, quiet, error, chosen}) == 5


def test_the_default_look_costs_nothing() -> None:
    assert not Look("auto", "truecolor", UTF_8).filters()
    assert not Look("auto", "256", UTF_8).filters()


def test_neighbours_that_look_alike_become_one_segment() -> None:
    row = [Segment("a", palette.QUIET), Segment("b", palette.QUIET), Segment("c")]
    assert [part.text for part in Look("dark", "256", UTF_8).apply(row, BLACK)] == ["ab", "c"]


# ---- other characters than the terminal's --------------------------------------------------------------------


@given(st.text(), st.sampled_from(["ascii", "iso8859-1", "iso8859-15", "koi8-r", "cp1252"]), st.booleans())
def test_any_safe_text_keeps_its_columns_and_can_be_encoded(text: str, charset: str, strong: bool) -> None:
    text = safe(text)
    shown = stand_ins(text, charset, strong=strong)
    shown.encode(charset)
    assert shown.isprintable() or "\n" in text
    assert cell_len(shown) == cell_len(text)


@given(st.text(alphabet=st.characters(max_codepoint=126)))
def test_ascii_is_left_alone(text: str) -> None:
    assert stand_ins(text, "ascii") == text


def test_what_a_character_set_has_is_left_alone_and_the_rest_is_a_question_mark() -> None:
    assert stand_ins("café 漢字 Ж", "iso8859-1") == "café ???? ?"
    assert stand_ins("café Ж", "koi8-r") == "caf? Ж"
    assert stand_ins("╭─ Loss ─╮ ● training", "ascii") == "+- Loss -+ * training"


def test_bars_rise_and_the_two_curves_differ_in_ascii() -> None:
    bars = stand_ins("▁▂▃▄▅▆▇█", "ascii")
    assert len(set(bars)) == 8
    assert stand_ins("⠉⠤⣿", "ascii") == "'.:"
    assert stand_ins("⠉⠤⣿", "ascii", strong=True) == "***"


# ---- the workbench -------------------------------------------------------------------------------------------


def drawn(one: Bench) -> list[Strip]:
    return list(one.app.screen._compositor.render_strips())


def colours_on(one: Bench) -> set[str]:
    """The names of the colours in sight; that of a blank is not."""
    segments = [(segment.text.strip(), segment.style) for strip in drawn(one) for segment in strip if segment.style]
    shown = [c for text, style in segments for c in (style.color if text else None, style.bgcolor)]
    return {c.name for c in shown if c and not c.is_default}


@pytest.mark.parametrize("name", list(THEMES))
def test_a_theme_is_all_over_the_screen_and_its_screens(name: str) -> None:
    async def test() -> None:
        async with bench((100, 30), settings=Settings(theme=name)) as one:
            await one.shows("● training", "T 0.80")
            full = THEMES[name].full
            allowed = {Style.parse(words).color.name for words in full.roles.values() if Style.parse(words).color}  # type: ignore[union-attr]
            allowed |= {full.ground, full.text}
            for key in ("question_mark", "escape", "ctrl+p"):
                await one.press(key)
                await one.pilot.pause(0.1)
                assert colours_on(one) <= allowed, key
            if full.ground:
                assert all(segment.style and segment.style.bgcolor for strip in drawn(one) for segment in strip)

    run(test)


def test_the_palette_changes_the_theme_at_once_everywhere() -> None:
    async def test() -> None:
        async with bench((100, 30)) as one:
            await one.shows("● training", "T 0.80")
            for name, theme in THEMES.items():
                one.app.action_theme(name)
                await one.shows(f"Theme {name}: ")
                await one.pilot.pause(0.1)
                styles = [segment.style for strip in drawn(one) for segment in strip if segment.style]
                grounds = {style.bgcolor.name for style in styles if style.bgcolor and not style.bgcolor.is_default}
                assert grounds == ({theme.full.ground} if theme.full.ground else set()), name

    run(test)


def test_the_command_palette_offers_the_themes_and_no_foreign_ones() -> None:
    async def test() -> None:
        async with bench((100, 30)) as one:
            offered = [command.title for command in one.app.get_system_commands(one.app.screen)]
            assert [title for title in offered if "heme" in title] == [f"Theme: {name}" for name in THEMES]
            await one.press("ctrl+p", *"theme: light")
            await one.shows("Theme: light")
            await one.press("enter")
            await one.shows('theme = "light"')
            assert "#fafafa" in colours_on(one)

    run(test)


def test_without_colours_none_is_drawn_and_the_chosen_row_is_reversed() -> None:
    async def test() -> None:
        async with bench((100, 30), settings=Settings(depth="none", theme="dark")) as one:
            await one.shows("● training")
            await one.press("ctrl+p")
            await one.shows("Copy the text")
            await one.pilot.pause(0.2)
            await one.press("down")
            await one.pilot.pause(0.2)
            assert not colours_on(one)
            reversed_text = "".join(s.text for strip in drawn(one) for s in strip if s.style and s.style.reverse)
            assert reversed_text.strip()

    run(test)


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16), (40, 10)])
def test_in_ascii_every_row_is_ascii_and_full(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with bench(
            size, settings=Settings(ascii=True, charset="ascii"), text="漢字 é\u0301 ⟨x⟩ 👩\u200d🚀 fox\n"
        ) as one:
            await one.shows("* training", "T 0.80", "fox")
            for key in ("question_mark", "escape", "p", "escape", "ctrl+p"):
                await one.press(key)
                await one.pilot.pause(0.05)
                assert all(line.isascii() for line in one.lines()), one.screen()
                assert {cell_len(line) for line in one.lines()} == {size[0]}

    run(test)


def test_ascii_goes_on_and_off_by_the_command_palette() -> None:
    async def test() -> None:
        async with bench((100, 30)) as one:
            await one.shows("╭─ Loss")
            one.app.action_ascii()
            await one.shows("+- Loss", "ASCII instead of frames")
            one.app.action_ascii()
            await one.shows("╭─ Loss")

    run(test)


def test_the_help_names_every_theme() -> None:
    assert {f"theme-{name}" for name in THEMES} <= {key.id for key in keys.TABLE}


@pytest.mark.parametrize("moves", [True, False])
def test_nothing_moves_by_itself_unless_animation_is_on(moves: bool) -> None:
    async def test() -> None:
        async with bench((80, 24), settings=Settings(animation=moves)) as one:
            assert one.app.animation_level == ("basic" if moves else "none")
            await one.press("p")
            await one.until(lambda: one.app.panes.stream.input.has_focus)
            shown = set()
            for _ in range(14):
                shown.add(one.app.panes.stream.input._cursor_visible)
                await one.pilot.pause(0.1)
            assert shown == ({True, False} if moves else {True})

    run(test)


def test_without_the_clipboard_a_copy_is_a_file_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def test() -> None:
        async with bench((120, 34), settings=Settings(clipboard=False)) as one:
            await one.press("y")
            await one.shows("Copied")
            assert "the clipboard" not in one.screen()
            assert not one.app.clipboard
            assert list(tmp_path.rglob("*.txt"))

    run(test)

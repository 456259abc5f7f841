"""One table of keys, and a place for every pane at every size."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui import keys
from tui.layout import LEAST, PANES, arrange, too_small_text
from tui.panes.frame import Part, choose
from tui.panes.status import compact, duration
from tui.screens.help import help_rows
from tui.terminal import width

SIZES = st.tuples(st.integers(0, 300), st.integers(0, 100))


def test_no_two_entries_share_a_key_or_a_name() -> None:
    pressed = itertools.chain(*([(key.pane, name) for name in key.keys] for key in keys.TABLE))
    for names in ([key.id for key in keys.TABLE], list(pressed)):
        assert len(names) == len(set(names))


def test_every_key_of_the_table_is_in_the_help_and_in_the_readme_table() -> None:
    shown = "\n".join("".join(text for text, _ in row) for row in help_rows(200))
    for key in keys.TABLE:
        assert key.description in shown
        assert key.description.replace("|", "\\|") in keys.markdown()
        assert key.group in keys.GROUPS


def test_no_key_is_one_that_tmux_screen_or_the_terminal_takes() -> None:
    for key in keys.TABLE:
        assert not {"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m"} & set(key.keys)


@given(st.integers(20, 200))
def test_the_help_fits_any_width(columns: int) -> None:
    if columns >= 34:
        assert all(sum(width(text) for text, _ in row) <= columns for row in help_rows(columns))


@given(SIZES, st.dictionaries(st.sampled_from(PANES), st.booleans()), st.none() | st.sampled_from(PANES))
def test_any_size_has_an_arrangement_that_fits_it(size: tuple[int, int], asked: dict, zoomed: str | None) -> None:
    columns, rows = size
    plan = arrange(columns, rows, asked, zoomed)
    assert plan.too_small == (columns < LEAST[0] or rows < LEAST[1])
    if plan.stream and plan.upper:
        assert rows - 2 - plan.spark - plan.upper_height >= 3
    if not plan.too_small and zoomed is None:
        assert plan.stream == asked.get("stream", True)
        assert ("corpus" in plan.upper) >= asked.get("corpus", False)
        assert ("loss" in plan.upper or bool(plan.spark)) == asked.get("loss", True)


@pytest.mark.parametrize(
    ("size", "upper", "spark"),
    [
        ((120, 34), ("loss", "corpus"), 0),
        ((100, 30), ("loss", "corpus"), 0),
        ((99, 30), ("loss",), 0),
        ((80, 24), ("loss",), 0),
        ((60, 16), (), 1),
        ((40, 10), (), 1),
    ],
)
def test_what_stands_where_at(size: tuple[int, int], upper: tuple[str, ...], spark: int) -> None:
    plan = arrange(*size, {}, None)
    assert (plan.upper, plan.spark, plan.stream) == (upper, spark, True)


@given(st.integers(0, 60), st.integers(0, 12))
def test_the_message_for_a_small_terminal_fits_into_it(columns: int, rows: int) -> None:
    lines = too_small_text(columns, rows)
    assert len(lines) <= rows
    assert all(width(line) <= columns for line in lines)


def test_at_20x5_it_says_what_size_is_needed_and_which_this_is() -> None:
    said = " ".join(too_small_text(20, 5))
    assert "40x10" in said
    assert "20x5" in said


@given(st.lists(st.tuples(st.text("ab ", min_size=1, max_size=12), st.integers(1, 9)), max_size=9), st.integers(0, 80))
def test_parts_are_shown_whole_or_not_at_all_and_the_last_ranked_go_first(
    made: list[tuple[str, int]], columns: int
) -> None:
    parts = [Part(text, rank=rank) for text, rank in made]
    kept = choose(parts, columns, 2)
    assert sum(width(part.text) for part in kept) + 2 * max(0, len(kept) - 1) <= columns
    gone = [part for part in parts if part not in kept]
    assert not kept or not gone or max(part.rank for part in kept) <= max(part.rank for part in gone)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (1234, "1,234"), (9999.4, "9,999"), (12345, "12.3k"), (363_111, "363k"), (1_234_567, "1.2M")],
)
def test_numbers_are_short(number: float, shown: str) -> None:
    assert compact(number) == shown


def test_durations_read_as_clocks() -> None:
    assert (duration(65), duration(3723)) == ("1:05", "1:02:03")

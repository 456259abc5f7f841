"""The properties of a text's places, by example and for any text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.insight.units import properties as module
from charrnn.insight.units.properties import bracket_depth, indentation, inside_quotes, line_position, properties


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('a "b c" d', "..####..."),
        ("he said “yes, no” so", "........########...."),
        ("x = 'ab' + r'c'", "....###.....##."),
        ("don't, it's the dogs' 'tis", "." * 26),
        ('"it\'s" and', "#####....."),
        (r"'a\'b' c", "#####..."),
        ('"no end\nnew "line"', "#######.....#####."),
        ('"""all of it."""\nx', "###############..."),
        ('"“”" x', "###..."),
        ("", ""),
        ("'", "."),
        ('"', "#"),
        ('"\\', "##"),
    ],
)
def test_quotes(text: str, inside: str) -> None:
    assert "".join(".#"[int(one)] for one in inside_quotes(text)) == inside


def test_what_is_counted() -> None:
    assert bracket_depth("f(a[0], (b)))]x\n\n(y").tolist() == [0, 1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1]
    assert bracket_depth("(\n\n(").tolist() == [1, 1, 0, 1]
    assert line_position("ab\n\nc").tolist() == [1, 2, 0, 0, 1]
    assert indentation("  a b\n\tc").tolist() == [1, 2, 0, 0, 0, 0, 1, 0]


def test_each_property_of_each_place_over_several_passages() -> None:
    found = {one.name: one for one in properties(['"Ab 9', "  (c)\n"])}
    assert tuple(found) == module.NAMES
    flags = {name: "".join(".#"[int(flag)] for flag in one.holds) for name, one in found.items()}
    assert flags == {
        "inside quotes": "#####......",
        "inside brackets": ".......##..",
        "position in line": "...##...##.",
        "word start": ".#..#...#..",
        "capital": ".#.........",
        "digit": "....#......",
        "indentation": ".....##....",
    }


@given(st.lists(st.text(alphabet="a'\"“”()[\n\t \\B3é", max_size=40), max_size=3))
def test_any_text_has_one_answer_a_place(passages: list[str]) -> None:
    for one in properties(passages):
        assert one.holds.shape == (sum(map(len, passages)),)
        assert one.holds.dtype == np.bool_
        assert one.amount is None or (one.amount >= 0).all()

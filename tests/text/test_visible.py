from __future__ import annotations

import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.visible import for_reader, visible, visible_line

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_any_text_keeps_its_length_and_loses_every_character_that_acts(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not [c for c in shown if unicodedata.category(c) in HIDDEN and c not in "\n\t"]
    assert visible(shown) == shown
    assert "\n" not in visible_line(text)


def test_a_file_gets_the_text_as_it_is_and_a_terminal_what_it_can_bear() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    evil = "a\x1b]52;c;eA==\x07b\r\n"
    assert for_reader(evil, io.StringIO()) == evil
    assert for_reader(evil, Terminal()) == "a␛]52;c;eA==␇b␍\n"

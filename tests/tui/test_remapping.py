"""Keys of the user's own: what may be, what is refused with a sentence, and what is shown of them."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from charrnn.config import UsageError
from tui import keys
from tui.keys import names


def of(name: str, table: tuple[keys.Key, ...]) -> keys.Key:
    return next(key for key in table if key.id == name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("+", "plus"),
        ("-", "minus"),
        ("{", "left_curly_bracket"),
        ("x", "x"),
        ("X", "X"),
        ("ö", "ö"),
        ("§", "section_sign"),
        (" ", "space"),
        ("esc", "escape"),
        ("pgup", "pageup"),
        ("F5", "f5"),
        ("ctrl+x", "ctrl+x"),
        ("shift+tab", "shift+tab"),
        ("ctrl+shift+left", "ctrl+shift+left"),
        ("plus", "plus"),
        ("", None),
        ("foo", None),
        ("f99", None),
        ("ctrl+", None),
        ("\x1b", None),
        ("\u0301", None),
        ("\u202e", None),
        ("xy", None),
    ],
)
def test_a_key_has_a_name(written: str, name: str | None) -> None:
    assert names.named(written) == name


@given(st.characters(categories=("L", "N", "P", "S")) | st.sampled_from(string.punctuation))
def test_any_printable_character_is_a_key_and_is_shown_as_itself(character: str) -> None:
    assert names.named(character) == _character_to_key(character)
    table = keys.remapped({key.id: () for key in keys.TABLE if key.action} | {"zoom": (character,)})
    assert of("zoom", table).shown == character
    assert names.types(of("zoom", table).keys[0])


@given(st.text(max_size=30))
def test_any_word_is_a_key_or_is_none(word: str) -> None:
    name = names.named(word)
    assert name is None or (name and "," not in name and name.isprintable())


def test_a_remapped_key_is_bound_and_shown_and_the_old_one_is_free() -> None:
    table = keys.remapped({"zoom": ("x", "ctrl+x"), "warmer": ("z",), "colder": ("a",)})
    assert of("zoom", table).keys == ("x", "ctrl+x")
    assert of("zoom", table).shown == "x ctrl+x"
    assert keys.keymap(table) == {"zoom": "x,ctrl+x", "warmer": "z", "colder": "a"}
    shown = {entry.key.id: entry.shown for entry in keys.footer("", table)}
    assert (shown["zoom"], shown["colder"], shown["slower"]) == ("x", "a/z", "[/]")
    assert of("top-k", table) == of("top-k", keys.TABLE)


def test_two_keys_may_change_places() -> None:
    table = keys.remapped({"top-k": ("n",), "nucleus": ("k",)})
    assert (of("top-k", table).keys, of("nucleus", table).keys) == (("n",), ("k",))


def test_an_action_may_have_no_key_and_the_footer_leaves_it_out() -> None:
    table = keys.remapped({"copy": ()})
    assert of("copy", table).shown == ""
    assert "copy" not in {entry.key.id for entry in keys.footer("", table)}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"zoon": ("x",)}, "There is no action 'zoon' to give a key to; the nearest are zoom"),
        ({"zoom": ("xyz",)}, "There is no key 'xyz' for 'zoom'"),
        ({"zoom": ("ctrl+b",)}, "The key ctrl+b for 'zoom' is one that tmux, screen or the terminal itself takes"),
        ({"zoom": ("ctrl+m",)}, "The key ctrl+m for 'zoom'"),
        ({"zoom": ("tab",)}, "The key tab for 'zoom' moves about in every pane"),
        ({"zoom": ("k",)}, "The key k would mean both 'top-k' and 'zoom'"),
        ({"zoom": ("x",), "copy": ("x",)}, "The key x would mean both"),
        ({"scroll": ("x",)}, "The key of 'scroll' is always"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(mapping: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        keys.remapped(mapping)
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_key_that_is_given_again_to_its_own_action_is_no_trouble() -> None:
    assert keys.remapped({key.id: key.keys for key in keys.TABLE if key.action})


def test_a_panes_key_may_hide_one_of_the_whole_screen() -> None:
    assert of("colder", keys.remapped({"colder": ("a",)})).keys == of("chart-over", keys.TABLE).keys
    with pytest.raises(UsageError, match="The key a would mean both"):
        keys.remapped({"chart-export": ("a",)})


def test_the_footer_of_a_pane_begins_with_its_own_keys_and_leaves_out_what_they_hide() -> None:
    own = keys.Key(
        id="own", keys=("k",), shown="k", description="", group="Chart", action="own", pane="loss", label="own", rank=50
    )
    table = (*(key for key in keys.TABLE if key.pane != "loss"), own)
    entries = keys.footer("loss", table)
    assert entries[0].key is own
    assert entries[0].rank < min(entry.rank for entry in entries[1:])
    assert "top-k" not in {entry.key.id for entry in entries}
    assert "own" not in {entry.key.id for entry in keys.footer("stream", table)}


def test_the_footer_of_the_prime_has_no_key_that_types_a_character() -> None:
    shown = [entry.shown for entry in keys.footer("prime")]
    assert shown[:2] == ["enter", "esc"]
    assert {"f1", "ctrl+q"} <= set(shown)
    assert not [name for name in shown if len(name) == 1 or name == "space"]

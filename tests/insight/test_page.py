"""The page of a text's surprise: whatever the text and the vocabulary, what it shows is the text, and nothing acts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import charrnn
from charrnn.insight import page as module
from charrnn.insight.page import carried
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary, Words
from tests.insight.models import small_model


class Parsed(HTMLParser):
    """What a browser would make of a page: the text inside #text, the other tags, and what stands beside."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.beside, self.title = "", "", ""
        self.tags: list[str] = []
        self.tooltips: list[str] = []
        self.attributes: set[str] = set()
        self._depth = 0
        self._in_title = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self._in_title = tag == "title"
        if self._depth and tag in ("div", "b"):
            self._depth += 1
        if ("id", "text") in attrs:
            self._depth = 1
        self.tooltips += [value or "" for name, value in attrs if name == "title"]

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if self._depth and tag in ("div", "b"):
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.text += data
        elif self._in_title:
            self.title += data
        else:
            self.beside += data


PLAIN = Characters("\n abcdefgh")
NASTY = st.text(
    st.one_of(st.sampled_from("<>&\"'\n\t\r\x00\x1b\x85 ab\u202e\ud800"), st.characters(), st.sampled_from("]]>-!/")),
    max_size=60,
)
TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "p", "ul", "li", "span", "div", "b"}


@settings(max_examples=60, deadline=None)
@given(text=NASTY, symbols=NASTY, kind=st.sampled_from(["characters", "bytes", "words"]))
def test_what_it_shows_is_the_text(text: str, symbols: str, kind: str) -> None:
    made: dict[str, Vocabulary] = {
        "characters": Characters.of_text(symbols + "a"),
        "bytes": Bytes(),
        "words": Words.of_text(carried(symbols) + " a"),
    }
    vocabulary = made[kind]
    page = charrnn.html_of(small_model("gru", len(vocabulary)), vocabulary, text, title=text)
    page.encode()
    found = Parsed(page)
    assert found.text == carried(text)
    assert len(found.text) == len(text)
    assert set(found.tags) <= TAGS
    assert found.attributes <= {"lang", "charset", "name", "content", "class", "title", "id"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", page)
    strange = [character for character in set(text) if character not in vocabulary]
    assert ("the model does not know it" in " ".join(found.tooltips)) == bool(strange)


def test_each_character_has_its_nats_and_what_was_expected() -> None:
    text = "a bad cab, and\na bag"
    model = small_model("lstm", len(PLAIN))
    found = Parsed(charrnn.html_of(model, PLAIN, text, title="A title", note="of a run"))
    lines = [line for one in found.tooltips for line in one.split("\n")]
    assert len(lines) == len(text)
    seen = charrnn.surprise(model, PLAIN, text)
    assert lines[0] == "a: nothing came before it"
    assert lines[1].startswith(f"␣ {seen.nats[1]:.2f}")
    assert f": {PLAIN.symbols[seen.likeliest[1, 0]]} {seen.chances[1, 0]:.0%}".replace("\n", "␊") in lines[1]
    assert sum("does not know" in line for line in lines) == 2  # the comma, and n
    assert "A title" in found.title
    assert "of a run" in found.beside
    assert f"{seen.nats[1:].mean():.4f} nats per character" in found.beside


def test_a_long_text_is_cut_off_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 50)
    found = Parsed(charrnn.html_of(small_model("gru", len(PLAIN)), PLAIN, "abc\n" * 100))
    assert found.text == ("abc\n" * 100)[:50]
    assert "Cut off here: 50 of 400 characters" in found.beside


def test_a_page_of_a_long_text_is_laid_out_in_parts_and_not_much_larger_than_it_must_be() -> None:
    text = "a bad cab had a bag\n" * 1000
    page = charrnn.html_of(small_model("gru", len(PLAIN)), PLAIN, text)
    assert "content-visibility" in page
    assert Parsed(page).text == text
    assert len(page) < 60 * len(text)


@pytest.mark.parametrize("text", ["", "a", "☃"])
def test_short_texts_have_a_page_too(text: str) -> None:
    assert Parsed(charrnn.html_of(small_model("gru", len(PLAIN)), PLAIN, text)).text == text

"""What a text copies: equal to a search that tries every piece, whatever the texts; kept indexes are the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import charrnn
from charrnn.config import CorpusConfig, UsageError
from charrnn.insight.copying import index as module
from charrnn.insight.copying import kept
from charrnn.insight.copying.index import CopyingIndex, copying_index
from charrnn.insight.copying.matching import LONGER_THAN, Copied, Matcher, copied_share, copies, covered
from charrnn.text.corpus import Corpus, load_corpus
from tests.thorough import examples


def by_trying(corpus: str, text: str, longer_than: int) -> list[Copied]:
    """Every piece of the text is looked for in the corpus; those that lie within another are left out."""
    found = []
    for begin in range(len(text)):
        end = begin
        while end < len(text) and text[begin : end + 1] in corpus:
            end += 1
        if end - begin > longer_than and not (found and found[-1].end >= end):
            piece = text[begin:end]
            times = sum(corpus.startswith(piece, at) for at in range(len(corpus)))
            found.append(Copied(begin, end, corpus.index(piece), times))
    return found


LETTERS = st.one_of(
    st.text("ab", max_size=60),
    st.text("abc ", max_size=60),
    st.text("aé漢🙂\ud800\n", max_size=40),
    st.text(max_size=30),
)


@st.composite
def corpus_and_text(draw: st.DrawFn) -> tuple[str, str]:
    """A corpus, and a text that is made of pieces of it and of others."""
    corpus = draw(LETTERS)
    corpus *= draw(st.integers(1, 3))
    text = draw(LETTERS)
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(corpus)))
        text += corpus[begin : draw(st.integers(begin, len(corpus)))] + draw(st.text("abé\n", max_size=3))
    return corpus, text


@examples(400)
@given(corpus_and_text(), st.integers(0, 6))
def test_copies_are_those_that_a_search_of_every_piece_finds(both: tuple[str, str], longer_than: int) -> None:
    corpus, text = both
    found = copies(copying_index(corpus), text, longer_than)
    assert found == by_trying(corpus, text, longer_than)
    marked = {place for one in found for place in range(one.begin, one.end)}
    assert copied_share(copying_index(corpus), text, longer_than) == (len(marked) / len(text) if text else 0.0)


@pytest.mark.parametrize(
    ("corpus", "text", "found"),
    [
        ("", "anything at all", []),
        ("abcdef", "", []),
        ("abcdef", "abcdefg" * 2, [Copied(0, 6, 0, 1), Copied(7, 13, 0, 1)]),
        ("abcdef", "xxcdef", [Copied(2, 6, 2, 1)]),  # to the corpus's last character, and to the text's
        ("a" * 50, "a" * 80, [Copied(at, at + 50, 0, 1) for at in range(31)]),
        ("abab" * 5, "abab", [Copied(0, 4, 0, 9)]),
        ("déjà vu, déjà", "un déjà vu", [Copied(2, 7, 8, 1), Copied(3, 10, 0, 1)]),
    ],
)
def test_the_borders_of_corpus_and_text(corpus: str, text: str, found: list[Copied]) -> None:
    assert copies(copying_index(corpus), text, 3) == found


def test_what_is_no_longer_than_twenty_characters_is_no_copy() -> None:
    corpus = "the quick brown fox jumps over the lazy dog"
    index = charrnn.copying_index(corpus)
    assert LONGER_THAN == 20
    assert charrnn.copies(index, "A" + corpus[:20] + "A") == []
    assert charrnn.copies(index, "A" + corpus[:21] + "A") == [charrnn.Copied(1, 22, 0, 1)]
    assert charrnn.copied_share(index, "A" + corpus[:21] + "A") == 21 / 23


def test_a_copy_is_told_while_it_grows_and_when_it_has_ended() -> None:
    matcher = Matcher(copying_index("once upon a time there was"), 5)
    told = [(matcher.feed(character), matcher.copy) for character in "once upon!"]
    assert [copy.length if copy else 0 for _, copy in told] == [0, 0, 0, 0, 0, 6, 7, 8, 9, 0]
    assert [ended for ended, _ in told if ended] == [Copied(0, 9, 0, 1)]
    matcher.begin_anew(100)
    assert matcher.copy is None
    for character in "a time":
        assert matcher.feed(character) is None
    assert matcher.copy == Copied(100, 106, 10, 1)


def test_copies_that_overlap_count_once() -> None:
    assert covered([Copied(0, 30, 0, 1), Copied(10, 40, 5, 1), Copied(50, 60, 0, 1)]) == 50
    assert covered([Copied(0, 30, 0, 1), Copied(10, 40, 5, 1)], first=20) == 20


def test_a_place_far_into_a_text_of_several_bytes_is_counted_in_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 16)
    corpus = "äöü, " * 20 + "and here it is: ☃" + "äöü, " * 3
    (found,) = copies(copying_index(corpus), "and here it is: ☃", 12)
    assert found == Copied(0, 17, corpus.index("and"), 1)


# ---- kept --------------------------------------------------------------------------------------------------------


def a_corpus(tmp_path: Path, text: str, **settings: object) -> Corpus:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return load_corpus(CorpusConfig(source=str(path), name="text", **settings))  # type: ignore[arg-type]


@pytest.fixture
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("_cache")
@pytest.mark.parametrize("tokens", ["char", "byte", "word", "printable"])
def test_a_kept_index_finds_what_one_in_memory_finds(
    tokens: str, tmp_path: Path, small_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_PART", 1000)
    text = small_text[:8000] + ("" if tokens == "printable" else "Ω☃ é" * 300)
    corpus = a_corpus(tmp_path, text, tokens=tokens)
    place, steps = kept.place_of(corpus), []
    assert kept.open_kept(place) is None
    kept.make(place, corpus.vocabulary, corpus.train_ids, lambda what, _: steps.append(what))
    assert list(dict.fromkeys(steps)) == ["reading", "sorting", "writing"]
    opened, made = kept.open_kept(place), charrnn.copying_index(corpus)
    assert isinstance(opened, CopyingIndex)
    trained = text[: corpus.train_characters]
    assert opened.characters == made.characters == len(trained)
    tried = trained[-60:] + text[len(trained) : len(trained) + 400] + trained[500:700] + "☃" + trained[100:150]
    assert copies(opened, tried) == copies(made, tried) == by_trying(trained, tried, 20) != []
    opened.forget_pages()
    assert copies(opened, tried) == copies(made, tried)


@pytest.mark.usefixtures("_cache")
def test_the_held_out_part_is_not_in_it(tmp_path: Path) -> None:
    text = "learn this sentence by heart, please. " + "But nobody has ever seen this other one before!"
    corpus = a_corpus(tmp_path, text, validation=0.55)
    index = charrnn.copying_index(corpus)
    assert copies(index, "learn this sentence by heart")
    assert not copies(index, "nobody has ever seen this other one before")
    other = a_corpus(tmp_path, text, validation=0.5)
    assert kept.place_of(other) != kept.place_of(corpus)


@pytest.mark.usefixtures("_cache")
def test_a_damaged_or_missing_index_is_made_again(tmp_path: Path, small_text: str) -> None:
    corpus = a_corpus(tmp_path, small_text[:3000])
    place = kept.place_of(corpus)
    kept.make(place, corpus.vocabulary, corpus.train_ids)
    place.write_bytes(place.read_bytes()[:-8])
    assert kept.open_kept(place) is None
    kept.make(place, corpus.vocabulary, corpus.train_ids)
    assert kept.open_kept(place) is not None
    with pytest.raises(UsageError, match="no training text"):
        kept.make(place, corpus.vocabulary, corpus.train_ids[:0])

"""What models that need no training reach on a held-out text, and how it is kept and said."""

import json
import lzma
import math
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from charrnn.config import CorpusConfig, UsageError
from charrnn.text import baselines, measuring
from charrnn.text.baselines import Baselines, in_words, named
from charrnn.text.corpus import Corpus, load_corpus
from charrnn.text.measuring import cache_place, keep, measure, read, texts

FIGURES = Baselines(uniform=4.0, unigram=3.0, bigram=2.5, five_gram=1.5, xz=1.75, training=900, held_out=100)


def corpus_of(path: Path, **settings: object) -> Corpus:
    return load_corpus(replace(CorpusConfig(source=str(path), name="text"), **settings))  # type: ignore[arg-type]


def measured(training: str, held_out: str, alphabet: str) -> Baselines:
    return measure(training.encode("utf-8", "surrogatepass"), held_out.encode("utf-8", "surrogatepass"), alphabet)


def test_more_context_predicts_a_text_of_sentences_better(small_text: str) -> None:
    found = measured(small_text[:18_000], small_text[18_000:], "".join(sorted(set(small_text))))
    assert found.uniform == pytest.approx(math.log(len(set(small_text))))
    assert found.uniform > found.unigram > found.bigram > found.five_gram > 0.5
    assert found.xz is not None
    assert found.five_gram < found.xz < found.unigram
    assert (found.training, found.held_out) == (18_000, len(small_text) - 18_000)


def test_characters_without_any_order_cost_the_logarithm_of_the_alphabet() -> None:
    text = "".join(random.Random(3).choices("abcdefgh", k=60_000))
    found = measured(text[:50_000], text[50_000:], "abcdefgh")
    for name, loss in named(found):
        assert math.log(8) * 0.995 < loss < math.log(8) * (1.12 if name == "xz" else 1.04)


def test_xz_is_what_the_held_out_text_adds_to_an_archive() -> None:
    text = "".join(random.Random(3).choices("abcdefghé\n", k=4000))
    found = measured(text, text[100:600], "abcdefghé\n")  # a repetition: in the archive already
    assert found.xz is not None
    assert found.xz < 0.1
    preset = 9 | lzma.PRESET_EXTREME
    whole, alone = (len(lzma.compress(part.encode(), preset=preset)) for part in (text + text[::-1], text))
    backwards = measured(text, text[::-1], "abcdefghé\n")
    assert backwards.xz == pytest.approx((whole - alone) * 8 * math.log(2) / 4000, rel=0.01)


def test_a_python_without_lzma_measures_the_rest(small_text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lzma", None)
    found = measured(small_text[:5000], small_text[5000:6000], small_text)
    assert found.xz is None
    assert [name for name, _ in named(found)] == ["uniform", "unigram", "bigram", "5-gram"]


@pytest.mark.parametrize("text", ["žluťoučký kůň \U0001f40e\n", "日本語のテキスト。", "a\ud800b"])
def test_any_characters_are_counted_as_characters(text: str) -> None:
    found = measured(text * 200, text * 20, text)
    assert found.uniform == pytest.approx(math.log(len(set(text))))
    assert found.five_gram < 0.05


def test_a_character_of_the_held_out_text_alone_costs_but_is_possible() -> None:
    found = measured("abab" * 50, "abab§abab", "ab§")
    assert all(math.isfinite(loss) for _, loss in named(found))
    assert found.five_gram > measured("abab" * 50, "ababababab", "ab§").five_gram


@pytest.mark.parametrize(("training", "held_out"), [("abcd", "abcd"), ("abcdefgh", "a"), ("abcdefgh", "")])
def test_too_short_a_text_is_refused_in_a_sentence(training: str, held_out: str) -> None:
    with pytest.raises(UsageError, match="too few for 5-grams"):
        measured(training, held_out, "abcdefgh")


def test_of_a_long_corpus_what_lies_around_the_cut_is_used_and_said(
    corpus_file: Path, small_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (baselines, measuring):
        monkeypatch.setattr(module, "TRAINING_AT_MOST", 1000)
        monkeypatch.setattr(module, "HELD_OUT_AT_MOST", 300)
    corpus = corpus_of(corpus_file)
    training, held_out, alphabet = texts(corpus)
    assert (training.decode(), held_out.decode()) == (
        small_text[corpus.held_out_at - 1000 : corpus.held_out_at],
        small_text[corpus.held_out_at :][:300],
    )
    assert in_words(measure(training, held_out, alphabet)).endswith(
        "nats per character (learnt from the last 1,000 characters, measured on the first 300 held out)"
    )
    assert in_words(FIGURES) == "uniform 4.000, unigram 3.000, bigram 2.500, 5-gram 1.500, xz 1.750 nats per character"


@pytest.mark.parametrize("tokens", ["char", "byte", "word", "printable"])
def test_the_text_is_spelled_a_part_at_a_time_whatever_its_tokens_are(
    tokens: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (baselines, measuring):
        monkeypatch.setattr(module, "TRAINING_AT_MOST", 700)
    monkeypatch.setattr(measuring, "_PART", 37)
    text = "The kůň said: „Žluťoučký \U0001f40e, don't!“\n" * 40
    (tmp_path / "text").write_text(text)
    corpus = corpus_of(tmp_path / "text", tokens=tokens)
    whole = corpus.vocabulary.decode(corpus.train_ids)
    training, _, alphabet = texts(corpus)
    assert training.decode() == whole[-700:]
    assert measuring.characters_in(training) == 700
    found = measured("x" + whole, whole[:99], alphabet)
    monkeypatch.undo()
    assert found == measured("x" + whole, whole[:99], alphabet)


def test_figures_are_kept_and_read_again(tmp_path: Path) -> None:
    place = tmp_path / "new" / "figures.json"
    assert read(place) is None
    keep(place, FIGURES)
    assert read(place) == FIGURES
    assert json.loads(place.read_text())["five_gram"] == 1.5
    assert [path.name for path in place.parent.iterdir()] == ["figures.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"uniform": 1}',
        msgspec.json.encode(FIGURES)[:-5],
        msgspec.json.encode(replace(FIGURES, method=baselines.METHOD + 1)),
    ],
)
def test_what_is_damaged_or_of_another_method_is_measured_again(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_bytes(content)
    assert read(tmp_path / "figures.json") is None


def test_another_text_cut_or_alphabet_has_another_place(corpus_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(corpus_file.read_text() + "And so on.\n")
    kinds = [
        corpus_of(corpus_file),
        corpus_of(corpus_file, validation=0.2),
        corpus_of(corpus_file, tokens="printable"),
        corpus_of(other),
    ]
    assert len({cache_place(corpus) for corpus in kinds}) == len(kinds)
    assert cache_place(corpus_of(corpus_file)) == cache_place(kinds[0])


def test_who_only_shows_them_needs_no_numpy() -> None:
    code = "import sys, charrnn.text.baselines; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""A text as ids, cut into the part that is learnt from and the part that is held out. No torch here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from charrnn.config import CorpusConfig, UsageError
from charrnn.text.sources import read_source
from charrnn.text.vocabulary import Ids, Vocabulary, Words, vocabulary_of

_SEARCHED_FOR_PRIME = 20_000  # characters
_PRIME_AT_MOST = 60
_PRIME_AT_LEAST = 12


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text as ids, shape (tokens,); the last of them, from `held_out_at` on, are never trained on.

    `sha256` is the digest of the text in UTF-8 as it was decoded and folded, `note` says how that happened. The
    vocabulary is that of the whole text, so that the held-out part has no unknown characters.
    """

    name: str
    place: str
    ids: Ids
    vocabulary: Vocabulary
    held_out_at: int
    sha256: str
    note: str

    @cached_property
    def characters(self) -> int:
        """How many characters there are in all, whatever the tokens are."""
        return self.train_characters + self.vocabulary.characters_in(self.held_out_ids)

    @cached_property
    def train_characters(self) -> int:
        """How many characters there are before the held-out part."""
        return self.vocabulary.characters_in(self.train_ids)

    @property
    def train_ids(self) -> Ids:
        """The ids to learn from: a view."""
        return self.ids[: self.held_out_at]

    @property
    def held_out_ids(self) -> Ids:
        """The ids held out: a view, empty where nothing is."""
        return self.ids[self.held_out_at :]

    def head(self, n: int) -> str:
        """The first n characters, as the model sees them."""
        return self.vocabulary.head(self.ids, n)

    def held_out_head(self, n: int) -> str:
        """The first n characters of the held-out part."""
        return self.vocabulary.head(self.held_out_ids, n)

    def line_for_prime(self) -> str:
        """A line to start a text with, at most 60 characters, cut after a word; the same one every time.

        The first line that is mostly letters, of the held-out part if there is one; failing that the first that is not
        blank; "" if there is none of those either.
        """
        part = self.held_out_ids if len(self.held_out_ids) else self.ids
        text = self.vocabulary.head(part, _SEARCHED_FOR_PRIME)
        if part is not self.ids and "\n" in text:
            text = text[text.index("\n") + 1 :]  # the held-out part begins wherever it was cut
        lines = [line for line in (line.strip() for line in text.split("\n")) if line]
        return _cut_after_a_word(next(filter(_reads_as_a_line, lines), lines[0] if lines else ""))


def load_corpus(config: CorpusConfig, stdin_text: str | None = None) -> Corpus:
    """Read the source, fold it, map it to ids and hold its end out, as the configuration says.

    `config.sha256` is not compared: whoever starts an old run again does that. Raises UsageError, one sentence.
    """
    if not 0 <= config.validation < 1:
        raise UsageError(
            f"The held-out fraction is {config.validation}; give one from 0 (nothing held out) to below 1 "
            "(`--validation 0.1`)."
        )
    source = read_source(config.source, ascii=config.ascii, stdin_text=stdin_text)
    note = source.note
    vocabulary = vocabulary_of(config.tokens, [source.text], config.max_vocabulary)
    if config.tokens == "printable":
        replaced = vocabulary.unknown(source.text)
        if replaced:
            note += f", {len(replaced):,} characters outside string.printable replaced by '?'"
    if isinstance(vocabulary, Words):
        note += ", rare words spelled by characters"
    ids = vocabulary.encode(source.text)
    return Corpus(
        name=config.name or source.name,
        place=source.place,
        ids=ids,
        vocabulary=vocabulary,
        held_out_at=vocabulary.border(ids, len(ids) - int(len(ids) * config.validation)),
        sha256=_sha256(source.text),
        note=note,
    )


def _sha256(text: str, portion: int = 1 << 20) -> str:
    digest = hashlib.sha256()
    for at in range(0, len(text), portion):
        digest.update(text[at : at + portion].encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _reads_as_a_line(line: str) -> bool:
    letters = sum(character.isalpha() or character == " " for character in line)
    return len(line) >= _PRIME_AT_LEAST and letters >= 0.8 * len(line)


def _cut_after_a_word(line: str) -> str:
    if len(line) <= _PRIME_AT_MOST:
        return line
    head = line[: _PRIME_AT_MOST + 1]
    return head[: head.rfind(" ")].rstrip() if " " in head else line[:_PRIME_AT_MOST]

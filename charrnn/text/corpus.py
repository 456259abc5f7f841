"""A text as ids, cut into the part that is learnt from and the part that is held out. No torch here."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

from charrnn.config import CorpusConfig, UsageError
from charrnn.text import stored
from charrnn.text.downloads import Progress
from charrnn.text.positions import Positions
from charrnn.text.sources import Reading, open_source
from charrnn.text.vocabulary import Ids, Vocabulary

_SEARCHED_FOR_PRIME = 20_000  # characters
_PRIME_AT_MOST = 60
_PRIME_AT_LEAST = 12


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text as ids, shape (tokens,); the last of them, from `held_out_at` on, are never trained on.

    `sha256` is the digest of the text in UTF-8 as it was decoded and folded, `note` says how that happened. The
    vocabulary is that of the whole text, so that the held-out part has no unknown characters. `warning` is a sentence
    for the user, or "". `descriptor` is the open file that the ids lie in, if they lie in one: nothing changes them
    while it is open.
    """

    name: str
    place: str
    ids: Ids
    vocabulary: Vocabulary
    held_out_at: int
    sha256: str
    note: str
    warning: str = ""
    descriptor: int | None = None

    @cached_property
    def characters(self) -> int:
        """How many characters there are in all, whatever the tokens are."""
        return self.positions.characters

    @cached_property
    def train_characters(self) -> int:
        """How many characters there are before the held-out part."""
        return self.positions.before(self.held_out_at)

    @cached_property
    def positions(self) -> Positions:
        """Where each token stands among the characters; made in one passage where tokens are no characters."""
        return Positions(self.ids, self.vocabulary)

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


def load_corpus(
    config: CorpusConfig,
    stdin_text: str | None = None,
    *,
    piped: str | None = None,
    progress: Progress = lambda *_: None,
) -> Corpus:
    """Read the source, fold it, map it to ids and hold its end out, as the configuration says.

    The ids lie in the cache (see `charrnn.text.stored`), but those of a text that is given here; standard input can
    also be given as the file that it was `piped` into. `progress` is called
    now and then, and may raise to end it. `config.sha256` is not compared: whoever starts an old run again does that.
    Raises UsageError, one sentence.
    """
    _check_fraction(config)
    source = open_source(
        config.source,
        ascii=config.ascii,
        encoding=config.encoding,
        stdin_text=stdin_text,
        piped=piped,
        progress=progress,
    )
    name = config.name or source.name
    if stdin_text is None:
        with closing(source):
            try:
                return _corpus(config, name, source.place, stored.load(source, config, progress))
            except UsageError:
                source.forget()
                raise
    reading = Reading(source)
    text = "".join(reading.chunks())
    vocabulary, remark = stored.vocabulary_of(config, [text])
    ids = vocabulary.encode(text)
    return Corpus(
        name=name,
        place=source.place,
        ids=ids,
        vocabulary=vocabulary,
        held_out_at=_held_out_at(config, vocabulary, ids),
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        note=stored.with_remark(reading.note, remark),
    )


def kept_corpus(config: CorpusConfig) -> Corpus | None:
    """The corpus whose digest `config` records, if its ids are still in the cache, whatever became of its source."""
    found = stored.find(config)
    return None if found is None else _corpus(config, config.name, config.source, found)


def _corpus(config: CorpusConfig, name: str, place: str, found: stored.StoredIds) -> Corpus:
    return Corpus(
        name=name,
        place=place,
        ids=found.ids,
        vocabulary=found.vocabulary,
        held_out_at=_held_out_at(config, found.vocabulary, found.ids),
        sha256=found.sha256,
        note=found.note,
        warning=found.warning,
        descriptor=found.descriptor,
    )


def _held_out_at(config: CorpusConfig, vocabulary: Vocabulary, ids: Ids) -> int:
    return vocabulary.border(ids, len(ids) - int(len(ids) * config.validation))


def _check_fraction(config: CorpusConfig) -> None:
    if not 0 <= config.validation < 1:
        raise UsageError(
            f"The held-out fraction is {config.validation}; give one from 0 (nothing held out) to below 1 "
            "(`--validation 0.1`)."
        )


def _reads_as_a_line(line: str) -> bool:
    letters = sum(character.isalpha() or character == " " for character in line)
    return len(line) >= _PRIME_AT_LEAST and letters >= 0.8 * len(line)


def _cut_after_a_word(line: str) -> str:
    if len(line) <= _PRIME_AT_MOST:
        return line
    head = line[: _PRIME_AT_MOST + 1]
    return head[: head.rfind(" ")].rstrip() if " " in head else line[:_PRIME_AT_MOST]

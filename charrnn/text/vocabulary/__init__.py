"""Text to ids and back: by characters, by bytes, or by words. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from charrnn.config import Tokens
from charrnn.presets import MAX_VOCABULARY
from charrnn.text.vocabulary.base import Decoder, Ids, Vocabulary
from charrnn.text.vocabulary.characters import Characters
from charrnn.text.vocabulary.utf8 import Bytes
from charrnn.text.vocabulary.words import Words

__all__ = ["Bytes", "Characters", "Decoder", "Ids", "Vocabulary", "Words", "from_facts", "vocabulary_of"]


def vocabulary_of(tokens: Tokens, chunks: Iterable[str], max_vocabulary: int | None = None) -> Vocabulary:
    """The vocabulary of a corpus that comes in pieces; `max_vocabulary` is for words alone.

    Raises UsageError, ValueError for a text without a character where it takes some.
    """
    match tokens:
        case "char":
            return Characters.of_chunks(chunks)
        case "printable":
            return Characters.printable()
        case "byte":
            return Bytes.of_chunks(chunks)
        case "word":
            return Words.of_chunks(chunks, max_vocabulary or MAX_VOCABULARY)


def from_facts(facts: Mapping[str, Any]) -> Vocabulary:
    """The vocabulary whose `facts()` these are; further entries are passed over.

    Facts without "tokens", as runs before there were other kinds have them, are of characters. Raises KeyError,
    TypeError or ValueError for what are no facts.
    """
    match facts.get("tokens", "char"):
        case "char":
            return Characters(facts["symbols"], facts["replacement"])
        case "byte":
            return Bytes()
        case "word":
            return Words(facts["symbols"], tuple(facts["words"]))
        case other:
            raise ValueError(f"tokens {other!r} are of no known kind")

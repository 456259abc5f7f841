"""What every vocabulary can do, whatever its tokens are. No torch here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.config import UsageError

Ids = NDArray[np.unsignedinteger]

PORTION = 1 << 20  # ids or characters at a time, where those of a whole corpus would fill the memory


class Decoder(Protocol):
    """Ids to text one after the other, for text that is shown while it is made."""

    def feed(self, token: int) -> str:
        """The text that this token completes, whole characters: "" while one waits for its rest."""


class Vocabulary(ABC):
    """The tokens that a model knows, numbered from 0.

    A text is what its tokens spell: `decode(encode(text)) == text`, except for characters that a replacement stands
    for. Losses are quoted per character, whatever a token is: `characters_in` is what they are divided by.
    """

    unit: ClassVar[str]
    """What a token is, in a word."""
    one_each: ClassVar[bool] = False
    """Whether every token spells just one character."""

    @abstractmethod
    def __len__(self) -> int:
        """How many tokens there are: the ids are 0 … len − 1."""

    @abstractmethod
    def __contains__(self, character: object) -> bool:
        """Whether texts with this character can be encoded as they are."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """The vocabulary in a few words: "65 symbols"."""

    @property
    @abstractmethod
    def alphabet(self) -> str:
        """The characters that are contained, in order; "" where every character is."""

    @property
    @abstractmethod
    def texts(self) -> Sequence[str]:
        """What each token spells, in the order of the ids; U+FFFD for a part of a character."""

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """The ids of the text's tokens, shape (tokens,), of type `dtype`.

        Raises UsageError naming the characters that are not contained, if none stands for them.
        """

    @abstractmethod
    def encode_chunks(self, chunks: Iterable[str]) -> Iterator[Ids]:
        """The ids of a text that comes in pieces, cut anywhere: joined, they are those of the whole text."""

    @abstractmethod
    def decode(self, ids: NDArray[np.integer]) -> str:
        """The text of the ids, shape (tokens,). Raises IndexError for an id that is none."""

    @abstractmethod
    def decoder(self) -> Decoder:
        """A new decoder, at the beginning of a text."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What `from_facts` makes it again from: strings and lists of strings, as JSON and msgpack have them."""

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest unsigned type that holds every id."""
        return np.dtype(np.min_scalar_type(len(self) - 1))

    def unknown(self, text: str) -> list[str]:
        """The distinct characters of the text that are not contained, in the order they first appear."""
        return [character for character in dict.fromkeys(text) if character not in self]

    def known(self, text: str) -> str:
        """The text without the characters that are not contained."""
        unknown = self.unknown(text)
        return text.translate(dict.fromkeys(map(ord, unknown))) if unknown else text

    def characters_in(self, ids: NDArray[np.integer]) -> int:
        """How many characters the ids, of any shape, spell; a character counts where its first token stands."""
        return ids.size

    def spelled(self, ids: NDArray[np.integer]) -> NDArray[np.uint8]:
        """How many characters each of the ids (tokens,) counts for, shape (tokens,); their sum is `characters_in`."""
        return np.ones(ids.shape, dtype=np.uint8)

    def head(self, ids: NDArray[np.integer], characters: int) -> str:
        """The first so many characters of the text of ids (tokens,), or all if there are fewer."""
        return self.decode(ids[: max(0, characters)])[: max(0, characters)]

    def border(self, ids: NDArray[np.integer], at: int) -> int:
        """The last place at or before `at` where a character begins: where ids (tokens,) may be cut."""
        return at


def complaint(unknown: list[str]) -> UsageError:
    """The error of a text with characters that a vocabulary has no id for."""
    named = ", ".join(map(repr, unknown[:10])) + (f" and {len(unknown) - 10:,} more" if len(unknown) > 10 else "")
    it = "it" if len(unknown) == 1 else "them"
    return UsageError(
        f"The text has {'a character' if len(unknown) == 1 else 'characters'} that the model does not know "
        f"({named}); leave {it} out, or train a model on a text that has {it}."
    )


def lengths_summed(lengths: NDArray[np.uint8], ids: NDArray[np.integer]) -> int:
    """The sum of what a table (tokens,) says of the ids, of any shape, a portion at a time."""
    flat = ids.reshape(-1)
    return sum(int(lengths[flat[at : at + PORTION]].sum(dtype=np.int64)) for at in range(0, flat.size, PORTION))

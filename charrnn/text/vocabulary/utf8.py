"""The bytes of a text's UTF-8 form as tokens. No torch here."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from charrnn.text.vocabulary.base import PORTION, Ids, Vocabulary, complaint

_LONGEST = 4  # bytes of a character


@dataclass(frozen=True)
class Bytes(Vocabulary):
    """The 256 bytes: any text of any corpus can be encoded, and a character takes one to four tokens.

    What decoding finds malformed becomes U+FFFD, as section 3.9 of the Unicode standard recommends. A lone surrogate
    has no UTF-8 form and is the only thing that is not contained.
    """

    unit: ClassVar[str] = "byte"

    @staticmethod
    def of_chunks(chunks: Iterable[str]) -> Bytes:
        """The same for every text, which is not read."""
        return Bytes()

    def __len__(self) -> int:
        """256."""
        return 256

    def __contains__(self, character: object) -> bool:
        """Whether it has a UTF-8 form."""
        return isinstance(character, str) and not ("\ud800" <= character <= "\udfff")

    @property
    def summary(self) -> str:
        """What a corpus pane says."""
        return "256 bytes"

    @property
    def alphabet(self) -> str:
        """Nothing in particular: every character."""
        return ""

    @property
    def texts(self) -> Sequence[str]:
        """ASCII, then U+FFFD for what is only part of a character."""
        return [*map(chr, range(0x80)), *["�"] * 0x80]

    def encode(self, text: str) -> Ids:
        """The text in UTF-8, shape (bytes,) uint8. Raises UsageError for a lone surrogate."""
        try:
            return np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
        except UnicodeEncodeError:
            raise complaint(self.unknown(text)) from None

    def encode_chunks(self, chunks: Iterable[str]) -> Iterator[Ids]:
        """The bytes of a text that comes in pieces, an array for each."""
        return map(self.encode, chunks)

    def decode(self, ids: NDArray[np.integer]) -> str:
        """The text of the bytes, shape (bytes,); U+FFFD where they are malformed. Raises IndexError for no byte."""
        ids = np.asarray(ids)
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) <= 0xFF:
            raise IndexError("a byte is from 0 to 255")
        return ids.astype(np.uint8).tobytes().decode("utf-8", "replace")

    def decoder(self) -> ByteDecoder:
        """A character comes with its last byte; a malformed one, as U+FFFD, with the first byte that cannot be its."""
        return ByteDecoder()

    def facts(self) -> dict[str, Any]:
        """Only the name: every vocabulary of bytes is the same."""
        return {"tokens": "byte"}

    def characters_in(self, ids: NDArray[np.integer]) -> int:
        """The bytes that begin a character: all but the continuation bytes 0x80 … 0xBF."""
        flat = ids.reshape(-1)
        portions = (flat[at : at + PORTION] for at in range(0, flat.size, PORTION))
        return sum(int(np.count_nonzero((portion & 0xC0) != 0x80)) for portion in portions)

    def spelled(self, ids: NDArray[np.integer]) -> NDArray[np.uint8]:
        """1 for a byte that begins a character, 0 for the others."""
        begins: NDArray[np.bool_] = (ids & 0xC0) != 0x80
        return begins.astype(np.uint8)

    def head(self, ids: NDArray[np.integer], characters: int) -> str:
        """The first so many characters of the text of ids (bytes,), or all if there are fewer."""
        return self.decode(ids[: _LONGEST * max(0, characters)])[: max(0, characters)]

    def border(self, ids: NDArray[np.integer], at: int) -> int:
        """The last place at or before `at` where a character begins, in well-formed text."""
        while 0 < at < len(ids) and int(ids[at]) & 0xC0 == 0x80:
            at -= 1
        return at


class ByteDecoder:
    """Bytes to whole characters."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, token: int) -> str:
        """Nothing while a character waits for its rest, which is three bytes at most."""
        text = self._utf8.decode(bytes((token,)))
        if _never_a_character(self._utf8.getstate()[0]):
            text += self._utf8.decode(b"", final=True)
        return text


def _never_a_character(waiting: bytes) -> bool:
    """Whether these begin a surrogate, for whose last byte Python's decoder waits although no such text exists."""
    return len(waiting) > 1 and waiting[0] == 0xED and waiting[1] >= 0xA0

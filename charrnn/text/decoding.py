"""Bytes to characters: which encoding they are in, and what could not be decoded. No torch here, and no numpy.

The decision, in this order: a byte order mark; UTF-8, if that is what all of it is; UTF-8 with damage, if most of what
is not ASCII is UTF-8; else a legacy encoding, by charset-normalizer's judgement of the lines that are not ASCII.
"""

from __future__ import annotations

import codecs
import io
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from charrnn.config import UsageError

AUTO = "auto"

_UNDECODABLE = "\ufffd"
_SAMPLE = 1 << 16  # bytes that are not ASCII, and the rest of their lines, for the judgement of legacy encodings
_SEARCHED_FOR_SAMPLE = 1 << 24  # bytes
_HEAD = 1 << 16  # bytes in which control characters are counted
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))

_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)

# What a text that is not Unicode is likely to be in. windows-1252 holds Latin-1's letters too.
_LIKELIEST = "cp1252"
_LEGACY = (
    *(_LIKELIEST, "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
    *("iso8859_2", "iso8859_15", "koi8_r", "koi8_u", "cp866", "cp850", "cp437"),
)
_OLD_MAC = "mac_roman"
_EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "big5", "cp949")
_LATIN = ("cp1250", "cp1254", "cp1257", "cp1258", "iso8859_2", "iso8859_15", _OLD_MAC)
_THOROUGH: dict[str, Any] = {"steps": 10, "chunk_size": 1024, "enable_fallback": False}
_NO_DIFFERENCE = 0.02  # between two of charset-normalizer's ratios


@dataclass(frozen=True, slots=True)
class Encoding:
    """`codec` is Python's name for it, `words` are how it is told, with how it was found out."""

    codec: str
    words: str


UTF_8 = Encoding("utf-8", "UTF-8")


class BinaryError(Exception):
    """These bytes are no text; `reason` is the rest of a sentence that says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Damage:
    """How many bytes could not be decoded; each run of them became U+FFFD in the text."""

    def __init__(self) -> None:
        self.bytes = 0

    def words(self) -> str:
        """What is to be told of it, as in "3 undecodable bytes shown as �"; nothing if there were none."""
        return f"{self.bytes:,} undecodable byte{'s' * (self.bytes != 1)} shown as {_UNDECODABLE}" if self.bytes else ""


def named(name: str) -> Encoding:
    """The encoding that a user named. Raises UsageError for one that Python does not know as an encoding of text."""
    try:
        codec = codecs.lookup(name)
        b"abcd".decode(name, "replace")  # "hex" and its like are codecs, but not of text
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError, UnicodeError):
        raise UsageError(
            f"There is no encoding {name!r}; give one that Python knows, such as utf-8, utf-16, latin-1, cp1251 or "
            "shift_jis, or auto."
        ) from None
    return Encoding(codec.name, f"{codec.name.upper() if codec.name.startswith('utf') else codec.name} as asked")


def decide(portions: Iterable[bytes]) -> Encoding:
    """What the bytes are encoded in: reads them all if they are UTF-8, else as far as the decision takes.

    Raises BinaryError for bytes that are no text: a NUL among them without a mark of UTF-16 or UTF-32, or many control
    characters at their beginning.
    """
    portions = iter(portions)
    first = next(portions, b"")
    for mark, codec, words in _MARKS:
        if first.startswith(mark):
            return Encoding(codec, f"{words} by its byte order mark")
    head = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    continuing = place = 0
    before = b""
    for portion in chain([first], portions):
        nul = portion.find(0)
        if nul >= 0:
            raise BinaryError(f"a NUL at byte {place + nul}")
        head += portion[: _HEAD - len(head)]
        pending = decoder.getstate()[0]
        try:
            continuing += len(portion) - len(decoder.decode(portion))
        except UnicodeDecodeError:
            _refuse_controls(head)
            return _decide_otherwise(chain([pending + portion], portions), continuing)
        place += len(portion)
        before = portion
    _refuse_controls(head)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _decide_otherwise([before], continuing)
    return UTF_8


def _refuse_controls(head: bytes) -> None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls >= 8 and controls > len(head) * 0.05:
        raise BinaryError(f"{controls:,} control characters in its first {len(head):,} bytes")


def _decide_otherwise(portions: Iterable[bytes], continuing: int) -> Encoding:
    """The encoding of bytes that are not all UTF-8, `continuing` of which were parts of valid sequences before."""
    sample = _lines_not_ascii(portions)
    shown = sample.decode("utf-8", "replace")
    bad = shown.count(_UNDECODABLE)
    good = sum(not character.isascii() for character in shown) - bad
    if good + continuing > 4 * bad:
        return Encoding("utf-8", "UTF-8 with damage")
    codec = _judged(sample)
    return Encoding(codec, f"{codec} by its looks (--encoding overrules)")


def _lines_not_ascii(portions: Iterable[bytes]) -> bytes:
    """Lines that hold more than ASCII, up to `_SAMPLE` bytes of them."""
    sample = bytearray()
    rest = b""
    read = 0
    for portion in portions:
        *lines, rest = (rest + portion).split(b"\n")
        for line in lines:
            if not line.isascii() and len(sample) < _SAMPLE:
                sample += line + b"\n"
        read += len(portion)
        if len(sample) + len(rest) >= _SAMPLE or read >= _SEARCHED_FOR_SAMPLE:
            break
    if not rest.isascii():
        sample += rest
    return bytes(sample[:_SAMPLE])


def _judged(sample: bytes) -> str:
    """The legacy encoding that charset-normalizer thinks likeliest.

    windows-1252 where it finds none, or no difference between that and another Latin one. Where a text is mostly ASCII,
    the two or more bytes of a character of East Asia are more likely a letter and its neighbour. mac_roman is meant
    only where lines end as on a Macintosh of its time.
    """
    from charset_normalizer import from_bytes  # loaded for the few texts that need it

    dense = sum(byte >= 0x80 for byte in sample) > 0.25 * len(sample)
    if dense:
        for cut in range(4):  # the sample may end within a character
            matches = from_bytes(sample[: len(sample) - cut], cp_isolation=[*_LEGACY, *_EAST_ASIAN], **_THOROUGH)
            best = matches.best()
            if best is not None and best.encoding in _EAST_ASIAN:
                return best.encoding
    old_mac = b"\r" in sample.replace(b"\r\n", b"")
    legacy = [*_LEGACY, _OLD_MAC] if old_mac else list(_LEGACY)
    matches = from_bytes(sample, cp_isolation=legacy, **_THOROUGH)
    best = matches.best()
    if best is None:
        return _LIKELIEST
    for match in matches if best.encoding in _LATIN else ():
        alike = match.chaos <= best.chaos + _NO_DIFFERENCE and match.coherence >= best.coherence - _NO_DIFFERENCE
        if alike and _LIKELIEST in match.could_be_from_charset:
            return _LIKELIEST
    return best.encoding


class _Count(threading.local):
    bytes = 0


_count = _Count()


def _show(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _count.bytes += error.end - error.start
    return _UNDECODABLE, error.end


codecs.register_error("charrnn-show", _show)


def decoded(portions: Iterable[bytes], encoding: Encoding, damage: Damage) -> Iterator[str]:
    """The characters of the bytes, in portions, wherever the bytes were cut.

    A byte order mark is left out, every line ends in a line feed. What cannot be decoded becomes U+FFFD and is counted
    in `damage`. Raises UsageError where a codec gives up on the whole.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding.codec)("charrnn-show"), translate=True)
    first = True
    for portion, final in chain(((portion, False) for portion in portions), [(b"", True)]):
        before = _count.bytes
        try:
            text = decoder.decode(portion, final=final)
        except (UnicodeError, ValueError) as error:
            raise UsageError(
                f"The text cannot be read as {encoding.codec} ({error}); give another --encoding."
            ) from None
        damage.bytes += _count.bytes - before
        if text and first:
            text, first = text.removeprefix("\ufeff"), False
        if text:
            yield text

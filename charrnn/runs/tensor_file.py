"""safetensors files: written a tensor at a time, and looked through before anything is made of one. No torch here.

Eight bytes with the length of the header (little-endian), the header, which is JSON ({name: {"dtype", "shape",
"data_offsets"}}, padded with spaces to a multiple of eight), then the tensors' bytes without gaps:
https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from charrnn.runs.durable import read_exactly

HEADER_AT_MOST = 4 << 20
"""Bytes: some thirty thousand tensors."""
ITEM_BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "I32": 4, "I64": 8, "F16": 2, "BF16": 2, "F32": 4, "F64": 8}

Size = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tensor in a header; offsets are bytes from the header's end."""

    dtype: str
    shape: Annotated[tuple[Size, ...], msgspec.Meta(max_length=8)]
    data_offsets: tuple[Size, Size]

    @property
    def bytes(self) -> int:
        """What its shape says."""
        return math.prod(self.shape) * ITEM_BYTES.get(self.dtype, 0)


Header = dict[str, Entry]
_decoder = msgspec.json.Decoder(Header)


def portions(tensors: Sequence[tuple[str, str, tuple[int, ...], memoryview]]) -> Iterator[bytes | memoryview]:
    """A file's bytes, of tensors as name, dtype, shape and bytes; the header first, then each as it lies in memory.

    The widest numbers come first, so that every tensor lies at a multiple of its numbers' size.
    """
    ordered = sorted(tensors, key=lambda t: (-ITEM_BYTES[t[1]], t[0]))
    header, at = {}, 0
    for name, dtype, shape, data in ordered:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": (at, at + data.nbytes)}
        at += data.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for *_, data in ordered:
        if data.nbytes:
            yield data


def read_header(descriptor: int, size: int) -> Header:
    """The header of a file of `size` bytes, with every entry checked. Raises ValueError with a clause, OSError."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    length = int.from_bytes(read_exactly(descriptor, 8), "little")
    if size < 8 or length > size - 8:
        raise ValueError("it is no safetensors file, or cut off")
    if length > HEADER_AT_MOST:
        raise ValueError(f"its header has {length:,} bytes, and {HEADER_AT_MOST:,} are the most it may have")
    text = read_exactly(descriptor, length)
    try:
        header = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"its header cannot be read: {error}") from None
    if text.count(b'"data_offsets"') != len(header):
        raise ValueError("its header has a tensor twice")
    at = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1].data_offsets):
        begin, end = entry.data_offsets
        if entry.dtype not in ITEM_BYTES:
            raise ValueError(f"its tensor {name[:100]!r} is of an unknown kind")
        if begin != at or end - begin != entry.bytes:
            raise ValueError(f"its tensor {name[:100]!r} does not lie where its shape needs it")
        at = end
    if at != size - 8 - length:
        raise ValueError("its tensors do not fill it")
    return header

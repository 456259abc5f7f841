"""Frames on a byte stream: four bytes of length, big-endian, then one msgpack message (msgspec). No torch here."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, BinaryIO

import msgspec

from charrnn.engine.messages import ClientMessage, EngineMessage
from charrnn.engine.trainer_messages import FromTrainer, ToTrainer

MAXIMUM_FRAME = 16 * 1024 * 1024
FROM_CLIENT = 1024 * 1024
"""Bytes of the longest frame that an engine takes from a client, and of the first, which only says hello."""
HELLO = 4096
_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()

Decoder = msgspec.msgpack.Decoder
from_client: Decoder[Any] = Decoder(ClientMessage)
from_engine: Decoder[Any] = Decoder(EngineMessage)
to_trainer: Decoder[Any] = Decoder(ToTrainer)
from_trainer: Decoder[Any] = Decoder(FromTrainer)


class WireError(Exception):
    """What arrived is no message of this protocol: too long a frame, broken msgpack, an unknown type."""


def frame(message: ClientMessage | EngineMessage | ToTrainer | FromTrainer) -> bytes:
    """One message as the bytes that go over the socket."""
    body = _encoder.encode(message)
    if len(body) > MAXIMUM_FRAME:
        raise WireError(f"a message of {len(body):,} bytes is longer than a frame may be")
    return _LENGTH.pack(len(body)) + body


def _length_of(header: bytes, most: int = MAXIMUM_FRAME) -> int:
    (length,) = _LENGTH.unpack(header)
    if length > most:
        raise WireError(f"a frame of {length:,} bytes was announced; {most:,} is the most")
    return int(length)


def _decode(body: bytes, decoder: Decoder[Any]) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from None


async def read(
    reader: asyncio.StreamReader, decoder: Decoder[Any], most: int = MAXIMUM_FRAME, within: float | None = None
) -> Any:
    """The next message that `decoder` knows, None at the end of the connection.

    Raises WireError, for a frame of more than `most` bytes too, before any of it is read, and for one that is not there
    `within` so many seconds after its first byte.
    """
    first = await reader.read(1)
    if not first:
        return None
    try:
        async with asyncio.timeout(within):
            header = first + await reader.readexactly(_LENGTH.size - 1)
            body = await reader.readexactly(_length_of(header, most))
    except asyncio.IncompleteReadError:
        raise WireError("the connection closed inside a frame") from None
    except TimeoutError:
        raise WireError(f"a frame was not whole after {within:g} s") from None
    return _decode(body, decoder)


def read_blocking(stream: BinaryIO, decoder: Decoder[Any]) -> Any:
    """The same from a blocking stream, for the trainer."""
    header = stream.read(_LENGTH.size)
    if not header:
        return None
    if len(header) < _LENGTH.size:
        raise WireError("the connection closed inside a frame's length")
    length = _length_of(header)
    body = stream.read(length)
    if len(body) < length:
        raise WireError("the connection closed inside a frame")
    return _decode(body, decoder)

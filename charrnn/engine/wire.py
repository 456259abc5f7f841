"""Frames on a byte stream: four bytes of length, big-endian, then one msgpack message (msgspec). No torch here."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, BinaryIO

import msgspec

from charrnn.engine.messages import ClientMessage, EngineMessage
from charrnn.engine.trainer_messages import FromTrainer, ToTrainer

MAXIMUM_FRAME = 16 * 1024 * 1024
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


def _length_of(header: bytes) -> int:
    (length,) = _LENGTH.unpack(header)
    if length > MAXIMUM_FRAME:
        raise WireError(f"a frame of {length:,} bytes was announced; {MAXIMUM_FRAME:,} is the most")
    return int(length)


def _decode(body: bytes, decoder: Decoder[Any]) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from None


async def read(reader: asyncio.StreamReader, decoder: Decoder[Any]) -> Any:
    """The next message that `decoder` knows, None at the end of the connection. Raises WireError."""
    try:
        header = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("the connection closed inside a frame's length") from None
        return None
    try:
        return _decode(await reader.readexactly(_length_of(header)), decoder)
    except asyncio.IncompleteReadError:
        raise WireError("the connection closed inside a frame") from None


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

"""Frames on a byte stream: four bytes of length, big-endian, then one msgpack message (msgspec). No torch here."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, cast

import msgspec

from charrnn.engine.messages import ClientMessage, EngineMessage

MAXIMUM_FRAME = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_from_client: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ClientMessage)
_from_engine: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(EngineMessage)


class WireError(Exception):
    """What arrived is no message of this protocol: too long a frame, broken msgpack, an unknown type."""


def frame(message: ClientMessage | EngineMessage) -> bytes:
    """One message as the bytes that go over the socket."""
    body = _encoder.encode(message)
    if len(body) > MAXIMUM_FRAME:
        raise WireError(f"a message of {len(body):,} bytes is longer than a frame may be")
    return _LENGTH.pack(len(body)) + body


async def _read_frame(reader: asyncio.StreamReader) -> bytes | None:
    try:
        header = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("the connection closed inside a frame's length") from None
        return None
    (length,) = _LENGTH.unpack(header)
    if length > MAXIMUM_FRAME:
        raise WireError(f"a frame of {length:,} bytes was announced; {MAXIMUM_FRAME:,} is the most")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise WireError("the connection closed inside a frame") from None


async def read_from_client(reader: asyncio.StreamReader) -> ClientMessage | None:
    """The next message of a client, None at the end of the connection. Raises WireError."""
    body = await _read_frame(reader)
    try:
        return None if body is None else cast(ClientMessage, _from_client.decode(body))
    except msgspec.DecodeError as error:
        raise WireError(str(error)) from None


async def read_from_engine(reader: asyncio.StreamReader) -> EngineMessage | None:
    """The next message of the engine, None at the end of the connection. Raises WireError."""
    body = await _read_frame(reader)
    try:
        return None if body is None else cast(EngineMessage, _from_engine.decode(body))
    except msgspec.DecodeError as error:
        raise WireError(str(error)) from None

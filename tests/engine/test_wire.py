from __future__ import annotations

import asyncio
import io
from dataclasses import asdict
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine import wire
from charrnn.engine.messages import Generated, Losses, LossPoint, RunRequest, SetKnobs, Start, Text


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


def received(data: bytes, decoder: wire.Decoder[object]) -> list[object]:
    async def go() -> list[object]:
        reader, found = fed(data), []
        while (message := await wire.read(reader, decoder)) is not None:
            found.append(message)
        return found

    return asyncio.run(go())


def read_to_the_end(stream: BinaryIO) -> None:
    while wire.read_blocking(stream, wire.from_engine) is not None:
        pass


MESSAGES = [
    Text([Generated(7, "a\x1b[2J漢", Knobs(temperature=1.5), 2, 9, False, 40)]),
    Losses([LossPoint(1, 200, 0.5, None, 2.0, 0.005, True)], first=True),
]


def test_messages_arrive_as_they_were_sent() -> None:
    assert received(b"".join(map(wire.frame, MESSAGES)), wire.from_engine) == MESSAGES
    asked = [SetKnobs(Knobs(top_k=3, greedy=True)), Start(RunRequest(target="x", options={"lr": 0.1, "steps": 3}))]
    assert received(b"".join(map(wire.frame, asked)), wire.from_client) == asked
    assert [asdict(m.knobs) for m in received(wire.frame(asked[0]), wire.from_client)] == [asdict(asked[0].knobs)]


@given(st.data())
def test_a_connection_cut_anywhere_is_an_end_or_an_error_and_never_half_a_message(data: st.DataObject) -> None:
    whole = wire.frame(MESSAGES[0]) + wire.frame(MESSAGES[1])
    ends = {0, len(wire.frame(MESSAGES[0])), len(whole)}
    at = data.draw(st.integers(0, len(whole)))
    if at in ends:
        assert received(whole[:at], wire.from_engine) == MESSAGES[: sorted(ends).index(at)]
    else:
        with pytest.raises(wire.WireError):
            received(whole[:at], wire.from_engine)
        with pytest.raises(wire.WireError):
            read_to_the_end(io.BytesIO(whole[:at]))


@given(st.binary(min_size=1, max_size=200))
def test_any_garbage_is_refused_as_such(garbage: bytes) -> None:
    framed = len(garbage).to_bytes(4, "big") + garbage
    for data in (garbage, framed):
        for decoder in (wire.from_client, wire.to_trainer):
            try:
                received(data, decoder)
            except wire.WireError:
                continue


def test_a_frame_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(wire.WireError, match="announced"):
        received((wire.MAXIMUM_FRAME + 1).to_bytes(4, "big"), wire.from_client)
    with pytest.raises(wire.WireError, match="longer"):
        wire.frame(Start(RunRequest(target="x" * (wire.MAXIMUM_FRAME + 1))))


def test_a_client_cannot_send_what_only_an_engine_says() -> None:
    with pytest.raises(wire.WireError):
        received(wire.frame(MESSAGES[0]), wire.from_client)

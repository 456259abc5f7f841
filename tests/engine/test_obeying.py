"""Whatever a client asks for, the engine stays; what cannot be is told and changes nothing."""

from __future__ import annotations

import asyncio
import math
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine import wire
from charrnn.engine.last_stream import LONGEST_PRIME
from charrnn.engine.messages import (
    ClientMessage,
    Hello,
    Notice,
    RestartStream,
    RunRequest,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    Start,
    WriteCheckpoint,
)
from charrnn.engine.server import Engine
from charrnn.presets import range_problem

numbers = st.floats() | st.sampled_from([0.0, -1.0, 1e308, 5e-324, math.nan, math.inf, -math.inf])
whole = st.integers(-(2**63), 2**64 - 1)
knobs = st.builds(Knobs, temperature=numbers, top_k=whole, top_p=numbers, min_p=numbers, greedy=st.booleans())
texts = st.none() | st.text(max_size=50) | st.just("é" * 500_000)
wishes: st.SearchStrategy[ClientMessage] = st.one_of(
    st.builds(SetKnobs, knobs),
    st.builds(SetPace, numbers),
    st.builds(RestartStream, texts, st.none() | whole),
    st.builds(SetLearningRate, numbers),
    st.builds(SetCooldown, st.booleans(), st.none() | whole),
    st.builds(SetPaused, st.booleans()),
    st.builds(WriteCheckpoint),
    st.builds(Hello, version=whole),
    st.builds(Start, st.builds(RunRequest, target=st.text(max_size=20))),
)


def over_the_wire(message: ClientMessage) -> ClientMessage:
    async def go() -> Any:
        reader = asyncio.StreamReader(limit=wire.FROM_CLIENT)
        reader.feed_data(wire.frame(message))
        return await wire.read(reader, wire.from_client, wire.FROM_CLIENT)

    found: ClientMessage = asyncio.run(go())
    return found


@given(st.lists(wishes, max_size=8))
@settings(max_examples=40)
def test_any_wishes_leave_an_engine_that_can_be(asked: list[ClientMessage]) -> None:
    asked = [over_the_wire(message) for message in asked]

    async def go() -> None:
        engine = Engine()
        engine._request.set_result(RunRequest())
        for message in asked:
            engine._obey(message)
        status = engine.board.status
        for name, value in {**asdict(status.knobs), "pace": status.pace, "seed": status.seed}.items():
            assert range_problem(name, value) is None
        assert len(status.prime) <= LONGEST_PRIME
        assert not [n for n in engine.board.passing if isinstance(n, Notice) and n.level == "error"]

    asyncio.run(go())


def test_a_wish_that_goes_wrong_is_told_and_the_engine_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        engine = Engine()

        def fail(*_: object) -> None:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr(engine._stream, "_restart", fail)
        engine.obey(RestartStream())
        (told,) = engine.board.passing
        assert isinstance(told, Notice)
        assert told.level == "error"
        assert "RestartStream" in told.text

    asyncio.run(go())


def test_a_prime_longer_than_any_prompt_is_told_and_the_old_one_kept() -> None:
    async def go() -> None:
        engine = Engine()
        engine.obey(RestartStream("Once", 3))
        engine.obey(RestartStream("x" * (LONGEST_PRIME + 1), 4))
        (told,) = engine.board.passing
        assert isinstance(told, Notice)
        assert "10,001 characters is too long" in told.text
        assert (engine.board.status.prime, engine.board.status.seed) == ("Once", 3)

    asyncio.run(go())


@pytest.mark.parametrize("depth", [10_000, 100_000])
def test_a_message_nested_beyond_all_measure_is_refused_and_no_more(depth: int) -> None:
    nested = b"\x82\xa4type\xa8SetPaced" + b"\xa6paused" + b"\x91" * depth + b"\xc0"
    unknown = b"\x83\xa4type\xa9SetPaused\xa6paused\xc3\xa1x" + b"\x91" * depth + b"\xc0"
    for body in (nested, unknown):

        async def go(body: bytes = body) -> None:
            reader = asyncio.StreamReader()
            reader.feed_data(len(body).to_bytes(4, "big") + body)
            with pytest.raises(wire.WireError):
                await wire.read(reader, wire.from_client, wire.FROM_CLIENT)

        asyncio.run(go())

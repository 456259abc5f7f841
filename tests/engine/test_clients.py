"""What clients of an engine are told: bounded helpings, the newest at once, and nothing for one that never reads."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from charrnn.config import Knobs
from charrnn.engine import wire
from charrnn.engine.board import Board
from charrnn.engine.client import EngineClient, attach
from charrnn.engine.connection import Connection
from charrnn.engine.messages import (
    ClientMessage,
    EngineMessage,
    Generated,
    Hello,
    Losses,
    LossPoint,
    ModelInfo,
    Notice,
    RestartStream,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    Status,
    Text,
    Welcome,
    WriteCheckpoint,
)
from charrnn.engine.watchers import Watchers
from tests.engine.driving import Watcher, engine
from tests.engine.test_engine import socket_of


@dataclass
class Host:
    """An engine that has nothing but its board."""

    board: Board = field(default_factory=Board)
    gone: list[str] = field(default_factory=list)

    def joined(self, connection: Connection) -> None:
        self.board.readers.add(connection)
        connection.wake(hurry=True)

    def obey(self, message: ClientMessage) -> None:
        pass

    def left(self, connection: Connection) -> None:
        self.board.readers.discard(connection)
        self.gone.append("left")

    def dropped(self, connection: Connection) -> None:
        self.gone.append("dropped")


def point(step: int) -> LossPoint:
    return LossPoint(step, step * 100, step / 10, 1.5, None, 0.003)


def write(board: Board, characters: int, stream: int = 1) -> str:
    """Adds so much text to the stream, in pieces of 250."""
    text = "".join(random.Random(characters).choices("abcde \n", k=characters))
    for begin in range(0, characters, 250):
        board.add_text(Generated(0, text[begin : begin + 250], Knobs(), stream, 1, False, 1), hurry=False)
    return text


@contextlib.asynccontextmanager
async def served(host: Host, patience: float = 600.0) -> AsyncIterator[tuple[socket.socket, Connection]]:
    """A client's end that has said hello, and the engine's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    for one in (ours, theirs):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    connection = Connection(host, *await asyncio.open_unix_connection(sock=theirs), patience)
    serving = asyncio.create_task(connection.serve())
    ours.sendall(wire.frame(Hello()))
    try:
        yield ours, connection
    finally:
        ours.close()
        await asyncio.wait_for(serving, 10)


def waiting(connection: Connection) -> int:
    """Bytes that wait in the engine for this client."""
    return connection._writer.transport.get_write_buffer_size()


def test_little_waits_for_a_client_that_never_reads_however_much_there_is_to_tell() -> None:
    async def go() -> None:
        host = Host()
        host.board.add_points([point(step) for step in range(1, 100_001)])
        write(host.board, 1_000_000)
        async with served(host) as (_, connection):
            for count in range(300):
                host.board.announce(Notice("info", f"notice {count}"))
                host.board.set_status(step=count)
                write(host.board, 2000)
                await asyncio.sleep(0.002)
            assert 0 < waiting(connection) < 400_000
            assert len(host.board.passing) <= 200
        assert host.gone == ["left"]

    asyncio.run(go())


def test_a_client_that_reads_again_has_the_newest_state_at_once_and_then_all_that_is_kept() -> None:
    async def go() -> None:
        host = Host()
        host.board.add_points([point(step) for step in range(1, 20_001)])
        text = write(host.board, 300_000)
        async with served(host) as (ours, connection):
            while not waiting(connection):
                await asyncio.sleep(0.01)
            for step in range(1, 500):
                host.board.set_status(state="training", step=step)
                host.board.announce(Notice("info", f"notice {step}"))
            host.board.add_points([point(step) for step in range(20_001, 30_001)])
            text += write(host.board, 400_000)
            client = await EngineClient.over(ours)
            told: list[EngineMessage] = []
            async for message in client:
                told.append(message)
                if message == Notice("info", "notice 499"):
                    break
            await client.close()
        steps = [p.step for m in told if isinstance(m, Losses) for p in m.points]
        assert steps == list(range(1, 30_001))
        pieces = [piece for m in told if isinstance(m, Text) for piece in m.pieces]
        assert "".join(piece.text for piece in pieces) == text
        statuses = [m.step for m in told if isinstance(m, Status)]
        assert statuses == [0, 499]
        newest = next(number for number, m in enumerate(told) if isinstance(m, Status) and m.step == 499)
        assert sum(len(wire.frame(m)) for m in told[:newest]) < 600_000
        assert [m for m in told if isinstance(m, Notice)] == [Notice("info", f"notice {n}") for n in range(300, 500)]
        assert max(len(wire.frame(m)) for m in told) < 200_000

    asyncio.run(go())


def test_what_is_no_longer_kept_shows_as_a_gap_between_positions() -> None:
    async def go() -> None:
        host = Host()
        write(host.board, 200_000)
        async with served(host) as (ours, connection):
            while not waiting(connection):
                await asyncio.sleep(0.01)
            write(host.board, 1_500_000)
            client, pieces = await EngineClient.over(ours), []
            async for message in client:
                pieces += message.pieces if isinstance(message, Text) else []
                if pieces and pieces[-1].position + len(pieces[-1].text) == host.board.text.end:
                    break
            await client.close()
        ends = [piece.position + len(piece.text) for piece in pieces]
        gaps = [two.position - end for two, end in zip(pieces[1:], ends, strict=False) if two.position != end]
        assert len(gaps) == 1
        assert gaps[0] > 100_000

    asyncio.run(go())


def test_a_client_that_reads_nothing_for_long_is_dropped() -> None:
    async def go() -> None:
        host = Host()
        write(host.board, 600_000)
        async with served(host, patience=0.2) as (ours, _):
            while "left" not in host.gone:
                await asyncio.sleep(0.01)
            assert host.gone == ["dropped", "left"]
            ours.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                while ours.recv(1_000_000):  # what had gone out, and then the end
                    pass

    asyncio.run(go())


def test_a_client_that_leaves_in_the_middle_of_a_message_is_gone_at_once() -> None:
    async def go() -> None:
        host = Host()
        write(host.board, 600_000)
        async with served(host) as (ours, connection):
            while not waiting(connection):
                await asyncio.sleep(0.01)
            ours.shutdown(socket.SHUT_WR)
            await asyncio.sleep(0.05)
            assert host.gone == ["left"]

    asyncio.run(go())


def test_of_what_stands_a_newcomer_hears_the_newest_of_each_kind() -> None:
    board = Board()
    for number in range(50):
        board.announce(Welcome(f"run-{number}", "/runs"), standing=True)
    seen = board.standing_count
    assert [m.run for m in board.standing() if isinstance(m, Welcome)] == ["run-49"]
    assert board.standing(seen) == []
    board.announce(Welcome("run-50", "/runs"), standing=True)
    assert board.standing(seen) == [Welcome("run-50", "/runs")]


@pytest.mark.parametrize("seconds", [0.0, 600.0])
def test_who_watches_and_for_how_long_nobody_has(seconds: float) -> None:
    now = [1000.0]
    watchers = Watchers(lambda: now[0])

    async def go() -> None:
        stop = asyncio.Event()
        watchers.came("a")
        now[0] += 5000
        waiting = asyncio.create_task(watchers.gone_for(seconds, stop))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        watchers.went("somebody who never came")
        watchers.went("a")
        watchers.came("b")
        now[0] += 5000
        watchers.went("b")
        assert len(watchers) == 0
        now[0] += seconds
        await asyncio.wait_for(waiting, 5)
        again = asyncio.create_task(watchers.gone_for(600, stop))
        await asyncio.sleep(0.01)
        assert not again.done()  # however long nobody had watched before
        stop.set()
        await asyncio.wait_for(again, 5)

    asyncio.run(go())


def test_three_clients_see_each_others_changes(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, warmup=0) as (one, _):
            await one.until(lambda: one.status.step > 5 and one.text)
            path = await socket_of(one)
            two, three = [Watcher(await EngineClient.over(attach(path))) for _ in range(2)]
            everybody = (one, two, three)

            async def all_see(condition: object) -> None:
                for watcher in everybody:
                    await watcher.until(lambda w=watcher: condition(w))  # type: ignore[operator]

            try:
                await all_see(lambda w: w.told(ModelInfo) and w.status.watchers == 3)
                knobs = Knobs(temperature=1.4, top_k=7)
                two.client.send(SetKnobs(knobs))
                await all_see(lambda w: w.status.knobs == knobs and w.text[-1].knobs == knobs)
                three.client.send(SetPace(50.0))
                await all_see(lambda w: w.status.pace == 50.0)
                two.client.send(SetLearningRate(0.0125))
                await all_see(lambda w: w.status.learning_rate == 0.0125)
                three.client.send(RestartStream(prime="The fox", seed=77))
                await all_see(lambda w: w.status.prime == "The fox" and w.status.seed == w.text[-1].seed == 77)
                one.client.send(SetCooldown(True, steps=100_000))
                await all_see(lambda w: w.status.phase == "cool-down")
                two.client.send(SetCooldown(False))
                await all_see(lambda w: w.status.phase == "")
                three.client.send(SetPaused(True))
                await all_see(lambda w: w.status.state == "paused")
                one.client.send(SetPaused(False))
                await all_see(lambda w: w.status.state == "training")
                two.client.send(WriteCheckpoint())
                await all_see(lambda w: any(n.level == "saved" for n in w.told(Notice)))
                for number, watcher in enumerate(everybody):
                    watcher.client.send(SetPace(100.0 + number))
                await all_see(lambda w: w.status.pace == one.status.pace and w.status.pace >= 100.0)
            finally:
                await two.close()
                await three.close()
            await one.until(lambda: one.status.watchers == 1)

    asyncio.run(go())

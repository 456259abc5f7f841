"""Who is let in to an engine, for how long, and what happens to its socket; no trainer, no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.engine import connection, listening, peers, wire
from charrnn.engine.client import EngineClient, attach
from charrnn.engine.listening import Complaints, Listener
from charrnn.engine.messages import EngineMessage, Hello, Refused, SetPace, Status, Welcome
from charrnn.engine.server import Engine
from charrnn.runs.directory import RunFolder
from charrnn.runs.lock import LOCK, RunLock
from charrnn.runs.sockets import own_socket_path, socket_folder, socket_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run's folder, with the sockets beside it, under a path that is short enough."""
    place = Path(tempfile.mkdtemp(prefix="c", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    monkeypatch.setattr(listening, "LOOKED_AFTER", 0.02)
    (place / "run").mkdir()
    yield place / "run"
    shutil.rmtree(place)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def served(run: Path) -> AsyncIterator[tuple[Engine, RunFolder]]:
    """An engine without a run, whose clients come by the socket."""
    engine = Engine()
    engine.board.announce(Welcome("run", str(run)), standing=True)
    folder = RunFolder(run, RunLock.take(run))
    task = asyncio.create_task(Listener(folder, engine.board, engine.connect).serve())
    try:
        await until(own_socket_path(run).exists)
        yield engine, folder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for client in list(engine._tasks):
            client.cancel()
        await asyncio.gather(*engine._tasks, return_exceptions=True)
        folder.close()


async def heard(path: Path, *sent: bytes, end: bool = False) -> list[EngineMessage]:
    """All that the engine says to one who sends this, until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"".join(sent))
    if end:
        writer.write_eof()
    messages = []
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionResetError):  # hung up on with something still unread
            while (message := await wire.read(reader, wire.from_engine)) is not None:
                messages.append(message)
    writer.close()
    return messages


def trying(run: Path, what: Callable[[Engine, RunFolder], Awaitable[None]]) -> None:
    async def go() -> None:
        async with served(run) as (engine, folder):
            await what(engine, folder)

    asyncio.run(go())


def test_the_socket_is_made_again_where_it_vanishes_and_removed_at_the_end(run: Path) -> None:
    async def what(engine: Engine, folder: RunFolder) -> None:
        path = own_socket_path(run)
        staying = await asyncio.open_unix_connection(path)
        staying[1].write(wire.frame(Hello(stream=False)))
        await until(lambda: engine.board.readers)
        path.unlink()
        await until(path.exists)
        shutil.rmtree(path.parent)  # all of it, as who cleans up does
        await until(path.exists)
        attach(str(path)).close()
        other = path.with_suffix(".other")
        with socket.socket(socket.AF_UNIX) as planted:  # another takes its place
            planted.bind(str(other))
            other.replace(path)
            await until(lambda: path.exists() and socket_path(run) == path and not other.exists())
            await until(lambda: len(os.listdir(path.parent)) == 1)
        (run / LOCK).unlink()
        await until((run / LOCK).exists)
        await until(lambda: len(engine.board.readers) == 1)
        staying[1].write(wire.frame(SetPace(7.0)))  # who was there has stayed
        await until(lambda: engine.board.status.pace == 7.0)
        staying[1].close()

    trying(run, what)
    assert not own_socket_path(run).exists()


def test_what_keeps_others_from_attaching_is_told_until_it_is_over(run: Path) -> None:
    async def what(engine: Engine, folder: RunFolder) -> None:
        path = own_socket_path(run)
        path.unlink()
        diary = run / "diary"
        diary.write_text("Dear diary,")
        path.parent.chmod(0o777)
        await until(lambda: engine.board.status.troubles)
        (trouble,) = engine.board.status.troubles
        assert trouble.startswith("No other workbench can attach to this run: ")
        assert "chmod 700" in trouble
        path.symlink_to(diary)
        path.parent.chmod(0o700)
        await until(lambda: any("in the way" in words for words in engine.board.status.troubles))
        path.unlink()
        await until(lambda: not engine.board.status.troubles)
        attach(str(path)).close()
        assert diary.read_text() == "Dear diary,"

    trying(run, what)


def test_who_says_nothing_or_half_a_thing_is_hung_up_on(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SPEAKS_WITHIN", 0.2)
    whole = wire.frame(Hello(stream=False))

    async def what(engine: Engine, folder: RunFolder) -> None:
        path = own_socket_path(run)
        assert await heard(path) == []
        assert await heard(path, whole[:2]) == []
        assert await heard(path, whole[:-1]) == []
        assert await heard(path, whole[:-1], end=True) == []
        said = await heard(path, whole, whole[:-1])  # once it has said hello it may be silent, but not inside a frame
        assert any(isinstance(message, Status) for message in said)

    trying(run, what)


def test_frames_from_clients_are_capped_and_the_first_one_more(run: Path) -> None:
    async def what(engine: Engine, folder: RunFolder) -> None:
        path = own_socket_path(run)
        assert await heard(path, (wire.HELLO + 1).to_bytes(4, "big")) == []
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(wire.frame(Hello(stream=False)))
        await wire.read(reader, wire.from_engine)
        writer.write((wire.FROM_CLIENT + 1).to_bytes(4, "big"))
        async with asyncio.timeout(30):
            await reader.read()
        writer.close()

    trying(run, what)


def test_so_many_clients_are_served_and_the_next_is_told_why_it_is_not(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "MOST_CONNECTIONS", 2)

    async def what(engine: Engine, folder: RunFolder) -> None:
        path = own_socket_path(run)
        first, second = attach(str(path)), attach(str(path))
        await until(lambda: len(engine.board.readers) == 2)
        (refused,) = await heard(path)
        assert isinstance(refused, Refused)
        assert "serves 2 clients already" in refused.text
        first.close()
        await until(lambda: len(engine.board.readers) == 1)
        third = attach(str(path))
        await until(lambda: len(engine.board.readers) == 2)
        second.close()
        third.close()

    trying(run, what)


def test_another_user_is_hung_up_on_without_a_word_by_the_engine_and_by_the_client(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def what(engine: Engine, folder: RunFolder) -> None:
        path = own_socket_path(run)
        for user in (os.getuid() + 1, None):
            monkeypatch.setattr(listening, "peer_user", lambda _, user=user: user)
            assert await heard(path, wire.frame(Hello())) == []
            monkeypatch.setattr(peers, "peer_user", lambda _, user=user: user)
            with pytest.raises(UsageError, match="nothing was said to it"):
                attach(str(path))
        assert not engine.board.readers

    trying(run, what)


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        assert peers.peer_user(ours) == os.getuid()


def test_a_client_attaches_to_nothing_but_an_own_socket(run: Path) -> None:
    path = socket_folder() / "file.sock"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is no socket"):
        attach(str(path))
    with pytest.raises(FileNotFoundError):
        attach(str(path.with_name("missing.sock")))
    if os.getuid() == 0:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            os.chown(path, 65534, 65534)
            with pytest.raises(UsageError, match="belongs to another user"):
                attach(str(path))


def test_a_live_run_that_does_not_answer_is_told_and_one_that_ended_is_not_waited_for(run: Path) -> None:
    assert peers.connect_to_run(run) is None
    held = RunLock.take(run)
    with pytest.raises(UsageError, match=rf"The run run is live in another process \({os.getpid()}\), but its engine"):
        peers.connect_to_run(run, within=0.1)
    socket_folder().chmod(0o777)
    with pytest.raises(UsageError, match="chmod 700"):
        peers.connect_to_run(run)
    held.release()


@pytest.mark.parametrize(
    "said",
    [wire.frame(Welcome("run", "/run", 1)), b"\0\0\0\x03abc", wire.frame(SetPace(3.0))],
    ids=["an older one", "no message", "a client's message"],
)
def test_a_client_that_meets_another_protocol_says_so(said: bytes) -> None:
    async def go() -> list[EngineMessage]:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(wire.frame(Status(state="training")) + said)
        client = await EngineClient.over(ours)
        messages = [message async for message in client]
        await client.close()
        return messages

    *_, last = asyncio.run(go())
    assert isinstance(last, Refused)
    assert last.status == 1
    assert "speaks protocol" in last.text


def test_the_log_hears_of_bad_clients_now_and_then_and_in_one_short_line() -> None:
    now = 0.0
    complaints = Complaints(lambda: now)
    first = complaints.line("Invalid value '\x1b[2J\n" + "x" * 10_000)
    assert first is not None
    assert first.isprintable()
    assert len(first) < 400
    assert [complaints.line("again") for _ in range(1000)] == [None] * 1000
    now = 10.0
    assert complaints.line("again") == "hung up on a client, after 1,000 others that were not told: again"

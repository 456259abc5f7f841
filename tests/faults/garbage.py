"""Row 9: what is no message, or nobody's business, ends at the socket, and the run does not notice."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from charrnn.engine import wire
from charrnn.engine.messages import EngineMessage, Hello, LossPoint, Notice, Refused, SetPace, Status, Text, Welcome
from charrnn.runs.metrics import read_metrics
from charrnn.runs.sockets import socket_path
from tests.engine.driving import Watcher
from tests.faults.guarded_run import Foreground, surroundings, training
from tests.faults.promise import Outcome, Promise

AT_ONCE = 8
CLOSED_WITHIN = 60.0
MOST_MEMORY = 16 * 1024 * 1024
OTHER_USER = 65534

CONNECTS_AS_ANOTHER = """
import os, socket, sys
name, user, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.setgroups([]); os.setgid(user); os.setuid(user)
for _ in range(times):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(name)
            client.sendall(bytes.fromhex(sys.argv[4]))
            print(len(client.recv(1)))
        except PermissionError:
            print("kept out")
        except (BrokenPipeError, ConnectionResetError):
            print(0)
"""

_HELLO = wire.frame(Hello(stream=False))


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def _another_message(chance: random.Random) -> bytes:
    """What only an engine says."""
    said: list[EngineMessage] = [
        Status(state="training"),
        Text([]),
        Notice("info", "x" * 100),
        Welcome("run", "/run"),
        Refused("no"),
    ]
    return wire.frame(chance.choice(said))


def _misshapen(chance: random.Random) -> bytes:
    """A message of ours with a bit or more of it changed; one that is a message still is cut instead."""
    whole = bytearray(wire.frame(SetPace(chance.random())))
    for _ in range(chance.randrange(1, 4)):
        whole[chance.randrange(4, len(whole))] ^= 1 << chance.randrange(8)
    try:
        wire.from_client.decode(bytes(whole[4:]))
    except Exception:
        return bytes(whole)
    return bytes(whole[: chance.randrange(1, len(whole))])


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "random bytes": lambda chance: chance.randbytes(chance.randrange(1, 2000)),
    "random bytes in a frame": lambda chance: _framed(b"\xc1" + chance.randbytes(chance.randrange(0, 3000))),
    "half a length": lambda chance: _HELLO[: chance.randrange(1, 4)],
    "half a frame": lambda chance: _HELLO[: chance.randrange(4, len(_HELLO))],
    "a huge length": lambda chance: chance.randrange(wire.FROM_CLIENT + 1, 2**32).to_bytes(4, "big") + b"x" * 100,
    "a frame longer than a client's": lambda chance: _framed(bytes(wire.FROM_CLIENT + chance.randrange(1, 4096))),
    "nested beyond measure": lambda chance: _framed(b"\x91" * chance.randrange(1000, 4000)),
    "what only an engine says": _another_message,
    "misshapen": _misshapen,
    "another version": lambda chance: wire.frame(Hello(version=chance.choice([0, 1, 99, -(2**63), 2**64 - 1]))),
    "an empty frame": lambda chance: _framed(b""),
}


async def _is_hung_up_on(path: str, kind: str, chance: random.Random) -> str:
    """Sends one bad frame, after a greeting or as the first; "" if the engine hangs up, else what it did."""
    greeted = kind != "another version" and chance.random() < 0.5
    data = KINDS[kind](chance)
    half = kind in ("random bytes", "half a length", "half a frame", "misshapen")
    reader, writer = await asyncio.open_unix_connection(path)
    heard = b""
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            writer.write((_HELLO if greeted else b"") + data)
            if half:
                writer.write_eof()
            heard = await reader.read()
    except (ConnectionResetError, BrokenPipeError):
        pass
    except TimeoutError:
        return f"{kind}{' after a greeting' if greeted else ''}: the connection stayed open for {CLOSED_WITHIN:.0f} s"
    finally:
        writer.close()
    if kind == "another version" and b"speaks protocol" not in heard:
        return "another version: nobody said which one is spoken here"
    if not greeted and kind != "another version" and heard:
        return f"{kind}: the engine answered it with {len(heard)} bytes"
    return ""


async def _another_user(path: Path, times: int) -> tuple[str, list[str]]:
    """As another user: kept out by the folder, and where that is open, hung up on without a word. Needs root."""
    broken = []
    for opened in (False, True):
        if opened:
            path.parent.chmod(0o711)
            path.chmod(0o666)
        words = [path.name, str(OTHER_USER), str(times), _HELLO.hex()]
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CONNECTS_AS_ANOTHER, *words, cwd=path.parent, stdout=asyncio.subprocess.PIPE
        )
        said = (await child.communicate())[0].decode().split("\n")[:-1]
        wanted = "0" if opened else "kept out"
        broken += [
            f"another user (folder {'open' if opened else 'private'}): {line!r}" for line in said if line != wanted
        ]
        if len(said) != times:
            broken.append(f"another user: {len(said)} of {times} connections were tried")
    path.parent.chmod(0o700)
    path.chmod(0o600)
    return f"another user really (id {OTHER_USER})", broken


async def _silent(path: str) -> str:
    """Says nothing, and is hung up on for it."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        async with asyncio.timeout(CLOSED_WITHIN):
            await reader.read()
    except TimeoutError:
        return "a client that said nothing was kept"
    finally:
        writer.close()
    seconds = time.monotonic() - begun
    return "" if seconds > 5 else f"a client that said nothing was hung up on after {seconds:.1f} s"


async def _try(times: int, folder: Path, seed: int) -> Outcome:
    chance = random.Random(seed)
    async with training(folder) as (at_work, watcher):
        path = socket_path(at_work.run)
        memory, step, begun = at_work.resident(), watcher.status.step, time.monotonic()
        silent = [asyncio.create_task(_silent(str(path))) for _ in range(4 if times >= 1000 else 0)]
        kinds = [list(KINDS)[number % len(KINDS)] for number in range(times)]
        broken: list[str] = []

        async def send(mine: list[tuple[str, int]]) -> None:
            for kind, own_seed in mine:
                words = await _is_hung_up_on(str(path), kind, random.Random(own_seed))
                if words:
                    broken.append(words)

        jobs = [(kind, chance.randrange(2**60)) for kind in kinds]
        await asyncio.gather(*(send(jobs[first::AT_ONCE]) for first in range(AT_ONCE)))
        took = time.monotonic() - begun
        steps = watcher.status.step - step
        if os.geteuid() == 0 and sys.platform == "linux":
            others = max(2, times // 100)
            who, words = await _another_user(path, others)
            broken += words
        else:
            who, others = "another user only in tests/engine/test_listening.py (this is not root)", 0
        broken += [words for words in await asyncio.gather(*silent) if words]
        grown = at_work.resident() - memory
        if grown > MOST_MEMORY:
            broken.append(f"the engine's memory grew by {grown / 1e6:.0f} MB")
        later = watcher.status.step
        await watcher.until(lambda: watcher.status.step > later, 120)
        broken += _noticed(watcher, at_work)
    broken += _told(at_work, watcher, took + 120)
    measured = f"{took:.0f} s, {steps:,} steps meanwhile; engine memory {grown / 1e6:+.1f} MB; {who}"
    return Outcome(times + 2 * others, measured, tuple(broken))


def _noticed(watcher: Watcher, at_work: Foreground) -> list[str]:
    """What the honest client would have noticed: a gap, a change, a trouble."""
    broken = []
    if watcher.ended or at_work.process.poll() is not None:
        broken.append("the run ended")
    if watcher.status.troubles or watcher.status.state != "training":
        broken.append(f"the run is {watcher.status.state}: {watcher.status.troubles}")
    if any(a.position + len(a.text) != b.position for a, b in itertools.pairwise(watcher.text)):
        broken.append("the stream has a gap")
    if watcher.told(Notice) and any(notice.level == "error" for notice in watcher.told(Notice)):
        broken.append("the run told an error")
    return broken


def _told(at_work: Foreground, watcher: Watcher, seconds: float) -> list[str]:
    """After the end: the record is whole, and neither the log nor standard error is full of what was sent."""
    broken = []
    lines = {line["step"]: line for line in read_metrics(at_work.run)}
    points: list[LossPoint] = watcher.points
    missing = [p.step for p in points if p.step not in lines]
    heard = {p.step for p in points}
    missing += [step for step in lines if step <= max(heard) and step not in heard]
    if missing:
        broken.append(f"{len(missing)} points of the loss are on one side only")
    log, errors = (at_work.run / "engine.log").read_text(), at_work.errors.read_text()
    if "Traceback" in log or "Traceback" in errors:
        broken.append("there is a traceback")
    hung_up = log.count("hung up on a client")
    if not 1 <= hung_up <= 2 + seconds / 5:
        broken.append(f"the log has {hung_up} lines of it")
    return broken


def keep(times: int, folder: Path, seed: int) -> Outcome:
    with surroundings(folder):
        return asyncio.run(_try(times, folder, seed))


PROMISES = (
    Promise(
        9,
        "garbage, half and huge frames at the socket; wrong version; other user",
        "10,000 frames: that connection closes, the run does not notice",
        10_000,
        220,
        keep,
    ),
)

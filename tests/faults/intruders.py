"""Row 11: a second engine, and what lies or is planted in the places that a run trusts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine.messages import RunRequest
from charrnn.engine.opening import open_request
from charrnn.engine.peers import connect_to_run
from charrnn.runs.directory import CONFIG, RunFolder
from charrnn.runs.lock import LOCK, is_live
from charrnn.runs.sockets import bind, own_socket_path, socket_folder, socket_path
from tests.engine.driving import Watcher
from tests.faults.guarded_run import ROOT, Foreground, spread, surroundings, training
from tests.faults.promise import Outcome, Promise

WITHIN = 1.0
DIARY = "Dear diary,\n"

LISTENS_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from charrnn.runs.directory import RunFolder
from charrnn.runs.sockets import bind, own_socket_path
run = RunFolder.open(Path(sys.argv[1]))
listening = bind(own_socket_path(run.path))
run.lock.tell_socket(str(own_socket_path(run.path)))
print("listens", flush=True)
time.sleep(600)
"""


class Clock:
    """How long the decisive calls took: `seconds` by the wall, and what this thread worked in the longest of them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.worked = 0.0

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        begun, worked = time.monotonic(), time.thread_time()
        try:
            yield
        finally:
            self.seconds.append(time.monotonic() - begun)
            self.worked = max(self.worked, time.thread_time() - worked)


class Scene:
    """A saved run of its own, and somebody's file and folder beside it, which are to stay as they are."""

    def __init__(self, folder: Path, model: Path, clock: Clock) -> None:
        self.clock = clock
        self.run = folder / "run"
        self.run.mkdir(parents=True)
        (self.run / CONFIG).write_bytes((model / CONFIG).read_bytes())
        self.diary, self.drawer = folder / "diary.txt", folder / "drawer"
        self.diary.write_text(DIARY)
        self.drawer.mkdir(mode=0o700)
        (self.drawer / "letter").write_text(DIARY)
        self._before = self._foreign()

    def _foreign(self) -> list[tuple[str, int, int, int]]:
        found = [self.diary, self.drawer, *sorted(self.drawer.iterdir())]
        return [(str(p), s.st_mtime_ns, s.st_size, s.st_mode) for p in found for s in [p.lstat()]]

    def refused(self, what: Callable[[], object], *words: str) -> str:
        """What happened if it was not refused with a sentence that has one of these words in it, else nothing."""
        try:
            with self.clock():
                what()
        except UsageError as error:
            text = str(error)
            sentence = text[0].isupper() or text[0] == "/"
            return "" if any(w in text for w in words) and sentence and text.endswith(".") else f"it said {text!r}"
        return "it was not refused"

    def opens(self) -> str:
        """Why the run does not open, nothing if it does."""
        try:
            with self.clock():
                RunFolder.open(self.run).close()
        except UsageError as error:
            return f"the run does not open: {error}"
        return ""

    def untouched(self) -> str:
        return "" if self._foreign() == self._before else "somebody's file was touched"


@contextlib.contextmanager
def _process(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.wait()


def reused_process_id(scene: Scene) -> str:
    with _process("sh", "-c", "echo; exec sleep 600") as stranger:
        (scene.run / LOCK).write_text(json.dumps({"pid": stranger.pid, "host": socket.gethostname(), "started": 1}))
        problem = "it counts as live" if is_live(scene.run) else scene.opens()
        return problem or ("" if stranger.poll() is None else "the stranger's process is gone")


def killed_engine_and_its_stale_socket(scene: Scene) -> str:
    path = own_socket_path(scene.run)
    with _process(sys.executable, "-c", LISTENS_UNTIL_KILLED, str(scene.run)) as engine:
        problem = scene.refused(lambda: RunFolder.open(scene.run), f"live in another process ({engine.pid})")
        connection = connect_to_run(scene.run)
        if connection is not None:
            connection.close()
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        with scene.clock():
            left = connect_to_run(scene.run)
        problem = problem or ("" if left is None and path.exists() else "there was no stale socket")
        problem = problem or scene.opens()
    with scene.clock():
        listening = bind(path)
    with listening, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    path.unlink()
    return problem


def link_as_lock(scene: Scene) -> str:
    (scene.run / LOCK).symlink_to(scene.diary)
    return scene.refused(lambda: RunFolder.open(scene.run), "not a plain file")


def second_name_as_lock(scene: Scene) -> str:
    os.link(scene.diary, scene.run / LOCK)
    return scene.opens()


def pipe_as_lock(scene: Scene) -> str:
    os.mkfifo(scene.run / LOCK)
    return scene.refused(lambda: RunFolder.open(scene.run), "not a plain file")


def removed_lock(scene: Scene) -> str:
    first = RunFolder.open(scene.run)
    (scene.run / LOCK).unlink()
    problem = scene.refused(lambda: RunFolder.open(scene.run), "live in another process")
    first.close()
    return problem or scene.opens()


def link_as_socket(scene: Scene) -> str:
    path = own_socket_path(scene.run)
    path.symlink_to(scene.diary)
    try:
        return scene.refused(lambda: bind(path), "in the way")
    finally:
        path.unlink()


@contextlib.contextmanager
def _another_folder() -> Iterator[Path]:
    """A private folder for sockets that nothing uses yet, in the place where this process looks for it."""
    before = os.environ["XDG_RUNTIME_DIR"]
    with tempfile.TemporaryDirectory(dir=before, prefix="x") as base:
        os.environ["XDG_RUNTIME_DIR"] = base
        try:
            yield socket_folder()
        finally:
            os.environ["XDG_RUNTIME_DIR"] = before


def link_as_folder(scene: Scene) -> str:
    with _another_folder() as folder:
        folder.rmdir()
        folder.symlink_to(scene.drawer)
        try:
            return scene.refused(lambda: own_socket_path(scene.run), "is a link")
        finally:
            folder.unlink()


def open_folder(scene: Scene) -> str:
    with _another_folder() as folder:
        folder.chmod(0o777)
        problem = scene.refused(lambda: own_socket_path(scene.run), "chmod 700")
        return problem or ("" if folder.stat().st_mode & 0o777 == 0o777 else "its mode was changed")


def folder_of_another_user(scene: Scene) -> str:
    if os.geteuid() != 0:
        return ""
    with _another_folder() as folder:
        os.chown(folder, 65534, 65534)
        return scene.refused(lambda: own_socket_path(scene.run), "another user")


CASES = (
    reused_process_id,
    killed_engine_and_its_stale_socket,
    link_as_lock,
    second_name_as_lock,
    pipe_as_lock,
    removed_lock,
    link_as_socket,
    link_as_folder,
    open_folder,
    folder_of_another_user,
)


async def _second_engines(at_work: Foreground, clock: Clock, commands: list[float]) -> list[str]:
    """Two more engines on a live run at once, as real commands, and the call in them that decides."""
    problems = []
    try:
        with clock():
            open_request(RunRequest(target=str(at_work.run)))
        problems.append("a second engine: it was not refused")
    except UsageError as error:
        if "live in another process" not in str(error):
            problems.append(f"a second engine: {error}")

    async def command() -> None:
        begun = time.monotonic()
        words = [sys.executable, "-m", "charrnn", "train", str(at_work.run)]
        child = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
        said = (await child.communicate())[1].decode()
        commands.append(time.monotonic() - begun)
        wanted = f"charrnn train: The run foxes is live in another process ({at_work.process.pid}); attach to it"
        if child.returncode != 2 or not said.startswith(wanted) or said.count("\n") != 1:
            problems.append(f"a second engine: status {child.returncode}, {said!r}")

    await asyncio.gather(command(), command())
    return problems


async def _open_folder_of_a_live_run(at_work: Foreground, watcher: Watcher, clock: Clock) -> list[str]:
    """The run goes on without its socket and says so; it is back once the folder is private again."""
    path = socket_path(at_work.run)
    path.unlink()
    path.parent.chmod(0o777)
    step = watcher.status.step
    await watcher.until(lambda: any("chmod 700" in words for words in watcher.status.troubles), 120)
    problems = []
    try:
        with clock():
            connect_to_run(at_work.run)
        problems.append("folder 0777: it was attached to")
    except UsageError as error:
        if "chmod 700" not in str(error):
            problems.append(f"folder 0777: {error}")
    path.parent.chmod(0o700)
    await watcher.until(lambda: path.exists() and not watcher.status.troubles, 120)
    await watcher.until(lambda: watcher.status.step > step, 120)
    connection = connect_to_run(at_work.run)
    assert connection is not None
    connection.close()
    return problems


async def _try(times: int, folder: Path) -> Outcome:
    clock = Clock()
    commands: list[float] = []
    broken: list[str] = []
    async with training(folder) as (at_work, watcher):
        for number in range(times):
            turn = number % (len(CASES) + 2)
            if turn == len(CASES):
                broken += await _second_engines(at_work, clock, commands)
            elif turn > len(CASES):
                broken += await _open_folder_of_a_live_run(at_work, watcher, clock)
            else:
                case = CASES[turn]
                scene = Scene(folder / f"{number}", at_work.run, clock)
                problem = await asyncio.to_thread(case, scene) or scene.untouched()
                if problem:
                    broken.append(f"{case.__name__.replace('_', ' ')}: {problem}")
        step = watcher.status.step
        await watcher.until(lambda: watcher.status.step > step, 120)
        if watcher.ended or watcher.status.troubles or at_work.process.poll() is not None:
            broken.append("the live run noticed")
    seconds = sorted(clock.seconds)
    if clock.worked > WITHIN or seconds[len(seconds) // 2] > WITHIN:
        broken.append(f"it took {spread(seconds, 's', 3)}, {clock.worked:.2f} s of work")
    measured = f"decided in {spread(seconds, 's', 3)}; the whole command {spread(commands, 's', 1)}"
    return Outcome(times, measured, tuple(broken))


def keep(times: int, folder: Path, seed: int) -> Outcome:
    """The cases are the same for every seed."""
    with surroundings(folder):
        return asyncio.run(_try(times, folder))


PROMISES = (
    Promise(
        11,
        "second engine on a run; stale socket; reused process id; planted symlink; folder 0777",
        "each refused or met within 1 s, nothing foreign touched",
        200,
        12,
        keep,
    ),
)

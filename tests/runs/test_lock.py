"""One engine per run, whatever lies or happens in the lock's place."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.runs import lock
from charrnn.runs.lock import LOCK, RunLock, TakenError, holder, is_live, refuse_live

HOLDS = """
import sys, time
from pathlib import Path
from charrnn.runs.lock import RunLock
held = RunLock.take(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    place = tmp_path / "words-1"
    place.mkdir()
    return place


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Somebody's file, which must stay as it is."""
    path = tmp_path / "diary.txt"
    path.write_text("Dear diary,")
    os.utime(path, ns=(1, 1))
    return path


def untouched(path: Path) -> bool:
    return path.read_text() == "Dear diary," and path.stat().st_mtime_ns == 1


@contextmanager
def another_process(run: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(run)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()
            process.wait()


def test_a_second_engine_is_told_who_has_the_run_and_the_kernel_frees_it_with_its_process(run: Path) -> None:
    with another_process(run) as process:
        assert is_live(run)
        with pytest.raises(TakenError, match=rf"live in another process \({process.pid}\).*charrnn-tui words-1"):
            RunLock.take(run)
        with pytest.raises(TakenError, match="live in another process"):
            refuse_live(run)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_live(run)
        RunLock.take(run).release()


def test_a_process_id_in_the_lock_decides_nothing(run: Path) -> None:
    (run / LOCK).write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started": 1}))
    assert not is_live(run)
    held = RunLock.take(run)
    said = holder(run)
    assert said is not None
    assert said.pid == os.getpid()
    assert said.started > 1
    held.release()
    assert holder(run) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"pid": "x"}', b"[" * 4000], ids=repr)
def test_whatever_stands_in_the_lock_the_run_opens(run: Path, content: bytes) -> None:
    (run / LOCK).write_bytes(content)
    assert holder(run) is None
    RunLock.take(run).release()


def test_a_removed_or_replaced_lock_lets_nobody_in_and_is_taken_again(run: Path) -> None:
    held = RunLock.take(run)
    held.tell_socket("/somewhere")
    (run / LOCK).unlink()
    assert is_live(run)
    with pytest.raises(TakenError):
        RunLock.take(run)
    assert not (run / LOCK).exists()
    (run / LOCK).write_text("another file")
    with pytest.raises(TakenError):
        RunLock.take(run)
    held.renew()
    said = holder(run)
    assert said is not None
    assert said.socket == "/somewhere"
    held.renew()
    held.release()
    assert not is_live(run)


def test_a_run_that_is_reached_by_a_link_is_held_as_any_other(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run)
    held = RunLock.take(tmp_path / "link")
    with pytest.raises(TakenError):
        RunLock.take(run)
    (run / LOCK).unlink()
    held.renew()
    assert holder(run) is not None
    held.release()


def test_where_folders_cannot_be_locked_the_file_decides_alone(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As over NFS."""
    flock = lock.fcntl.flock

    def without_folders(descriptor: int, what: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(9, "Bad file descriptor")
        flock(descriptor, what)

    monkeypatch.setattr(lock.fcntl, "flock", without_folders)
    held = RunLock.take(run)
    with pytest.raises(TakenError):
        RunLock.take(run)
    assert is_live(run)
    (run / LOCK).unlink()
    other = RunLock.take(run)
    with pytest.raises(TakenError):
        held.renew()
    other.release()
    held.release()


def test_where_nothing_can_be_locked_the_run_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, what: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", no_locks)
    assert not is_live(run)
    with pytest.raises(UsageError, match="cannot be locked"):
        RunLock.take(run)


def test_a_link_in_the_locks_place_is_refused_and_what_it_points_to_is_left(run: Path, foreign: Path) -> None:
    (run / LOCK).symlink_to(foreign)
    assert not is_live(run)
    assert holder(run) is None
    with pytest.raises(UsageError, match="not a plain file"):
        RunLock.take(run)
    assert untouched(foreign)


def test_a_file_that_has_a_second_name_is_locked_and_not_written_to(run: Path, foreign: Path) -> None:
    os.link(foreign, run / LOCK)
    held = RunLock.take(run)
    assert is_live(run)
    held.tell_socket("/somewhere")
    held.release()
    assert untouched(foreign)


def test_a_pipe_a_socket_or_a_folder_in_the_locks_place_is_refused_at_once(run: Path) -> None:
    begun = time.monotonic()
    os.mkfifo(run / LOCK)
    assert not is_live(run)
    assert holder(run) is None
    with pytest.raises(UsageError, match="not a plain file"):
        RunLock.take(run)
    (run / LOCK).unlink()
    (run / LOCK).mkdir()
    assert not is_live(run)
    with pytest.raises(UsageError, match="not a plain file"):
        RunLock.take(run)
    (run / LOCK).rmdir()
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(str(run / LOCK))
        with pytest.raises(UsageError, match="not a plain file"):
            RunLock.take(run)
    assert time.monotonic() - begun < 30  # a pipe that was opened without O_NONBLOCK would wait for ever


def test_a_refused_lock_leaves_nothing_open(run: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    held = RunLock.take(run)
    for _ in range(3):
        with pytest.raises(TakenError):
            RunLock.take(run)
    held.release()
    assert len(os.listdir("/dev/fd")) == before


def test_a_run_that_is_asked_about_all_the_time_can_be_opened(run: Path) -> None:
    asking = "import sys\nfrom pathlib import Path\nfrom charrnn.runs.lock import is_live\nprint(flush=True)\nwhile 1: "
    process = subprocess.Popen([sys.executable, "-c", f"{asking}is_live(Path({str(run)!r}))"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        try:
            process.stdout.readline()
            for _ in range(200):
                RunLock.take(run).release()
        finally:
            process.kill()
            process.wait()


def test_a_live_run_that_is_moved_stays_live_and_keeps_its_identity(run: Path, tmp_path: Path) -> None:
    held = RunLock.take(run)
    identity = held.identity
    run.rename(tmp_path / "moved")
    assert is_live(tmp_path / "moved")
    run.mkdir()  # another folder in its place: nothing is put into it
    held.renew()
    assert list(run.iterdir()) == []
    assert held.identity == identity
    held.release()
    assert not is_live(tmp_path / "moved")

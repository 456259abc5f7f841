"""Sockets lie in a private folder, under short names, and nothing of anybody else's is touched."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.runs import sockets
from charrnn.runs.lock import LOCK, RunLock

WEEK = 8 * 86_400


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path short enough for sockets, wherever tests put theirs."""
    place = Path(tempfile.mkdtemp(prefix="c", dir="/tmp"))
    yield place
    shutil.rmtree(place)


@pytest.fixture
def runtime(short: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """$XDG_RUNTIME_DIR, as a login makes it."""
    base = short / "u"
    base.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    return base


@pytest.fixture
def temporary(short: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """$TMPDIR."""
    base = short / "t"
    base.mkdir(mode=0o1777)
    monkeypatch.setattr("tempfile.tempdir", str(base))
    return base / f"charrnn-{os.getuid()}"


def test_a_runtime_folder_of_ones_own_is_taken_and_no_other(
    runtime: Path, temporary: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sockets.socket_folder() == runtime / "charrnn"
    assert (runtime / "charrnn").stat().st_mode & 0o777 == 0o700
    runtime.chmod(0o777)
    assert sockets.socket_folder() == temporary
    runtime.chmod(0o700)
    if os.getuid() == 0:
        os.chown(runtime, 65534, 65534)  # as after su
        assert sockets.socket_folder() == temporary
    for wrong in ("", "relative", str(short / "missing"), str(short / "file")):
        (short / "file").touch()
        monkeypatch.setenv("XDG_RUNTIME_DIR", wrong)
        assert sockets.socket_folder() == temporary


def test_a_path_too_long_for_a_socket_gets_a_short_one(
    short: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = short
    while len(os.fsencode(base / "charrnn" / ("0" * 16 + ".sock"))) + 11 < sockets.LONGEST_PATH:
        base = base / ("d" * 10)
    base.mkdir(mode=0o700, parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
    fits = sockets.own_socket_path(Path("/run"))
    assert fits.is_relative_to(base)
    with sockets.bind(fits):
        pass
    longer = base / ("d" * 12)
    longer.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(longer))
    assert sockets.own_socket_path(Path("/run")).parent == temporary
    monkeypatch.setattr("tempfile.tempdir", str(longer))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert sockets._place() == Path("/tmp/charrnn-0")


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o710, 0o1777, 0o600])
def test_a_folder_with_another_mode_is_refused_with_what_to_do_and_left_as_it_is(temporary: Path, mode: int) -> None:
    temporary.mkdir()
    temporary.chmod(mode)
    with pytest.raises(UsageError, match=rf"has mode {mode:04o}.*mode 0700: chmod 700 {temporary}"):
        sockets.socket_folder()
    assert temporary.stat().st_mode & 0o7777 == mode
    temporary.chmod(0o700)
    assert sockets.socket_folder() == temporary


def test_a_link_a_file_or_another_users_folder_in_its_place_is_refused(temporary: Path, short: Path) -> None:
    elsewhere = short / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    temporary.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="is a link"):
        sockets.socket_folder()
    assert list(elsewhere.iterdir()) == []
    temporary.unlink()
    temporary.symlink_to(short / "nowhere")
    with pytest.raises(UsageError, match="0700"):
        sockets.socket_folder()
    temporary.unlink()
    temporary.write_text("mine")
    with pytest.raises(UsageError, match="remove what is there"):
        sockets.socket_folder()
    assert temporary.read_text() == "mine"
    temporary.unlink()
    if os.getuid() == 0:
        temporary.mkdir(mode=0o700)
        os.chown(temporary, 65534, 65534)
        with pytest.raises(UsageError, match="another user"):
            sockets.socket_folder()


def test_a_dead_engines_socket_makes_room_and_nothing_else_does(runtime: Path, short: Path) -> None:
    path = sockets.own_socket_path(short)
    sockets.bind(path).close()  # its process is gone, the socket is not
    assert path.exists()
    with sockets.bind(path):
        assert path.stat().st_mode & 0o777 == 0o600
    diary = short / "diary"
    diary.write_text("Dear diary,")
    path.unlink()
    path.symlink_to(diary)
    with pytest.raises(UsageError, match="in the way"):
        sockets.bind(path)
    path.unlink()
    path.write_text("mine")
    with pytest.raises(UsageError, match="in the way"):
        sockets.bind(path)
    assert (path.read_text(), diary.read_text()) == ("mine", "Dear diary,")


def test_where_an_engine_listens_stands_in_the_lock_and_is_believed_only_of_a_private_place(
    runtime: Path, temporary: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = short / "run"
    run.mkdir()
    held = RunLock.take(run)
    listens = sockets.own_socket_path(run)
    held.tell_socket(str(listens))
    monkeypatch.delenv("XDG_RUNTIME_DIR")  # attached to from where there is none
    run.rename(short / "moved")
    assert sockets.socket_path(short / "moved") == listens
    assert sockets.own_socket_path(short / "moved") != listens
    held.release()
    assert sockets.socket_path(short / "moved").parent == temporary
    (short / "open").mkdir()
    (short / "open").chmod(0o755)
    (runtime / "charrnn" / "agent").touch()
    for said in (runtime / "charrnn" / "agent", short / "open" / listens.name, "relative/" + listens.name, "x\0y"):
        (short / "moved" / LOCK).write_text(f'{{"pid": 1, "socket": "{said}"}}'.replace("\0", "\\u0000"))
        assert sockets.socket_path(short / "moved").parent == temporary


def test_what_is_left_behind_goes_after_a_week_and_what_lives_stays(runtime: Path, short: Path) -> None:
    folder = sockets.socket_folder()
    run = short / "run"
    run.mkdir()
    held = RunLock.take(run)
    (folder / "live.torchrun").write_text(str(run))
    (folder / "dead.torchrun").write_text(str(short / "gone"))
    (folder / "new.torchrun").write_text(str(short / "gone"))
    (folder / "notes.txt").write_text("mine")
    dead, live, young = (folder / f"{n:016x}.sock" for n in range(3))
    sockets.bind(dead).close()
    sockets.bind(young).close()
    listening = sockets.bind(live)
    old = time.time() - WEEK
    for path in folder.iterdir():
        if path not in (young, folder / "new.torchrun"):
            os.utime(path, (old, old), follow_symlinks=False)
    sockets.remove_left_behind()
    left = {path.name for path in folder.iterdir()}
    assert left == {"live.torchrun", "new.torchrun", "notes.txt", live.name, young.name}
    held.release()
    listening.close()


def test_a_socket_that_listens_answers(runtime: Path, short: Path) -> None:
    path = sockets.own_socket_path(short)
    with sockets.bind(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))

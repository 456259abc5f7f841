from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.runs.trainer_lock import TRAINER_LOCK, TrainerLock, holder


def test_it_is_held_until_both_who_share_it_have_ended(tmp_path: Path) -> None:
    lock = TrainerLock.take(tmp_path)
    assert lock is not None
    assert TrainerLock.take(tmp_path) is None
    ours, theirs = socket.socketpair()
    code = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); socket.recv_fds(s, 1, 1); s.recv(1)"
    with ours, theirs:
        number = theirs.fileno()
        with subprocess.Popen([sys.executable, "-c", code, str(number)], pass_fds=[number]) as other:
            socket.send_fds(ours, [b"\0"], [lock.descriptor])
            lock.name_holder(other.pid)
            lock.close()
            theirs.close()
            assert TrainerLock.take(tmp_path) is None  # on its way, or there
            assert holder(tmp_path) == str(other.pid)
            ours.close()
            assert other.wait(30) == 0
    again = TrainerLock.take(tmp_path)
    assert again is not None
    again.close()


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("keep")
    os.symlink(tmp_path / "elsewhere", tmp_path / TRAINER_LOCK)
    with pytest.raises(OSError, match="symbolic"):
        TrainerLock.take(tmp_path)
    assert (tmp_path / "elsewhere").read_text() == "keep"


def test_a_holder_that_is_no_number_is_none(tmp_path: Path) -> None:
    assert holder(tmp_path) == ""
    (tmp_path / TRAINER_LOCK).write_text("rm -rf")
    assert holder(tmp_path) == ""

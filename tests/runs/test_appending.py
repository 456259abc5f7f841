from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.runs.appending import Appender


class FullDisk:
    """os.write and os.ftruncate on a disk with so many bytes of room."""

    def __init__(self, room: int, *, cuts: bool = True) -> None:
        self.room, self.cuts = room, cuts
        self._write, self._ftruncate = os.write, os.ftruncate

    def write(self, file: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = self._write(file, bytes(data[: self.room]))
        self.room -= done
        return done

    def ftruncate(self, file: int, size: int) -> None:
        if not self.cuts:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        self.room += os.fstat(file).st_size - size
        self._ftruncate(file, size)


LINES = st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=30), min_size=1, max_size=3)


@given(st.lists(st.tuples(LINES, st.integers(0, 60), st.booleans()), max_size=8))
def test_a_write_that_fails_anywhere_leaves_no_trace(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[list[str], int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("run") / "file"
    appender = Appender(path)
    whole = b""
    for lines, room, cuts in writes:
        data = "".join(line + "\n" for line in lines).encode()
        with pytest.MonkeyPatch.context() as patch:
            disk = FullDisk(room, cuts=cuts)
            patch.setattr(os, "write", disk.write)
            patch.setattr(os, "ftruncate", disk.ftruncate)
            try:
                appender.append(data)
            except OSError:
                assert path.read_bytes().startswith(whole)
            else:
                whole += data
                assert path.read_bytes() == whole
    appender.append(b"the end\n")
    assert path.read_bytes() == whole + b"the end\n"


def test_a_line_that_a_death_left_torn_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b'{"step": 1}\n{"st')
    Appender(path).append(b'{"step": 2}\n')
    assert path.read_bytes() == b'{"step": 1}\n{"st\n{"step": 2}\n'


def test_a_text_in_pieces_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = Appender(tmp_path / "log", lines=False)
    log.append(b"half a ")
    log.append(b"line\n")
    assert (tmp_path / "log").read_bytes() == b"half a line\n"

"""The kernels are compiled once, whole, in private; where that cannot be, it is said why and PyTorch does the work."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from charrnn.engine.messages import Notice
from charrnn.native import compiling, library
from charrnn.native.compiling import CompilingError, compiled
from tests.engine.driving import engine

pytestmark = pytest.mark.usefixtures("kernels")
LOAD = "import sys; from charrnn.native.compiling import *; from charrnn.native.library import *; "


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def no_library_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_found", None)


def compiler(folder: Path, *, before: str = "") -> str:
    """A compiler in a hurry: a shell script that does something `before` it copies what was compiled earlier."""
    path = folder / "our-cc"
    lines = [
        "#!/bin/sh",
        '[ "$1" = --version ] && echo ours && exit 0',
        before,
        'while [ "$1" != -o ]; do shift; done',
        f'cp {shlex.quote(str(compiled().path))} "$2"',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_library_is_compiled_once_and_kept_for_its_user_alone(cache: Path) -> None:
    made = compiled(cache)
    written = made.path.stat().st_mtime_ns
    assert compiled(cache) == made
    assert made.path.stat().st_mtime_ns == written
    assert cache.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in cache.iterdir()] == [made.digest[:32]]
    assert library.Library(made).lstm_packed_size(1) > 0


def test_who_asks_is_told_before_it_is_compiled_and_only_then(cache: Path) -> None:
    told: list[bool] = []
    compiled(cache, before=lambda: told.append(cache.exists() and any(cache.iterdir())))
    compiled(cache, before=lambda: told.append(True))
    assert told == [False]


def test_a_first_start_says_that_it_compiles(
    corpus_file: Path, runs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))

    async def go() -> None:
        async with engine(corpus_file, cell="mingru", hidden=32, embedding=32) as (watcher, _):
            await watcher.until(lambda: watcher.status.state == "training", 90)
            said = [notice.text for notice in watcher.told(Notice)]
            assert "Compiling the kernels for this processor: once, up to a minute." in said

    asyncio.run(go())


def test_other_sources_make_another_library(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path))
    before = compiled(cache)
    changed = tmp_path / "sources"
    changed.mkdir()
    for path in compiling._sources("*.[ch]"):
        (changed / path.name).write_text(path.read_text("utf-8") + "/* changed */\n", encoding="utf-8")
    monkeypatch.setattr(compiling, "SOURCES", changed)
    assert compiled(cache).digest != before.digest
    assert before.path.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone"])
def test_a_broken_file_is_made_anew(cache: Path, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path))
    made = compiled(cache)
    content = made.path.read_bytes()
    half = len(content) // 2
    made.path.unlink()
    if damage != "gone":
        broken = {"cut": content[:half], "empty": b"", "flipped": content[:half] + b"\xff" * 64 + content[half + 64 :]}
        made.path.write_bytes(broken[damage])
    assert compiled(cache) == made
    assert made.path.read_bytes() == content
    assert len(list(cache.iterdir())) == 1


def test_two_processes_that_compile_at_once_both_get_it(cache: Path) -> None:
    code = LOAD + "found = compiled(Path(sys.argv[1])); Library(found); print(found.path)"
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(cache)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert len(list(cache.iterdir())) == 1


def test_without_a_compiler_pytorch_does_the_work(
    no_library_yet: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert library.library() is None
    assert library.kernels() == "torch"
    assert "no C compiler" in library.problem()


def test_the_named_compiler_is_the_one_that_is_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/nowhere/cc -O1")
    with pytest.raises(CompilingError, match="CC is /nowhere/cc -O1"):
        compiled(cache)
    assert not cache.exists()


def test_what_the_compiler_says_is_told(no_library_yet: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, before='echo "error: no room"; exit 1'))
    assert library.library() is None
    assert "refuses the sources: error: no room" in library.problem()


def test_a_compiler_that_knows_no_native_makes_a_plain_library(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, before='case "$*" in *=native*) exit 1;; esac'))
    assert library.Library(compiled(cache)).lstm_packed_size(1) > 0


def test_a_compiler_that_hangs_is_ended(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler(tmp_path, before="sleep 300"))
    monkeypatch.setattr(compiling, "COMPILE_SECONDS", 0.5)
    begun = time.monotonic()
    with pytest.raises(CompilingError, match="did not end"):
        compiled(cache)
    assert time.monotonic() - begun < 30


def test_a_folder_that_others_may_write_is_not_trusted(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    with pytest.raises(CompilingError, match="written by somebody else"):
        compiled(cache)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o500)
    with pytest.raises(CompilingError, match="cannot be written"):
        compiled(cache)


def test_the_user_may_want_none(no_library_yet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_NATIVE", "0")
    assert (library.library(), library.kernels(), library.problem()) == (None, "torch", "")
    monkeypatch.delenv("CHARRNN_NATIVE")
    found = library.library()
    assert found is not None
    assert library.problem() == ""
    assert library.kernels() == f"native {found.digest[:8]}"


def test_the_set_up_says_what_there_is() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CHARRNN_NATIVE"}
    command = [sys.executable, "-m", "charrnn.native"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == f"kernels: {library.kernels()}\n"
    code = "import sys, charrnn.native.library; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

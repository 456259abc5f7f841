"""From the C sources beside this file to a shared library in the user's private cache, with the system's compiler.

The library is compiled for this very machine (`-march=native`), once: its name is the digest of the sources, the flags,
the compiler's version and the processor, so that a changed one of these makes another. No torch here.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

SOURCES = Path(__file__).parent
COMPILE_SECONDS = 60.0
"""After so long a compiler is taken for hung."""

_LIBRARY, _DIGEST = "kernels.so", "kernels.sha256"
_COMMON = (
    "-std=gnu11",
    "-O3",
    "-fPIC",
    "-shared",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-semantic-interposition",
)
_FLAGS = ((*_COMMON, "-march=native"), (*_COMMON, "-mcpu=native"), _COMMON[:-1])
"""From the best to what every compiler takes. No -ffast-math: NaN and infinity survive, so that divergence shows."""


class CompilingError(Exception):
    """There will be no library; the text says why, in a clause."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A library that is there, whole: its file, and the digest that it is named by."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class _Compiler:
    command: list[str]
    version: str


def compiled(cache: Path | None = None, *, before: Callable[[], None] | None = None) -> Compiled:
    """The library for this machine, from the cache (default: the user's) or made now. Raises CompilingError.

    `before` is called if it has to be made, which takes from seconds to most of a minute.
    """
    compiler = _find_compiler()
    folder = _private(_private(user_cache_path("charrnn")) / "native" if cache is None else cache)
    digest = _digest(compiler)
    place = folder / digest[:32]
    if not _whole(place):
        if before is not None:
            before()
        _make(compiler, folder, place)
    return Compiled(place / _LIBRARY, digest)


def discard(library: Compiled) -> None:
    """Remove a library that turned out not to load."""
    shutil.rmtree(library.path.parent, ignore_errors=True)


def _find_compiler() -> _Compiler:
    wanted = shlex.split(os.environ.get("CC", ""))
    for command in [wanted] if wanted else [["cc"], ["gcc"], ["clang"]]:
        path = shutil.which(command[0])
        if path is None or (path.startswith("/usr/bin/") and not _developer_tools()):
            continue
        try:
            done = _run([path, *command[1:], "--version"], 10.0)
        except CompilingError:
            continue
        if done.returncode == 0:
            return _Compiler([path, *command[1:]], done.stdout)
    raise CompilingError(f"there is no C compiler ({'CC is ' + shlex.join(wanted) if wanted else 'cc, gcc or clang'})")


def _developer_tools() -> bool:
    """On macOS, /usr/bin/cc without the developer tools is a stub that asks on the screen to install them."""
    if sys.platform != "darwin":
        return True
    return subprocess.run(["/usr/bin/xcode-select", "-p"], capture_output=True, check=False).returncode == 0


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run to the end, or end it with all its children. Raises CompilingError."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise CompilingError(f"{command[0]} does not start: {error.strerror}") from None
    try:
        output, _ = process.communicate(timeout=seconds)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise CompilingError(f"{command[0]} did not end within {seconds:.0f} s") from None
        raise
    return subprocess.CompletedProcess(command, process.returncode, output)


def _private(folder: Path) -> Path:
    """The folder, made if need be, for this user alone to write. Raises CompilingError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise CompilingError(f"{folder} cannot be made: {error.strerror}") from None
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise CompilingError(f"{folder} can be written by somebody else")
    return folder


def _digest(compiler: _Compiler) -> str:
    digest = hashlib.sha256()
    parts = [shlex.join(compiler.command), compiler.version, repr(_FLAGS), _processor()]
    for path in _sources("*.[ch]"):
        parts += [path.name, path.read_text(encoding="utf-8")]
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _sources(pattern: str) -> list[Path]:
    return sorted(SOURCES.glob(pattern))


def _processor() -> str:
    """What `-march=native` depends on: a home folder may be shared by machines."""
    found = [platform.machine(), platform.processor(), platform.system(), *platform.libc_ver()]
    named = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        first = ""
    return "\n".join(found + [line for line in first.splitlines() if line.startswith(named)])


def _whole(place: Path) -> bool:
    """Whether a library is there with every byte that was written: loading half of one would end the process."""
    try:
        wanted = (place / _DIGEST).read_text(encoding="ascii", errors="replace")
        return hashlib.sha256((place / _LIBRARY).read_bytes()).hexdigest() == wanted
    except OSError:
        return False


def _make(compiler: _Compiler, folder: Path, place: Path) -> None:
    """Compiled in a folder of its own, which is then renamed: whoever compiles at the same time is not disturbed."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix="compiling-") as work:
            made = Path(work, "made")
            made.mkdir(mode=0o700)
            _compile(compiler, made / _LIBRARY)
            content = (made / _LIBRARY).read_bytes()
            (made / _DIGEST).write_text(hashlib.sha256(content).hexdigest(), encoding="ascii")
            try:
                made.rename(place)
            except OSError:  # another process was first, or what is there is broken
                if not _whole(place):
                    place.rename(Path(work, "broken"))
                    made.rename(place)
    except OSError as error:
        if not _whole(place):  # two that both replaced a broken one
            raise CompilingError(f"{folder} cannot be written: {error.strerror}") from None


def _compile(compiler: _Compiler, library: Path) -> None:
    sources = [str(path) for path in _sources("*.c")]
    words = ""
    for flags in _FLAGS:
        done = _run([*compiler.command, *flags, "-o", str(library), *sources, "-lm"], COMPILE_SECONDS)
        if done.returncode == 0 and library.is_file():
            return
        words = words or next((line for line in done.stdout.splitlines() if "error" in line), done.stdout[-200:])
    raise CompilingError(f"{compiler.command[0]} refuses the sources: {words.strip()}")

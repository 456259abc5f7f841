"""`charrnn doctor`: what works here, what does not, and what to do about it. Loads torch."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from charrnn.commands.logout import at_logout_here
from charrnn.config import UsageError
from charrnn.native import library
from charrnn.runs import directory, room
from charrnn.text.cache import cache_folder
from charrnn.text.visible import visible_line

LEAST_COLUMNS, LEAST_ROWS = 40, 10
LITTLE = 1_000_000_000
"""Bytes free below which a disk is said to be nearly full."""
_SOCKET_PATH = 104 if sys.platform == "darwin" else 108


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `level`: ok; warn, where something is missed; fail, where no run can be had. `advice` is what to do."""

    name: str
    level: str
    words: str
    advice: str = ""


def doctor(runs_folder: str | None, *, as_json: bool) -> int:
    """Prints every check; the exit status: 1 if something essential fails."""
    checks = [check for look in _looks(directory.runs_folder(runs_folder)) for check in look()]
    failed = any(check.level == "fail" for check in checks)
    if as_json:
        print(json.dumps({"ok": not failed, "checks": [asdict(check) for check in checks]}))
    for check in () if as_json else checks:
        advice = f"; {check.advice}" if check.advice else ""
        print(visible_line(f"{check.level:5} {check.name:11} {check.words}{advice}"))
    return int(failed)


def _looks(runs: Path) -> list[Callable[[], list[Check]]]:
    return [_torch, _kernels, _terminal, _locale, lambda: _runs(runs), _cache, _sockets, _logout, _plots]


def _torch() -> list[Check]:
    begun = time.perf_counter()
    try:
        import torch
    except (ImportError, OSError) as error:
        words = f"does not load: {str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}"
        return [Check("torch", "fail", words, "install it again: https://pytorch.org/get-started")]
    from charrnn.engine.machine import cores
    from charrnn.training.precision import bfloat16_pays

    took = time.perf_counter() - begun
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs"
    threads = f"{torch.get_num_threads()} threads on {cores()} cores"
    python = f"Python {platform.python_version()}"
    checks = [Check("torch", "ok", f"{torch.__version__}, {build}, {threads}, {python}, loaded in {took:.1f} s")]
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            found = torch.cuda.get_device_properties(number)
            half = "bfloat16" if bfloat16_pays(torch.device("cuda", number)) else "float32 only"
            checks.append(
                Check("device", "ok", f"cuda:{number} {found.name}, {found.total_memory / 1e9:.0f} GB, {half}")
            )
    elif torch.version.cuda:
        words = "torch is built for CUDA and finds no GPU; runs train on the CPU"
        checks.append(Check("device", "ok", words))
    elif torch.backends.mps.is_available():
        checks.append(Check("device", "ok", "mps, the GPU of this Mac"))
    else:
        half = "bfloat16 pays" if bfloat16_pays(torch.device("cpu")) else "float32"
        checks.append(Check("device", "ok", f"cpu ({platform.machine()}), {half}"))
    return checks


def _kernels() -> list[Check]:
    wanted = shlex.split(os.environ.get("CC", ""))[:1] or ["cc", "gcc", "clang"]
    compiler = next((path for path in map(shutil.which, wanted) if path), None)
    check = Check("compiler", "ok", compiler) if compiler else Check("compiler", "warn", "none", _compiler_advice())
    if os.environ.get("CHARRNN_NATIVE") == "0":
        return [check, Check("kernels", "ok", "switched off (CHARRNN_NATIVE=0): PyTorch does all the work")]
    found = library.library()
    if found is None:
        words = f"none, PyTorch does all the work, and more slowly: {library.problem()}"
        return [check, Check("kernels", "warn", words, "`python -m charrnn.native` tries again")]
    tiles = "with tile registers (AMX)" if found.tiles_allowed() else "no tile registers (AMX)"
    return [check, Check("kernels", "ok", f"{library.kernels()}, {tiles}")]


def _compiler_advice() -> str:
    return "xcode-select --install" if sys.platform == "darwin" else "install gcc or clang for faster training on a CPU"


def _terminal() -> list[Check]:
    if not sys.stdout.isatty():
        return [Check("terminal", "ok", "none (the output is no terminal): charrnn-tui prints plain lines here")]
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    return [terminal_check(os.environ.get("TERM", ""), os.environ.get("COLORTERM", ""), columns, rows)]


def terminal_check(term: str, colours: str, columns: int, rows: int) -> Check:
    """What a terminal of that name (TERM), colours (COLORTERM) and size in cells can show."""
    words = f"{term or 'TERM is not set'}, {colours or 'COLORTERM is not set'}, {columns}x{rows}"
    if term in ("", "dumb"):
        return Check("terminal", "warn", words, "set TERM to what the terminal is, such as xterm-256color")
    if columns < LEAST_COLUMNS or rows < LEAST_ROWS:
        return Check("terminal", "warn", words, f"the workbench needs {LEAST_COLUMNS}x{LEAST_ROWS} or more")
    return Check("terminal", "ok", words)


def _locale() -> list[Check]:
    language = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "not set")
    return [locale_check(language, sys.stdout.encoding or "", sys.getfilesystemencoding())]


def locale_check(language: str, output: str, names: str) -> Check:
    """Whether text and file names can be written in every script."""
    words = f"{language}, output in {output or 'no encoding'}, file names in {names}"
    if {output.lower().replace("-", ""), names.lower().replace("-", "")} == {"utf8"}:
        return Check("locale", "ok", words)
    return Check("locale", "warn", words, "other scripts cannot be shown: export LC_ALL=C.UTF-8")


def _runs(folder: Path) -> list[Check]:
    try:
        room.require_writable(folder / "run")
    except UsageError as error:
        return [Check("runs", "fail", str(error).rstrip("."))]
    return [_place("runs", folder, "writable", "--runs-folder or $CHARRNN_RUNS")]


def _place(name: str, folder: Path, state: str, options: str) -> Check:
    free = room.free_bytes(folder)
    words = f"{folder}, {state}, {'unknown room' if free is None else f'{free / 1e9:,.1f} GB free'}"
    if free is not None and free < LITTLE:
        return Check(name, "warn", words, f"make room, or choose another place with {options}")
    return Check(name, "ok", words)


def _cache() -> list[Check]:
    try:
        folder = cache_folder()
    except UsageError as error:
        return [Check("cache", "fail", str(error).rstrip("."))]
    return [_place("cache", folder, "private", "$CHARRNN_CACHE")]


def _sockets() -> list[Check]:
    try:
        path = directory.socket_path(Path("/"))
    except (UsageError, OSError) as error:
        return [Check("sockets", "warn", f"no other workbench could attach: {str(error).rstrip('.')}")]
    length = len(os.fsencode(path))
    words = f"{path.parent}, private, paths of {length} bytes"
    if length >= _SOCKET_PATH:
        return [
            Check("sockets", "warn", words, f"sockets allow {_SOCKET_PATH - 1}: set XDG_RUNTIME_DIR to a shorter one")
        ]
    return [Check("sockets", "ok", words)]


def _logout() -> list[Check]:
    found = at_logout_here()
    if found is None:
        return []
    if found.fate:
        return [Check("logout", "warn", f"a run begun here {found.fate}", found.advice)]
    return [Check("logout", "ok", "a run begun here goes on when you log out")]


def _plots() -> list[Check]:
    if find_spec("matplotlib") is None:
        return [Check("plots", "warn", "no matplotlib, so no loss plots", "pip install 'charrnn[plot]'")]
    return [Check("plots", "ok", f"matplotlib {metadata.version('matplotlib')}")]

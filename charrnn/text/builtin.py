"""The corpora that every Python brings along. No torch here, and no numpy."""

from __future__ import annotations

import os
import platform
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from charrnn.config import UsageError

DEFAULT = "python-docs"

BUILT_IN: dict[str, str] = {
    "python-docs": "the language reference that ships in Python's standard library (pydoc_data.topics)",
    "python-source": "the Python standard library's own source code",
}

# Folders of the standard library that are tests, an editor, a dead converter, or not the library's own.
_LEFT_OUT = {"test", "tests", "idle_test", "idlelib", "lib2to3", "site-packages", "dist-packages", "__pycache__"}


def place_of(name: str) -> str:
    """Where a built-in corpus is from, in words."""
    what = "pydoc_data.topics" if name == "python-docs" else "the standard library"
    return f"{what} of Python {platform.python_version()}"


def chunks_of(name: str) -> Iterator[str]:
    """The text of a built-in corpus. Raises UsageError if this Python came without it."""
    return _python_docs() if name == "python-docs" else _python_source()


def _python_docs() -> Iterator[str]:
    """Every topic of `pydoc_data.topics`, in the order of its name, with blank lines between."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise UsageError("This Python comes without pydoc_data.topics; give a text file instead.") from None
    yield "\n\n".join(topics[key].strip("\n") for key in sorted(topics)) + "\n"


def _python_source() -> Iterator[str]:
    """The standard library's .py files in the order of their paths (by folder and name), blank lines between."""
    between = ""
    for path in _source_files():
        try:
            text = path.read_text(encoding="utf-8-sig").strip("\n")
        except (OSError, UnicodeDecodeError):  # a few files are in other encodings on purpose
            continue
        if text:
            yield between + text
            between = "\n\n\n"
    if not between:
        root = sysconfig.get_path("stdlib")
        raise UsageError(f"This Python keeps no source files in {root!r}; give a text file instead.")
    yield "\n"


def _source_files() -> list[Path]:
    root = Path(sysconfig.get_path("stdlib"))
    paths: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        paths += [Path(folder, name) for name in files if name.endswith(".py")]
    return sorted(paths, key=lambda path: path.relative_to(root).parts)


def bytes_of(name: str) -> int | None:
    """About how many bytes a built-in corpus has; None for one that is quickly read as a whole."""
    return sum(path.stat().st_size for path in _source_files()) if name == "python-source" else None

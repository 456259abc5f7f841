"""From a name, a path or standard input to characters, with the decoding stated. No torch here."""

from __future__ import annotations

import codecs
import os
import platform
import re
import stat
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from charrnn.config import UsageError

DEFAULT = "python-docs"

BUILT_IN: dict[str, str] = {
    "python-docs": "the language reference that ships in Python's standard library (pydoc_data.topics)",
    "python-source": "the Python standard library's own source code",
}

STANDARD_INPUT = "-"
_READ_EARLY = 4_000_000  # bytes

# Folders of the standard library that are tests, an editor, a dead converter, or not the library's own.
_LEFT_OUT = {"test", "tests", "idle_test", "idlelib", "lib2to3", "site-packages", "dist-packages", "__pycache__"}

_UTF_16_OR_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True, slots=True)
class SourceText:
    """Characters and where they came from.

    `name` is short enough for a title, `place` is an absolute path or says which built-in it is, `note` says how the
    bytes became characters ("UTF-8", "UTF-8, folded to ASCII").
    """

    name: str
    place: str
    text: str
    note: str


def read_source(source: str, *, ascii: bool = False, stdin_text: str | None = None) -> SourceText:  # noqa: A002
    """Read a built-in corpus, a UTF-8 text file, or standard input (`-`, given as `stdin_text`).

    Lines end in a line feed whatever they ended in before, and a byte order mark is left out. With `ascii` the text is
    folded as `fold_to_ascii` says. Raises UsageError, one sentence, for anything that is not a text to learn from.
    """
    if source == "python-docs":
        name, place, text = source, f"pydoc_data.topics of Python {platform.python_version()}", _python_docs()
    elif source == "python-source":
        name, place, text = source, f"the standard library of Python {platform.python_version()}", _python_source()
    elif source == STANDARD_INPUT:
        if stdin_text is None:
            raise UsageError("No text came on standard input; pipe one in, as in `cat FILE | charrnn train -`.")
        name, place, text = "stdin", "standard input", stdin_text.removeprefix("\ufeff")
    else:
        path = Path(os.path.abspath(os.path.expanduser(source)))
        name, place, text = path.stem or path.name, str(path), _decode(_read_bytes(path, source), path)
    where = place if source in BUILT_IN or source == STANDARD_INPUT else repr(place)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_worth_learning(text, where)
    if ascii:
        text = fold_to_ascii(text)
        _check_worth_learning(text, f"{where}, folded to ASCII,")
    return SourceText(name, place, text, "UTF-8, folded to ASCII" if ascii else "UTF-8")


def require_target(target: str) -> None:
    """Raise UsageError for what is neither a built-in corpus nor something that lies at a path."""
    if target in BUILT_IN or target == STANDARD_INPUT or Path(target).expanduser().exists():
        return
    raise UsageError(
        f"There is no file, run or built-in corpus {target!r}; give a text file, - for standard input, "
        f"a run from `charrnn runs`, or one of {', '.join(BUILT_IN)}."
    )


def refuse_early(target: str, stdin_text: str | None = None) -> None:
    """Raise UsageError for what `read_source` would refuse, as far as that can be found out within milliseconds.

    A long file is not read: whoever trains on it does.
    """
    require_target(target)
    if target not in BUILT_IN:
        path = Path(target).expanduser()
        if stdin_text is not None or path.is_dir() or path.stat().st_size <= _READ_EARLY:
            read_source(target, stdin_text=stdin_text)


def fold_to_ascii(text: str) -> str:
    """The text in ASCII: every other character as anyascii transliterates it, then runs of spaces squeezed to one.

    An em dash becomes "--", as Unidecode (which the lecture used) has it, where anyascii would give "-".
    """
    if not text.isascii():
        from anyascii import anyascii  # its tables take a moment to load, and most texts need none of them

        def fold(match: re.Match[str]) -> str:
            return "".join([known[c] if c in known else known.setdefault(c, anyascii(c)) for c in match[0]])

        known = {"—": "--"}
        text = re.sub("[^\x00-\x7f]+", fold, text)
    return re.sub(" +", " ", text)


def _python_docs() -> str:
    """Every topic of `pydoc_data.topics`, in the order of its name, with blank lines between."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise UsageError("This Python comes without pydoc_data.topics; give a text file instead.") from None
    return "\n\n".join(topics[key].strip("\n") for key in sorted(topics)) + "\n"


def _python_source() -> str:
    """The standard library's .py files in the order of their paths (by folder and name), blank lines between."""
    root = Path(sysconfig.get_path("stdlib"))
    paths: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        paths += [Path(folder, name) for name in files if name.endswith(".py")]
    texts = []
    for path in sorted(paths, key=lambda path: path.relative_to(root).parts):
        try:
            texts.append(path.read_text(encoding="utf-8-sig").strip("\n"))
        except (OSError, UnicodeDecodeError):  # a few files are in other encodings on purpose
            continue
    if not any(texts):
        raise UsageError(f"This Python keeps no source files in {str(root)!r}; give a text file instead.")
    return "\n\n\n".join(text for text in texts if text) + "\n"


def _read_bytes(path: Path, asked: str) -> bytes:
    """The bytes of a regular file, or a UsageError that says why there are none."""
    place = repr(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{place} is a folder; name one text file in it.")
        if not stat.S_ISREG(mode):
            raise UsageError(f"{place} is not a regular file; pipe its text in instead, and give `-` as the source.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        built_in = " or ".join(BUILT_IN)
        raise UsageError(
            f"There is no file {place}; check the path{f' {asked!r}' if asked != str(path) else ''}, "
            f"or name a built-in corpus ({built_in})."
        ) from None
    except PermissionError:
        raise UsageError(f"{place} may not be read by this user; change its permissions (chmod u+r).") from None
    except (OSError, ValueError) as error:  # too long a name, a NUL in it, a disk that fails
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{place} cannot be read ({reason}); give another text file.") from None


def _decode(data: bytes, path: Path) -> str:
    """UTF-8 without its byte order mark; UsageError with the offset of the first byte that is none."""
    place = repr(str(path))
    if data.startswith(_UTF_16_OR_32):
        raise UsageError(
            f"{place} is UTF-16 or UTF-32 text (by its first bytes); convert it with `iconv -f UTF-16 -t UTF-8`."
        )
    nul = data.find(0)
    if nul >= 0:
        raise UsageError(
            f"{place} is binary (a NUL at byte {nul}); give a text file, "
            "or convert it with `iconv -f UTF-16 -t UTF-8` if it is UTF-16 text."
        )
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{place} is not UTF-8 text (byte 0x{data[error.start]:02x} at byte {error.start}); "
            "convert it, for example with `iconv -f LATIN1 -t UTF-8`."
        ) from None


def _check_worth_learning(text: str, where: str) -> None:
    """Raise UsageError for a text that is empty, blank, binary, or one character over and over."""
    nul = text.find("\0")
    if nul >= 0:
        raise UsageError(f"{where} is binary (a NUL at character {nul}); give a text.")
    if not text:
        raise UsageError(f"{where} is empty; give a text with something to learn from.")
    inside = text.strip()
    if not inside:
        raise UsageError(f"{where} is empty but for white space; give a text with something to learn from.")
    if inside.count(inside[0]) == len(inside):
        raise UsageError(
            f"{where} has only one distinct character, {inside[0]!r}; give a text with at least two different ones."
        )

"""Folders, globs and packed files: what is taken, in which order, and what is told."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.text.sources import Reading, open_source, read_source, require_target, title

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUMMED = {zstd.CompressionParameter.checksum_flag: 1}  # else changed bytes may well unpack to others
PACK = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstd.compress(data, options=SUMMED),
}
TEXT = "Grüße aus dem Paket, eine Zeile um die andere.\n" * 2000


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Three texts, two of them below, something binary and something hidden."""
    for name, content in {
        "b.txt": b"second\n",
        "a/z.txt": b"first of a",
        "a/b/c.md": "tiefer: grün\n".encode("cp1252"),
        "picture.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        ".git/config": b"hidden",
        "a/.hidden": b"hidden",
    }.items():
        path = tmp_path / "shelf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "shelf"


def test_a_folder_is_its_texts_by_path_with_a_blank_line_between(shelf: Path) -> None:
    source = read_source(str(shelf))
    assert source.text == "tiefer: grün\n\nfirst of a\n\nsecond\n"
    assert source.name == "shelf"
    assert source.note == (
        "3 files by path, a blank line between, 2 × UTF-8, 1 × cp1252 by its looks (--encoding overrules), "
        "1 binary file left out"
    )


def test_a_glob_takes_what_matches_and_is_named_after_its_folder(shelf: Path) -> None:
    source = read_source(str(shelf / "**" / "*.txt"))
    assert source.text == "first of a\n\nsecond\n"
    assert source.name == "shelf"
    assert source.note == "2 files by path, a blank line between, UTF-8"
    assert read_source(str(shelf / "?")).text == "tiefer: grün\n\nfirst of a"  # a folder that matches is all below it


def test_a_name_with_a_bracket_is_a_name_if_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "notes [old].txt"
    path.write_text("one text")
    assert read_source(str(path)).text == "one text"


def test_a_glob_without_a_match_and_a_folder_without_a_text_are_told(shelf: Path) -> None:
    with pytest.raises(UsageError, match="No file matches"):
        require_target(str(shelf / "*.pdf"))
    with pytest.raises(UsageError, match="No file matches"):
        read_source(str(shelf / "*.pdf"))
    for path in (shelf / "a", shelf / "b.txt"):
        os.rename(path, path.with_name("." + path.name))
    with pytest.raises(UsageError, match="1 file, all binary"):
        read_source(str(shelf))


@pytest.mark.parametrize("kind", PACK)
def test_packed_files_are_unpacked_whatever_they_are_called(kind: str, tmp_path: Path) -> None:
    for name in (f"text.txt.{kind}", "text"):
        path = tmp_path / name
        path.write_bytes(PACK[kind](TEXT.encode()))
        source = read_source(str(path))
        assert (source.name, source.text, source.note) == ("text", TEXT, "UTF-8")
    (tmp_path / "plain.txt").write_text("plain")
    assert read_source(str(tmp_path)).text.count(TEXT) == 2


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_archive_is_told(kind: str, damage: str, tmp_path: Path) -> None:
    data = PACK[kind](os.urandom(3000).hex().encode())
    middle = len(data) // 2
    broken = data[:middle] if damage == "cut" else data[:middle] + bytes(200) + data[middle + 200 :]
    path = tmp_path / "packed"
    path.write_bytes(broken)
    with pytest.raises(UsageError, match=r"packed' is damaged \(.*\); fetch or pack it again\.$"):
        read_source(str(path))


def test_an_encoding_that_is_given_overrules_the_looks(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("Grüße".encode("utf-16-le"))
    with pytest.raises(UsageError, match=r"binary .*--encoding"):
        read_source(str(path))
    source = read_source(str(path), encoding="utf-16-le")
    assert (source.text, source.note) == ("Grüße", "UTF-16-LE as asked")
    path.write_bytes("Grüße".encode())
    assert read_source(str(path), encoding="latin-1").text == "GrÃ¼Ã\x9fe"
    assert read_source(str(path), encoding="ascii").note == "ascii as asked, 4 undecodable bytes shown as �"


def test_how_far_a_reading_is_can_be_followed(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(os.urandom(2_000_000).hex().encode())
    told: list[tuple[str, int, int | None]] = []
    for _ in Reading(open_source(str(path)), lambda *news: told.append(news)).chunks():
        pass
    assert told[-1] == ("reading", 8_000_000, 8_000_000)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/texts/faust.txt", "faust"),
        ("/texts/faust.txt.gz", "faust"),
        ("/texts/*.txt", "texts"),
        ("/*", "/"),
        ("https://example.org/a/faust%201.txt?x=y", "faust 1"),
        ("https://example.org", "example"),
    ],
)
def test_a_corpus_is_called_after_its_source(source: str, name: str) -> None:
    assert title(source) == name


def test_a_run_keeps_the_ending_in_its_corpus_name() -> None:
    assert title("/texts/version-1.2.txt", ending=True) == "version-1.2.txt"
    assert title("https://example.org/a/faust.txt.gz", ending=True) == "faust.txt.gz"

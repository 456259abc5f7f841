"""A look at a text: what it says agrees with what a reading finds, and it never reads much."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.text import preview
from charrnn.text.preview import HEAD, look_at
from charrnn.text.sources import BUILT_IN, read_source


def test_a_short_text_is_told_exactly(corpus_file: Path, small_text: str) -> None:
    seen = look_at(str(corpus_file))
    assert (seen.characters, seen.exact, seen.symbols) == (len(small_text), True, len(set(small_text)))
    assert (seen.head, seen.note, seen.name) == (small_text, "UTF-8", "sentences.txt")
    assert seen.source == str(corpus_file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_long_text_is_told_about(tmp_path: Path, encoding: str, packed: bool) -> None:
    text = "".join(f"Über {n} Flüsse führt der Weg nach Süden, größer als je.\n" for n in range(30_000))
    data = text.encode(encoding)
    path = tmp_path / "lang.txt"
    path.write_bytes(gzip.compress(data) if packed else data)
    seen = look_at(str(path))
    whole = read_source(str(path))
    assert not seen.exact
    assert seen.characters == pytest.approx(len(whole.text), rel=0.15)
    assert len(seen.head) <= HEAD
    assert whole.text.startswith(seen.head[:1000])
    assert seen.note == whole.note


def test_a_character_that_is_cut_off_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "euro.txt"
    path.write_bytes(("a" + "€" * HEAD + " und so weiter").encode())
    assert look_at(str(path)).note == "UTF-8"


def test_folders_and_globs(tmp_path: Path, small_text: str) -> None:
    for name in ("a.txt", "b.txt", "c.md"):
        (tmp_path / name).write_text(small_text)
    (tmp_path / "picture").write_bytes(b"\x00\x01" * 100)
    (tmp_path / ".hidden").write_text("not this")
    seen = look_at(str(tmp_path))
    assert seen.note == "4 files by path, UTF-8, 1 binary left out"
    assert seen.characters == len(read_source(str(tmp_path)).text)
    assert look_at(f"{tmp_path}/*.txt").note == "2 files by path, UTF-8"


def test_a_pattern_of_any_depth_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some text")
    seen = look_at(f"{tmp_path}/**/*.txt")
    assert (seen.characters, seen.note) == (None, "the files are found when the run begins")


def test_a_large_folder_is_not_walked_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "FILES", 5)
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text("some text, and more\n" * 20_000)
    seen = look_at(str(tmp_path))
    assert seen.note.startswith("more than 5 files")
    assert not seen.exact


def test_the_built_in_ones_and_addresses() -> None:
    docs = look_at("python-docs")
    assert docs.exact
    assert docs.characters == len(read_source("python-docs").text)
    assert look_at("python-source").characters == pytest.approx(len(read_source("python-source").text), rel=0.05)
    assert all(look_at(name).note == words for name, words in BUILT_IN.items())
    far = look_at("https://example.org/text.txt")
    assert (far.name, far.characters, far.head) == ("text.txt", None, "")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"\n \n", "but for white space"), (b"aaaa", "only one distinct"), (b"\x00\x01", "is binary")],
)
def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=words) as refused:
        look_at(str(path))
    assert str(refused.value)[-1] == "."


@pytest.mark.parametrize(
    "target", ["/no/such/file", "-", "https://", "/no/such/*.txt", "/no\0name", "~nobody-at-all/x"]
)
def test_what_is_not_there_is_one_sentence(target: str) -> None:
    with pytest.raises(UsageError) as refused:
        look_at(target)
    assert str(refused.value).endswith(".")


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no files in it"):
        look_at(str(tmp_path))
    (tmp_path / "x").write_bytes(b"\x00" * 10)
    with pytest.raises(UsageError, match="holds no text"):
        look_at(str(tmp_path))

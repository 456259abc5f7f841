"""Ids are made once, kept privately, and never change under whoever uses them."""

from __future__ import annotations

import os
import stat
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from charrnn.config import CorpusConfig, UsageError
from charrnn.text import cache, stored
from charrnn.text.corpus import Corpus, kept_corpus, load_corpus
from charrnn.text.sources import Reading
from charrnn.text.vocabulary import Characters


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
    """Every passage through a source while the test runs."""
    made: list[Reading] = []
    before = Reading.__init__

    def counted(self: Reading, *arguments: object) -> None:
        made.append(self)
        before(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Reading, "__init__", counted)
    return made


def written(path: Path, content: bytes | str, *, ago: float = 100.0) -> Path:
    """A file that has been at rest for so many seconds, as far as its times tell."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (time.time() - ago,) * 2)
    return path


def load(path: Path, **settings: object) -> Corpus:
    return load_corpus(CorpusConfig(source=str(path), name="", **settings))  # type: ignore[arg-type]


@pytest.fixture
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time at which a file's entry changed cannot be set back: the clock of the readings goes on instead."""
    monkeypatch.setattr(stored, "AT_REST", -3600.0)


@pytest.mark.usefixtures("at_rest")
def test_a_file_that_is_as_it_was_is_not_read_again(tmp_path: Path, readings: list[Reading]) -> None:
    path = written(tmp_path / "text", "Grüße und mehr " * 50)
    first = load(path)
    second = load(path)
    assert len(readings) == 1
    assert np.array_equal(first.ids, second.ids)
    assert (first.sha256, first.note, first.vocabulary) == (second.sha256, second.note, second.vocabulary)
    assert load(path, tokens="printable").vocabulary == Characters.printable()
    assert load(path, ascii=True).head(5) == "Gruss"
    assert load(path, encoding="latin-1").head(5) == "GrÃ¼Ã"
    assert len(readings) == 4


@pytest.mark.usefixtures("at_rest")
@pytest.mark.parametrize("change", ["content", "size", "back-dated", "replaced"])
def test_a_file_that_changed_is_read_again(change: str, tmp_path: Path) -> None:
    path = written(tmp_path / "text", "one text and no other")
    before, times = load(path), path.stat()
    if change == "replaced":
        written(tmp_path / "new", "two text and no other").replace(path)
    else:
        path.write_text("two text and no other" + " at all" * (change == "size"))
    if change in ("back-dated", "replaced"):
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = load(path)
    assert after.head(3) == "two"
    assert before.head(3) == "one"  # what is in use stays
    assert load(path).sha256 == after.sha256 != before.sha256


def test_a_file_that_was_written_a_moment_ago_is_not_trusted(tmp_path: Path, readings: list[Reading]) -> None:
    path = tmp_path / "text"
    path.write_text("one text and no other")
    load(path)
    load(path)
    assert len(readings) == 2


@pytest.mark.usefixtures("at_rest")
def test_a_file_that_changes_while_it_is_read_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readings: list[Reading]
) -> None:
    path = written(tmp_path / "text", "one text and no other")
    chunks = Reading.chunks

    def changed(self: Reading) -> object:
        yield from chunks(self)
        path.write_text("two text and no other")

    monkeypatch.setattr(Reading, "chunks", changed)
    assert load(path).head(3) == "one"
    monkeypatch.setattr(Reading, "chunks", chunks)
    assert load(path).head(3) == "two"


@pytest.mark.usefixtures("at_rest")
def test_a_folder_with_a_new_file_is_read_again(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    written(shelf / "b", "one text")
    assert load(shelf).characters == 8
    written(shelf / "a", "more")
    assert load(shelf).head(20) == "more\n\none text"


def test_two_places_with_one_text_share_their_ids(tmp_path: Path, folder: Path) -> None:
    load(written(tmp_path / "one", "the same text"))
    load(written(tmp_path / "two", "the same text".encode("utf-16")))
    assert len(list((folder / "ids").glob("*.ids"))) == 1


@pytest.mark.parametrize(("symbols", "dtype"), [(200, "uint8"), (300, "uint16"), (70_000, "uint32")])
def test_ids_take_the_type_that_the_vocabulary_needs_on_disk_too(symbols: int, dtype: str, tmp_path: Path) -> None:
    text = "".join(chr(code) for code in range(0x30, 0x30 + symbols * 2) if not 0xD800 <= code < 0xE000)[:symbols]
    corpus = load(written(tmp_path / "text", text * 2))
    assert corpus.ids.dtype == dtype
    assert isinstance(corpus.ids, np.memmap)
    assert corpus.head(10**6) == text * 2


def test_the_cache_is_private_and_its_folder_must_be_ones_own(tmp_path: Path, folder: Path) -> None:
    path = written(tmp_path / "text", "a text of its own")
    load(path)
    for found in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(found.stat().st_mode) & 0o077 == 0, found
    assert not list(folder.rglob(".unfinished-*"))
    folder.chmod(0o755)
    with pytest.raises(UsageError, match="mode 0700"):
        load(path)


def test_a_damaged_cache_is_made_anew(tmp_path: Path, folder: Path, at_rest: None) -> None:
    path = written(tmp_path / "text", "a text of its own")
    load(path)
    for found in folder.rglob("*.ids"):
        found.write_bytes(b"short")
    assert load(path).head(100) == "a text of its own"
    for found in folder.rglob("*.json"):
        found.write_bytes(b"{")
    assert load(path).head(100) == "a text of its own"


def test_the_longest_unused_goes_first_and_nothing_that_is_in_use(tmp_path: Path, folder: Path) -> None:
    corpora = {name: load(written(tmp_path / name, f"{name} text " * 1000)) for name in ("old", "used", "new")}
    for name, age in (("old", 300), ("used", 200), ("new", 100)):
        (place,) = [
            p for p in (folder / "ids").glob("*.ids") if p.stat().st_ino == os.fstat(opened(corpora[name])).st_ino
        ]
        os.utime(place, (time.time() - age,) * 2)
    in_use = corpora.pop("old")
    corpora.clear()
    cache.trim(folder, most=25_000)
    left = {p.stat().st_ino for p in (folder / "ids").glob("*.ids")}
    assert len(left) == 2
    assert os.fstat(opened(in_use)).st_ino in left
    cache.trim(folder, most=0)
    assert len(list((folder / "ids").glob("*.ids"))) == 1
    assert in_use.head(8) == "old text"


def opened(corpus: Corpus) -> int:
    assert corpus.descriptor is not None
    return corpus.descriptor


def test_what_a_dead_process_left_is_dropped_and_what_a_live_one_writes_is_not(folder: Path) -> None:
    ids = cache.part(cache.cache_folder(), "ids")
    long_ago = (time.time() - 1000,) * 2
    (ids / ".unfinished-dead").write_bytes(b"x")
    os.utime(ids / ".unfinished-dead", long_ago)
    with cache.new_file(ids) as alive:
        os.utime(alive.name, long_ago)
        cache.trim(folder)
        assert [p.name for p in ids.iterdir()] == [Path(alive.name).name]
    assert not list(ids.iterdir())


def test_the_ids_of_a_recorded_digest_are_found_without_their_text(tmp_path: Path) -> None:
    path = written(tmp_path / "text", "Grüße, die bleiben" * 9)
    made = load(path, ascii=True, validation=0.25)
    path.unlink()
    recorded = CorpusConfig(source=str(path), name="text", sha256=made.sha256, ascii=True, validation=0.25)
    kept = kept_corpus(recorded)
    assert kept is not None
    assert np.array_equal(kept.ids, made.ids)
    assert kept.held_out_at == made.held_out_at
    assert kept_corpus(CorpusConfig(source="", name="", sha256="0" * 64)) is None
    assert kept_corpus(CorpusConfig(source="", name="", sha256=made.sha256, tokens="printable")) is None


def test_a_text_is_never_held_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "text", "words that go on — and on, as words do\n" * 1_000_000)  # 41 MB
    load(written(tmp_path / "small", "loads what there is to load — once"))
    tracemalloc.start()
    corpus = load(path)
    corpus.line_for_prime()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert corpus.characters == 39 * 1_000_000
    assert peak < 30_000_000  # 21 MB where it was written, for 20 MB of text as for 41


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told in /proc")
def test_pages_of_ids_that_were_read_can_be_given_back(tmp_path: Path) -> None:
    def of_files() -> int:
        (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile")]
        return int(line.split()[1]) * 1024

    corpus = load(written(tmp_path / "text", "words that go on and on, as words do\n" * 600_000))  # 22 MB
    before = of_files()
    total = int(corpus.ids.sum())
    read = of_files()
    stored.forget_pages(corpus.ids)
    assert read - before > 20_000_000
    assert of_files() - before < 2_000_000
    assert int(corpus.train_ids.sum()) + int(corpus.held_out_ids.sum()) == total
    stored.forget_pages(corpus.ids.copy())  # nothing to give back


def test_no_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"No space left on device.*CHARRNN_CACHE"):
        load(written(tmp_path / "text", "a text of its own"))
    assert not list((tmp_path / "cache").rglob(".unfinished-*"))


def test_a_vocabulary_of_chunks_is_that_of_the_text_and_encodes_them_alike() -> None:
    chunks = ["Grü", "", "ße aus 中", "文 a"]
    vocabulary = Characters.of_chunks(chunks)
    assert vocabulary == Characters.of_text("".join(chunks))
    parts = list(vocabulary.encode_chunks(iter(chunks)))
    assert np.array_equal(np.concatenate(parts), vocabulary.encode("".join(chunks)))

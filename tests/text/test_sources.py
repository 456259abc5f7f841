"""Characters come in with their decoding stated, or one sentence says why they do not."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import UsageError
from charrnn.text.sources import BUILT_IN, DEFAULT, fold_to_ascii, read_source


def complaint(source: str | Path, **more: str | bool) -> str:
    """The one sentence that this source is refused with."""
    with pytest.raises(UsageError) as refusal:
        read_source(str(source), **more)  # type: ignore[arg-type]
    sentence = str(refusal.value)
    assert sentence.endswith((".", ".)")), sentence
    assert "\n" not in sentence
    return sentence


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "a text.txt"
    path.write_bytes(content)
    return path


def test_the_default_is_built_in_and_each_built_in_has_a_line_about_it() -> None:
    assert DEFAULT in BUILT_IN
    assert all(line and "\n" not in line for line in BUILT_IN.values())


def test_python_docs_hold_every_topic_in_sorted_order() -> None:
    from pydoc_data.topics import topics

    source = read_source("python-docs")
    places = [source.text.find(topics[key].strip("\n")) for key in sorted(topics)]
    assert -1 not in places
    assert source.text.startswith(topics[min(topics)].lstrip("\n"))
    assert "\n\n" + topics[max(topics)].strip("\n") + "\n" == source.text[-len(topics[max(topics)].strip("\n")) - 3 :]
    assert (source.name, source.note) == ("python-docs", "UTF-8")


def test_python_source_is_the_library_without_its_tests() -> None:
    text = read_source("python-source").text
    assert Path(re.__file__).read_text(encoding="utf-8").strip() in text
    assert Path(os.__file__).read_text(encoding="utf-8").strip() in text
    assert "class IdleTest" not in text
    assert "import test.regrtest" not in text
    assert len(text) > 5_000_000
    assert text == read_source("python-source").text


def test_a_file_is_named_after_itself_and_placed_absolutely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = file_of(tmp_path, "Grüße, 中文\n".encode())
    source = read_source("a text.txt")
    assert source.text == "Grüße, 中文\n"
    assert (source.name, source.place, source.note) == ("a text", str(path), "UTF-8")


def test_line_ends_become_line_feeds_and_a_byte_order_mark_goes(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"\xef\xbb\xbfone\r\ntwo\rthree\nfour\r\r\n")
    assert read_source(str(path)).text == "one\ntwo\nthree\nfour\n\n"
    assert read_source("-", stdin_text="\ufeffone\r\ntwo").text == "one\ntwo"


def test_standard_input_is_read_from_what_was_given() -> None:
    source = read_source("-", stdin_text="to be or not")
    assert (source.name, source.place, source.text) == ("stdin", "standard input", "to be or not")


def test_a_missing_file_is_told_with_its_place_and_the_built_ins(tmp_path: Path) -> None:
    sentence = complaint(tmp_path / "no such.txt")
    assert repr(str(tmp_path / "no such.txt")) in sentence
    assert "python-docs" in sentence
    assert "no file" in complaint(file_of(tmp_path, b"text") / "below a file")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("a text")
    assert "no files" in complaint(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"text")
    path.chmod(0)
    assert "chmod" in complaint(path)


def test_a_refused_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, mode: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = file_of(tmp_path, b"text")
    monkeypatch.setattr(Path, "open", refuse)
    assert "chmod" in complaint(path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in complaint(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["nul\0inside", "x" * 5000])
def test_a_name_that_no_file_can_have_is_told(name: str) -> None:
    assert "cannot be read" in complaint(name)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    assert "is empty" in complaint(file_of(tmp_path, b""))
    assert "is empty" in complaint(file_of(tmp_path, b"\xef\xbb\xbf"))


@pytest.mark.parametrize("content", [b" ", b"\n\n\r\n", b" \t\n" * 50])
def test_nothing_but_white_space_is_told(tmp_path: Path, content: bytes) -> None:
    assert "white space" in complaint(file_of(tmp_path, content))


@pytest.mark.parametrize("content", ["a" * 1000, "a" * 1000 + "\n", "é"])
def test_one_repeated_character_is_told(tmp_path: Path, content: str) -> None:
    sentence = complaint(file_of(tmp_path, content.encode()))
    assert "only one distinct character" in sentence
    assert repr(content[0]) in sentence


def test_a_text_that_folds_away_is_told() -> None:
    assert "folded to ASCII" in complaint("-", stdin_text="\ue000\ue001", ascii=True)


def test_a_binary_file_is_told_with_the_byte(tmp_path: Path) -> None:
    sentence = complaint(file_of(tmp_path, b"\x7fELF\x02\x01\0\0"))
    assert "binary" in sentence
    assert "byte 6" in sentence
    assert "binary" in complaint("-", stdin_text="ab\0c")


def test_no_text_on_standard_input_is_told() -> None:
    assert "standard input" in complaint("-")
    assert complaint("-", stdin_text="").startswith("standard input is empty")


def test_folding_gives_a_double_hyphen_for_an_em_dash_and_single_spaces() -> None:
    source = read_source("-", stdin_text="Ünïcode—“so”…  it   is\n\n  é\u00a0 x", ascii=True)
    assert source.text == 'Unicode--"so"... it is\n\n e x'
    assert source.note == "UTF-8, folded to ASCII"


@given(st.text(st.characters(codec="utf-32")))
def test_any_text_folds_to_ascii_and_folding_again_changes_nothing(text: str) -> None:
    folded = fold_to_ascii(text)
    assert folded.isascii()
    assert "  " not in folded
    assert fold_to_ascii(folded) == folded


@given(st.text(st.characters(codec="ascii")))
def test_any_ascii_text_folds_to_itself_but_for_runs_of_spaces(text: str) -> None:
    squeezed = text
    while "  " in squeezed:
        squeezed = squeezed.replace("  ", " ")
    assert fold_to_ascii(text) == squeezed

"""What a path may become, and figures in few words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bars import area, bars
from tui.completion import candidates, common_beginning, is_settled
from tui.words import size_in_words, span_in_words


def texts(typed: str, **more: list[tuple[str, str]]) -> list[str]:
    return [one.text for one in candidates(typed, **more)]


def test_a_folder_is_listed_files_first_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("moby.txt", "Middlemarch.txt", ".secret", "notes.md"):
        (tmp_path / name).write_text("x")
    (tmp_path / "more").mkdir()
    inside = f"{tmp_path}/"
    names = ["Middlemarch.txt", "moby.txt", "notes.md", "more/"]
    assert texts(inside) == [inside + name for name in names]
    assert texts(inside + "m") == [inside + name for name in ("Middlemarch.txt", "moby.txt", "more/")]
    assert texts(inside + ".") == [inside + ".secret"]
    assert texts(inside + "moby.txt") == []
    assert [one.remark for one in candidates(inside + "mo")] == ["1 B", "folder"]


def test_names_of_texts_come_before_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "python.txt").write_text("x")
    recent = [("/texts/python-book.txt", "text of a-1"), ("python-docs", "text of b-1")]
    assert texts("py", recent=recent) == ["/texts/python-book.txt", "python-docs", "python-source", "python.txt"]
    assert texts("", recent=recent)[:2] == ["/texts/python-book.txt", "python-docs"]


def test_the_home_folder_keeps_its_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "books").mkdir()
    assert texts("~") == ["~/books/"] == texts("~/b")


def test_addresses_and_globs_are_left_as_they_are() -> None:
    assert texts("https://example.org/") == [] == texts("/etc/*.conf")


@pytest.mark.parametrize("typed", ["/no/such/folder/x", "/no\0name/", "~nobody-at-all/", "x" * 5000 + "/"])
def test_a_folder_that_is_not_there_has_nothing(typed: str) -> None:
    assert texts(typed) == []
    assert not is_settled(typed)


def test_a_name_that_is_no_utf8_cannot_be_typed(tmp_path: Path) -> None:
    Path(tmp_path, b"caf\xe9.txt".decode("utf-8", "surrogateescape")).write_text("x")
    assert texts(f"{tmp_path}/") == []


def test_what_all_candidates_begin_with(tmp_path: Path) -> None:
    for name in ("chapter-1.txt", "chapter-2.txt"):
        (tmp_path / name).write_text("x")
    typed = f"{tmp_path}/ch"
    assert common_beginning(typed, candidates(typed)) == f"{tmp_path}/chapter-"
    assert common_beginning("zz", []) == "zz"
    assert is_settled(f"{tmp_path}/chapter-1.txt")
    assert is_settled("python-docs")


@given(st.lists(st.floats(-1e9, 1e9), max_size=50), st.integers(0, 40), st.integers(1, 9))
def test_bars_fill_exactly_their_room(values: list[float], columns: int, rows: int) -> None:
    row = bars(values, columns)
    assert len(row) == (columns if values else 0)
    drawn = area(values, columns, rows)
    assert [len(one) for one in drawn] == [columns if values else 0] * rows
    assert all(one != " " for one in drawn[-1])


def test_a_falling_loss_falls() -> None:
    assert bars([4.0, 3.0, 2.0, 1.0], 4) == "█▆▃▁"
    assert area([2.0, 1.0], 2, 2) == ["█ ", "█▁"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (812, "812 B"), (1234, "1.2 kB"), (999_900, "1.0 MB"), (3.4e10, "34 GB")]
)
def test_sizes(count: float, words: str) -> None:
    assert size_in_words(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.24, "0.2 s"), (31, "31 s"), (84, "1.4 min"), (720, "12 min"), (11_520, "3.2 h"), (4e5, "4.6 d")],
)
def test_spans(seconds: float, words: str) -> None:
    assert span_in_words(seconds) == words

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tui import copying


def test_two_copies_of_the_same_second_are_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path)
    monkeypatch.setattr(time, "strftime", lambda _: "20260101-000000")
    for text in ("one", "two", "three"):
        level, words = copying.keep(text, "run")
        assert level == "info"
        assert words.endswith(".txt")
    kept = {path.name: path.read_text() for path in (tmp_path / "copies").iterdir()}
    assert kept == {
        "run-20260101-000000.txt": "one",
        "run-20260101-000000-2.txt": "two",
        "run-20260101-000000-3.txt": "three",
    }

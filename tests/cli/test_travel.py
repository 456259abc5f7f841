"""`charrnn travel`: what a run wrote at each of its states, on standard output, as a page, as a recording."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pyte
import pytest

from charrnn.cli import main
from charrnn.commands.travelogue import COLUMNS, ROWS, Travelogue, as_page, as_recording, as_text, file_of, rows_of
from charrnn.config import Knobs
from charrnn.insight.eras import Era
from tests.insight.small_runs import CHECKPOINT, MILESTONES, small_run

STEPS = [*MILESTONES, CHECKPOINT]
HOSTILE = "</pre><script>alert(1)</script>&amp;\x1b]52;c;ZXZpbA==\x07\x00\x9b2J\u202e"


@pytest.fixture(autouse=True)
def sigpipe() -> Iterator[None]:
    """The command leaves it to the shell; the tests' own process has other pipes."""
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)


@pytest.fixture
def run(runs_folder: Path) -> Path:
    return small_run(runs_folder / "fox")


def travelogue(*texts: str, prime: str = "The ", run: str = "fox") -> Travelogue:
    eras = [Era(step**2, step * 100, 3.0, None, prime, text) for step, text in enumerate(texts)]
    return Travelogue(run, 7, Knobs(temperature=0.5, top_k=3), eras)


def test_every_state_is_printed_with_its_step_and_losses(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["travel", "fox", "--prime", "The fox☃", "--seed", "3", "--length", "40"]) == 0
    out, err = capsys.readouterr()
    heads = [line for line in out.splitlines() if line.startswith("── step")]
    assert [int(re.findall(r"step ([\d,]+)", head)[0].replace(",", "")) for head in heads] == STEPS
    assert heads[3] == "── step 60 · 6,000 characters read · held-out 3.500 · training 2.800 ──"
    assert out.count("\nThe fox") == len(STEPS)
    assert "does not know: '☃'" in err
    assert main(["travel", "fox", "--prime", "The fox", "--seed", "3", "--length", "40"]) == 0
    assert capsys.readouterr().out == out


def test_a_file_is_written_by_its_ending_and_takes_nobodys_place(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending, begins in ((".txt", b"fox: the same"), (".html", b"<!DOCTYPE html>"), (".cast", b'{"version": 2')):
        out = tmp_path / f"out{ending}"
        assert main(["travel", "fox", "--length", "20", "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"wrote {out}\n"
        assert out.read_bytes().startswith(begins)
        assert main(["travel", "fox", "--length", "20", "--out", str(out)]) == 2
        assert "already; give another name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["travel", "nobody"], "There is no run 'nobody'"),
        (["travel", "fox", "--out", "film.gif"], "give .txt, .html or .cast"),
        (["travel", "fox", "--out", "/nowhere/at/all.txt"], "make it first"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    run: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_damage_is_told_beside_what_is_whole(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "milestones" / "step-00000025" / "MANIFEST.json").write_text("{}")
    assert main(["travel", "fox", "--length", "10"]) == 0
    out, err = capsys.readouterr()
    assert out.count("── step") == len(STEPS) - 1
    assert "Step 25 is passed over" in err


class Page(HTMLParser):
    """The tags of a page, and the text of its sections."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self._in_pre = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(value and "//" in value for _, value in attrs)  # nothing comes from a network
        if tag == "pre":
            self._in_pre = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_pre = self._in_pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._in_pre:
            self.texts[-1] += data


def test_a_page_shows_every_text_and_nothing_of_one_is_markup() -> None:
    page = as_page(travelogue("nonsense\n", HOSTILE, prime="A <b>prime</b> ", run="<i>run</i>"))
    found = Page(page)
    assert found.tags.count("script") == 1
    assert found.tags.count("section") == 2
    assert "i" not in found.tags
    assert found.texts[0] == "A <b>prime</b> nonsense\n"
    assert "<script>alert(1)</script>&amp;" in found.texts[1]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
    assert 'max="1"' in page
    assert "default-src 'none'" in page


def test_a_recording_plays_every_state_and_nothing_of_a_text_acts_on_the_terminal() -> None:
    wide = "漢字 " * 60
    lines = as_recording(travelogue("gibberish", HOSTILE, wide, "\n" * 40)).splitlines()
    head = json.loads(lines[0])
    assert (head["version"], head["width"], head["height"]) == (2, COLUMNS, ROWS)
    events = [json.loads(line) for line in lines[1:]]
    assert [kind for _, kind, _ in events] == ["o"] * 5
    times = [at for at, *_ in events]
    assert times == sorted(times)
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    seen = []
    for _, _, data in events[:-1]:
        stream.feed(data)
        seen.append("\n".join(screen.display))
        assert not re.search(r"\x1b(?!\[[\d;?]*[A-Za-z])|[\x00-\x09\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]", data)
        assert screen.display[0].startswith("fox")  # nothing has scrolled
    assert "The gibberish" in seen[0]
    assert "step 1 " in seen[1]
    assert "</pre><script>" in seen[1]
    assert "漢" in seen[2]
    assert [view.splitlines()[2].rstrip() for view in seen[:1]] == ["█" + seen[0].splitlines()[2].rstrip()[1:]]
    stream.feed(events[-1][2])
    assert not screen.cursor.hidden


def test_a_text_file_has_the_texts_as_they_are() -> None:
    text = as_text(travelogue("one\n", "two \x1b"))
    assert "── step 0 · 0 characters read · training 3.000 ──\nThe one\n" in text
    assert text.endswith("The two \x1b\n")
    assert "prime 'The ', seed 7, temperature 0.5, top-k 3" in text
    with pytest.raises(ValueError, match="no state"):
        file_of(travelogue(), ".txt")


def test_rows_hold_all_of_a_text_in_their_columns() -> None:
    text = "a word and another\nlonglonglonglong word\n\n漢字漢字漢字漢字"
    rows = rows_of(text, 10)
    assert [row for _, row in rows] == [
        "a word and",
        "another",
        "longlonglo",
        "nglong",
        "word",
        "",
        "漢字漢字漢",
        "字漢字",
    ]
    assert all(text[begin:].startswith(row) for begin, row in rows)

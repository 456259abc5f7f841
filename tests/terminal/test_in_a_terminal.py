"""The workbench in a real pseudo-terminal, with the fake engine behind it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminal import pseudo_terminal
from tests.terminal.pseudo_terminal import Terminal

WORKBENCH = Path(__file__).parent / "workbench_with_fake_engine.py"


def terminal(
    *arguments: str, size: tuple[int, int] = (120, 34), **environment: str
) -> contextlib.AbstractContextManager[Terminal]:
    """The workbench with the fake engine behind it, in a pseudo-terminal."""
    return pseudo_terminal.terminal(sys.executable, str(WORKBENCH), *arguments, size=size, **environment)


def test_the_screen_comes_up_streams_and_leaves_a_line_that_says_how_to_come_back() -> None:
    with terminal() as one:
        one.shows("● training", "── seed 1 ──", "the quick brown fox")
        one.press("+")
        one.shows("T 0.85")
        one.press("q")
        assert one.end() == 0
        assert one.is_clean()
        assert "come back with: charrnn-tui hamlet-1" in one.left()


def test_no_background_is_painted_and_no_foreign_sequence_comes_through() -> None:
    with terminal() as one:
        one.shows("the quick brown fox", "[bold]six characters[/bold] ␛]52;c;ZXZpbA==␇")
        one.press("d")
        assert one.end() == 0
        assert not re.search(rb"\x1b\[(?:[0-9;]*;)?4[0-7][;m]|\x1b\[(?:[0-9;]*;)?48;", bytes(one.raw))
        assert b"\x1b]52" not in one.raw


def test_sigterm_leaves_the_terminal_clean_within_three_seconds() -> None:
    with terminal() as one:
        one.shows("the quick brown fox")
        begun = time.monotonic()
        os.kill(one.pid, signal.SIGTERM)
        assert one.end() == 143
        assert time.monotonic() - begun < 3.0
        assert one.is_clean()
        assert "Saved at step 7; come back" in one.left()


def test_sigterm_ends_it_even_when_the_terminal_reads_nothing() -> None:
    with terminal() as one:
        one.shows("the quick brown fox")
        for number in range(60):
            one.resize(150, 40 + number % 2)
            time.sleep(0.02)
        begun = time.monotonic()
        os.kill(one.pid, signal.SIGTERM)
        while (ended := os.waitpid(one.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() - begun < 3.5
            time.sleep(0.02)
        one.status = os.waitstatus_to_exitcode(ended[1])
        assert one.status == 143


def test_a_closed_terminal_ends_the_workbench() -> None:
    with terminal() as one:
        one.shows("the quick brown fox")
        os.kill(one.pid, signal.SIGHUP)
        assert one.end(4.0) == 129


def test_a_refusal_is_one_sentence_and_status_2() -> None:
    with terminal(FAKE_REFUSAL="no file named [b]x\x1b[31m; name one that exists") as one:
        assert one.end() == 2
        assert one.left().strip() == "charrnn-tui: no file named [b]x␛[31m; name one that exists"


def test_two_hundred_resizes_in_a_row_leave_it_alive_and_drawn() -> None:
    with terminal() as one:
        one.shows("the quick brown fox")
        for number in range(200):
            one.resize(1 + (number * 37) % 150, 1 + (number * 11) % 50)
            one.read(0.005)
        one.resize(100, 30)
        one.shows("● training", "─ Corpus ─", "─ Stream ─", "T 0.80")
        one.press("d")
        assert one.end() == 0


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16)])
def test_frames_stand_straight_at(size: tuple[int, int]) -> None:
    with terminal(size=size) as one:
        one.shows("the quick brown fox")
        rules = [line for line in one.screen.display if line.startswith("──")]
        assert len(rules) == 2  # the stream's: it has no sides
        assert all(line.endswith("──") for line in rules)
        one.press("z")
        one.press("2")
        one.until(lambda: not any("─ Stream ─" in line for line in one.screen.display))
        one.until(lambda: sum(line.startswith("│") for line in one.screen.display) > size[1] // 2 - 3)
        body = [line for line in one.screen.display if line.startswith("│")]
        assert all(line.endswith("│") for line in body)
        assert all(line.endswith("╮") for line in one.screen.display if line.startswith("╭"))
        one.press("d")
        one.end()


def test_at_9x4_a_message_says_what_size_is_needed() -> None:
    with terminal(size=(9, 4)) as one:
        one.shows("10x1", "9x4")


def test_at_30x6_there_is_a_line_of_state_and_the_stream() -> None:
    with terminal(size=(30, 6)) as one:
        one.shows("●", "T 0.80", "the quick brown fox")
        assert not set("╭╮╰╯│") & set("".join(one.screen.display))
        one.press("q")
        assert one.end() == 0


def test_standard_input_may_be_the_corpus() -> None:
    script = f"printf 'some text' | {sys.executable} {WORKBENCH} -"
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm-256color"})
        os.execv("/bin/sh", ["sh", "-c", script])
    seen = b""
    end = time.monotonic() + 10
    while b"seed 1" not in seen and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 65536)
    os.write(fd, b"d")
    while select.select([fd], [], [], 5)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"Training goes on" in seen


# ---- no terminal on standard output --------------------------------------------------------------------------


def plain(**options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKBENCH)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_without_a_terminal_it_prints_lines_until_it_is_told_to_stop(sent: signal.Signals, status: int) -> None:
    with plain() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "To bethe quick brown fox jumps over the lazy dog and writes on\n"
        process.send_signal(sent)
        rest, said = process.communicate(timeout=10)
        assert process.returncode == status
        assert "\x1b" not in rest + said
        assert "training, step" in said
        assert "Saved at step 7." in said


def test_without_a_terminal_a_reader_that_has_enough_ends_it_quietly() -> None:
    with plain() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(10) == 0
        assert "Traceback" not in said
        assert "Saved at step 7." in said


def test_starting_and_plain_mode_load_neither_textual_nor_torch() -> None:
    script = (
        "import sys, json\nsys.argv = ['charrnn-tui', '--help']\nfrom tui.__main__ import main\nimport tui.plain\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert left.code == 0\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "usage: charrnn-tui" in done.stdout
    assert not {"torch", "numpy", "textual", "plotext"} & set(json.loads(done.stderr.splitlines()[-1]))


LAST_RESORT = """
import threading
import time
from tui.driver import LastResort
last_resort = LastResort()
with threading._active_limbo_lock:  # as a signal finds it while Textual starts a thread
    last_resort.arm(0.0, 7)
    time.sleep(30)
"""


def test_the_last_resort_needs_no_new_thread() -> None:
    assert subprocess.run([sys.executable, "-c", LAST_RESORT], check=False, timeout=20).returncode == 7

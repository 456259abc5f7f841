"""ctrl+z gives the terminal back to a shell, fg draws everything again; nothing is lost between."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from charrnn.engine import client
from tests.terminal.pseudo_terminal import terminal
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_workbench import bench

WORKBENCH = Path(__file__).parent / "workbench_with_fake_engine.py"


def test_ctrl_z_suspends_and_fg_draws_the_whole_screen_again() -> None:
    with terminal("/bin/sh", "-i", PS1="ready> ", ENV="") as one:
        one.shows("ready>")
        before = termios.tcgetattr(one.fd)
        one.press(f"{sys.executable} {WORKBENCH} --preset auto\r")
        one.shows("● training", "the quick brown fox")
        for _ in range(2):
            one.screen.reset()
            one.press("\x1a")
            one.shows("ready>")
            assert one.is_clean()
            assert termios.tcgetattr(one.fd)[:4] == before[:4]
            one.press("echo what a shell writes\r")
            one.shows("what a shell writes")
            one.screen.reset()
            one.press("fg\r")
            one.shows("● training", "─ Corpus ─", "─ Loss ─", "─ Stream ─", "the quick brown fox", "space pause")
            one.until(lambda: "what a shell" not in "\n".join(one.screen.display))
        one.press("+")
        one.shows("T 0.85")
        one.press("d")
        one.shows("Training goes on")
        one.press("exit\r")
        one.end()


def test_where_no_shell_waits_ctrl_z_says_so_and_does_not_stop() -> None:
    with terminal(sys.executable, str(WORKBENCH)) as one:
        one.shows("● training")
        one.press("\x1a")
        one.shows("There is no shell to go back to", "the quick brown fox")
        one.press("d")
        assert one.end() == 0


def test_ctrl_l_draws_what_something_else_wrote_over() -> None:
    with terminal(sys.executable, str(WORKBENCH)) as one:
        one.shows("─ Corpus ─", "To be, or not to be")
        one.screen.reset()
        one.press("\x0c")
        one.shows("─ Corpus ─", "To be, or not to be", "● training")
        one.press("d")
        assert one.end() == 0


def test_a_connection_that_was_given_up_while_suspended_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    async def test() -> None:
        second, tasks = FakeEngine(text="and the same one goes on\n"), []
        loop = asyncio.get_running_loop()

        def attach_to(run: Path, *_: Any) -> socket.socket:
            asked.append(run)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            loop.call_soon_threadsafe(lambda: tasks.append(asyncio.create_task(second.serve(theirs))))
            return ours

        monkeypatch.setattr(client, "attach_to", attach_to)
        async with bench() as one:
            one.app.came_back()
            assert one.engine._writer is not None
            one.engine._writer.transport.abort()
            await one.shows("Attached to the run again", "the same one goes on", "● training")
            assert [line.strip() for line in one.lines()].count("── seed 1 ──") == 1
            second._writer.transport.abort()  # type: ignore[union-attr]
            await one.shows("The engine has gone")  # once is enough: this one was not given up on
            for task in tasks:
                task.cancel()

    asyncio.run(test())
    assert asked == [Path("/runs/hamlet-1")]


def test_the_shell_that_could_take_the_terminal_back_is_told_by_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.driver import TerminalDriver

    driver = TerminalDriver.__new__(TerminalDriver)
    monkeypatch.setattr(os, "getpgrp", lambda: 7)
    for session, possible in ((7, False), (3, True)):
        monkeypatch.setattr(os, "getsid", lambda _, session=session: session)
        assert driver.can_come_back is possible

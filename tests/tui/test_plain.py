"""Without a terminal nobody is there to decide."""

from __future__ import annotations

from typing import Any

import pytest

from charrnn.engine.messages import Status, StopRun
from tui.plain import Plain


class Client:
    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any) -> None:
        self.sent.append(message)


def test_a_run_that_diverged_is_stopped_with_status_1() -> None:
    plain = Plain()
    plain.client = client = Client()  # type: ignore[assignment]
    plain.hear(Status(state="paused", phase="cool-down", phase_step=1, phase_steps=9))
    assert client.sent == []
    for _ in range(2):
        plain.hear(Status(state="paused", phase="diverged"))
    assert client.sent == [StopRun()]
    assert plain.interrupted == 1


def test_a_trouble_is_said_when_it_begins_and_when_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    plain = Plain()
    for troubles in ((), ("The disk is full.",), ("The disk is full.",), ("The disk is fuller.",), ()):
        plain.hear(Status(state="starting", troubles=troubles))
    assert capsys.readouterr().err.splitlines() == [
        "charrnn-tui: The disk is full.",
        "charrnn-tui: The disk is fuller.",
        "charrnn-tui: no longer: The disk is fuller.",
    ]

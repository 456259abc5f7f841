"""Sentences in the footer's place: each for a while, and one that stands until it is over."""

from __future__ import annotations

import asyncio

from tui.panes.status import BottomBar

NOTICE_STAYS = {"info": 5.0, "warning": 9.0, "error": 20.0}


class Notices:
    """Shows one at a time. One said for good is covered by others for as long as they stay, and then shows again."""

    def __init__(self, bar: BottomBar) -> None:
        self._bar = bar
        self._standing: tuple[str, str] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        """For `seconds`: 0 for as long as its level asks, None until `over`."""
        self._stop_timer()
        if seconds is None:
            self._standing = (level, text)
        self._bar.show_notice(level, text)
        if seconds is not None:
            seconds = seconds or NOTICE_STAYS.get(level, 5.0)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._back)

    def over(self) -> None:
        """What stood for good no longer does."""
        if self._standing is not None:
            self._standing = None
            if self._timer is None:
                self._bar.clear_notice()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _back(self) -> None:
        self._timer = None
        if self._standing is None:
            self._bar.clear_notice()
        else:
            self._bar.show_notice(*self._standing)

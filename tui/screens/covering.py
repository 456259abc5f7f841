"""Screens over the workbench: left once, whatever is pressed how fast, and covering it wholly."""

from __future__ import annotations

from typing import Any, Self, TypeVar

from textual.await_complete import AwaitComplete
from textual.geometry import Region
from textual.screen import Screen

Answer = TypeVar("Answer")


class LeftOnce:
    """For a screen; Textual pops whatever is on top for every call of `dismiss`, and fails at a second answer."""

    _dismissed = False

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Answers and goes, if it is on top and has not done so before."""
        assert isinstance(self, Screen)
        if self._dismissed or not self.is_current:
            return AwaitComplete.nothing()  # type: ignore[no-untyped-call,no-any-return]
        self._dismissed = True
        return super().dismiss(result)  # type: ignore[misc,no-any-return]


class Covering(LeftOnce, Screen[Answer]):
    """Textual takes the screen below for one that may shine through: what changes there would be drawn here again.

    With the stream going that is some 50 KB a second of nothing new.
    """

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if regions:  # only what is below asks for parts
            return self
        return super().refresh(repaint=repaint, layout=layout, recompose=recompose)

"""A screen that covers the workbench wholly, so that nothing below it is drawn meanwhile."""

from __future__ import annotations

from typing import Self, TypeVar

from textual.geometry import Region
from textual.screen import Screen

Answer = TypeVar("Answer")


class Covering(Screen[Answer]):
    """Textual takes the screen below for one that may shine through: what changes there would be drawn here again.

    With the stream going that is some 50 KB a second of nothing new.
    """

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if regions:  # only what is below asks for parts
            return self
        return super().refresh(repaint=repaint, layout=layout, recompose=recompose)

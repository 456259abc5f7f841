"""Which lens the stream is seen through. A part of the workbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.lenses import Lens
from tui.panes.workspace import Workspace


class Lensing:
    """The key goes through the lenses there are, and through none."""

    panes: Workspace
    lenses: list[Lens]

    if TYPE_CHECKING:  # the workbench has these

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

        def watch_surprise(self) -> None: ...

    def action_lens(self) -> None:
        """The next lens; after the last, none."""
        text = self.panes.stream.text
        names = [lens.name for lens in self.lenses]
        place = names.index(text.lens.name) + 1 if text.lens is not None and text.lens.name in names else 0
        text.look_through(self.lenses[place] if place < len(self.lenses) else None)
        self.watch_surprise()
        if text.lens is None:
            self.say("info", "The stream without a lens." if names else "There is no lens as yet.")

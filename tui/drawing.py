"""How frames reach the terminal: compared with the last one, and none while the line is still busy with another.

A line that carries less than is drawn gets fewer frames, never old ones. A part of the workbench.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

from tui.driver import TerminalDriver
from tui.frames import Span
from tui.leaving import Leaving

SYNC_ABOVE = 300
"""Bytes: a smaller frame is drawn before anybody could see it half done, and needs no brackets around it."""
_SYNC_BEGIN, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"


class Drawing(App[Leaving]):
    """Takes Textual's place in front of the terminal; in tests without one, Textual's own way is left as it is."""

    _late = False

    def on_resize(self, event: events.Resize) -> None:
        # Terminals shuffle what stood there, also where the size is soon the old one again.
        self.draw_anew()

    def draw_anew(self) -> None:
        """The whole screen is sent again, whatever stands there."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.frame.forget()
        if self._screen_stack:
            self.screen.refresh()

    def action_redraw(self) -> None:
        self.draw_anew()

    def _set_pointer_shape(self, shape: str) -> None:
        """Nothing: OSC 22 costs bytes at every turn of the mouse, and some terminals print it."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if not isinstance(driver, TerminalDriver) or not isinstance(renderable, CompositorUpdate):
            super()._display(screen, renderable)
            return
        if self._batch_count or not self._running or self._closed:
            return
        try:
            if driver.is_busy(self._catch_up):
                self._late = True
            else:
                self._draw(driver, screen, renderable)
        finally:
            self.post_display_hook()

    def _draw(self, driver: TerminalDriver, screen: Screen[Any], renderable: CompositorUpdate) -> None:
        size = screen.outer_size
        spans: Iterator[Span]
        if isinstance(renderable, ChopsUpdate) and driver.frame.known and not self._late:
            spans = _spans(renderable)
        else:
            if not isinstance(renderable, LayoutUpdate):
                renderable = screen._compositor.render_full_update()
            spans = ((y, 0, Strip.join(strips)) for y, strips in enumerate(renderable.strips, renderable.region.y))
        self._late = False
        # An input method opens its window at the cursor.
        cursor = self.cursor_position if hasattr(self.focused, "cursor_screen_offset") else None
        try:
            place = size.clamp_offset(cursor) if cursor is not None else None
            data = driver.frame.update(size, spans, self.console._color_system, place)
        except Exception as error:
            self._handle_exception(error)
            return
        if len(data) > SYNC_ABOVE and self._sync_available:
            data = _SYNC_BEGIN + data + _SYNC_END
        if data:
            driver.write(data)

    def _catch_up(self) -> None:
        """The line is free again: what was not drawn meanwhile is, as it is now."""
        if self._late and self._running and self._screen_stack:
            self.screen.refresh()


def _spans(update: ChopsUpdate) -> Iterator[Span]:
    """The pieces that Textual would send whole."""
    for y, x1, x2 in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x < x2 and end > x1:
                yield y, x, strip

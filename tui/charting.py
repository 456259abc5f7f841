"""The keys of the chart, and what it is given to draw. A part of the workbench."""

from __future__ import annotations

from tui.panes.workspace import Workspace
from tui.pulse import Pulse
from tui.session import Session


class Charting:
    """What the keys do to the chart; the workbench has the session and the panes."""

    session: Session
    panes: Workspace
    _log_scale: bool = False
    _chart_pulse: Pulse

    def _draw_chart(self) -> None:
        self.panes.loss.show_losses(self.session.points, self._log_scale, self.session.baselines)
        self.panes.loss_line.show(self.session.points)

    def action_log_scale(self) -> None:
        self._log_scale = not self._log_scale
        self._chart_pulse.now()

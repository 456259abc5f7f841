"""Keys that say what of the text is copied."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="copies",
        keys=("quotation_mark",),
        shown='"',
        description="is it copying? the pieces of the stream that stand word for word in the training text",
        group="What it thinks",
        action="copies",
        label="copies",
        rank=17,
        command="Copies from the training text",
    ),
    Key(
        id="chart-copied",
        keys=("percent_sign",),
        shown="%",
        description="show or hide the share of copies",
        group="While the chart has the focus",
        action="app.chart_copied",
        pane="loss",
        label="copies",
        rank=8,
        command="Chart: share of copies",
    ),
)

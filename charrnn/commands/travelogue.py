"""What a run wrote at each of its states, as a file: text, a page, or a recording of a terminal. No torch here."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, get_character_cell_size

from charrnn.config import Knobs
from charrnn.insight.eras import Era, places
from charrnn.text.visible import visible, visible_line

KINDS = {".txt": "text", ".html": "a page", ".cast": "a terminal recording"}
COLUMNS, ROWS = 80, 24
"""Of the recorded terminal."""
SECONDS_A_STATE, SECONDS_AT_THE_END = 1.2, 4.0


@dataclass(frozen=True, slots=True)
class Travelogue:
    """What there is to show: the run's name, how the texts were asked for, and the eras by rising step."""

    run: str
    seed: int
    knobs: Knobs
    eras: Sequence[Era]

    @property
    def title(self) -> str:
        first, last = self.eras[0].step, self.eras[-1].step
        return f"{self.run}: the same prime and seed after {first:,} to {last:,} steps"

    @property
    def how(self) -> str:
        """The prime, seed and knobs in words."""
        return f"prime {self.eras[0].prime!r}, seed {self.seed}, {knob_words(self.knobs)}"


def knob_words(knobs: Knobs) -> str:
    """Those knobs that do something."""
    if knobs.greedy:
        return "greedy"
    words = [f"temperature {knobs.temperature:g}"]
    words += [f"top-k {knobs.top_k}"] if knobs.top_k else []
    words += [f"top-p {knobs.top_p:g}"] if knobs.top_p < 1 else []
    words += [f"min-p {knobs.min_p:g}"] if knobs.min_p else []
    return ", ".join(words)


def facts_of(era: Era) -> str:
    """What is known of a state beside its step."""
    words = [] if era.chars is None else [f"{era.chars:,} characters read"]
    words += [] if era.val_loss is None else [f"held-out {era.val_loss:.3f}"]
    words += [] if era.train_loss is None else [f"training {era.train_loss:.3f}"]
    return " · ".join(words)


def heading(era: Era) -> str:
    """The line above a state's text."""
    facts = facts_of(era)
    return f"── step {era.step:,}{' · ' if facts else ''}{facts} ──"


def file_of(travelogue: Travelogue, ending: str) -> bytes:
    """The file's bytes, by one of KINDS. Raises ValueError where there are no eras."""
    if not travelogue.eras:
        raise ValueError("no state has written anything")
    made = {".txt": as_text, ".html": as_page, ".cast": as_recording}[ending](travelogue)
    return made.encode("utf-8", "surrogatepass" if ending == ".txt" else "strict")


def as_text(travelogue: Travelogue) -> str:
    """A heading and a text for each state; the texts are as the model wrote them."""
    parts = [f"{travelogue.title}\n{travelogue.how}\n"]
    parts += [f"{heading(era)}\n{era.prime}{era.text}\n" for era in travelogue.eras]
    return "\n".join(parts)


# ---- a page --------------------------------------------------------------------------------------------------

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --quiet: light-dark(#666, #999); --accent: light-dark(#00707a, #4cc3cc); }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.2rem; margin: 0; }}
h2 {{ font-size: 1rem; margin: 1rem 0 0; color: var(--accent); }}
p {{ margin: 0; color: var(--quiet); }}
pre {{ font: 15px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }}
pre b {{ text-decoration: underline; }}
#slider {{ display: flex; gap: .75rem; align-items: center; margin-top: 1.25rem; }}
#slider input {{ flex: 1; accent-color: var(--accent); }}
button {{ font: inherit; min-width: 5rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{how}</p>
<div id="slider" hidden>
<button type="button" id="play">play</button>
<input type="range" id="at" min="0" max="{last}" value="{last}" aria-label="which state of the run">
</div>
{sections}
<script>
const states = document.querySelectorAll("section"), at = document.getElementById("at");
const play = document.getElementById("play");
let film = 0;
function show() {{
  states.forEach((state, number) => {{ state.hidden = number !== Number(at.value); }});
  const shown = states[at.value].querySelector("h2").textContent;
  at.setAttribute("aria-valuetext", shown);
}}
function stop() {{ clearInterval(film); film = 0; play.textContent = "play"; }}
play.onclick = () => {{
  if (film) {{ stop(); return; }}
  play.textContent = "pause";
  if (at.value === at.max) at.value = 0;
  show();
  film = setInterval(() => {{
    if (at.value === at.max) {{ stop(); return; }}
    at.value = Number(at.value) + 1;
    show();
  }}, {milliseconds});
}};
at.oninput = () => {{ stop(); show(); }};
document.getElementById("slider").hidden = false;
show();
</script>
</body>
</html>
"""


def as_page(travelogue: Travelogue) -> str:
    """A page with a slider that needs nothing but itself; without scripts it shows every state, one below the other."""
    sections = [
        f"<section>\n<h2>step {era.step:,}</h2>\n<p>{_escaped(facts_of(era))}</p>\n"
        f"<pre><b>{_escaped(era.prime)}</b>{_escaped(era.text)}</pre>\n</section>"
        for era in travelogue.eras
    ]
    return _PAGE.format(
        title=_escaped(travelogue.title),
        how=_escaped(travelogue.how),
        last=len(travelogue.eras) - 1,
        sections="\n".join(sections),
        milliseconds=round(1000 * SECONDS_A_STATE),
    )


def _escaped(text: str) -> str:
    """Nothing of a text is markup, and what a page may not hold is a glyph."""
    return html.escape(visible(text))


# ---- a recording ---------------------------------------------------------------------------------------------

_BOLD, _PRIME, _QUIET, _ACCENT, _OFF = "\x1b[1m", "\x1b[1;4m", "\x1b[2m", "\x1b[36m", "\x1b[0m"


def as_recording(travelogue: Travelogue) -> str:
    """A recording in the format asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), 80 by 24."""
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": visible_line(travelogue.title)}
    lines = [json.dumps(head, ensure_ascii=False)]
    seconds = 0.0
    for number in range(len(travelogue.eras)):
        frame = "\r\n".join(_frame(travelogue, number))
        begin = "\x1b[?25l\x1b[2J\x1b[H" if number == 0 else "\x1b[H\x1b[J"
        lines.append(json.dumps([round(seconds, 3), "o", begin + frame], ensure_ascii=False))
        seconds += SECONDS_A_STATE
    # A player stops at the last event: the last state is to be read.
    lines.append(json.dumps([round(seconds - SECONDS_A_STATE + SECONDS_AT_THE_END, 3), "o", "\x1b[?25h\r\n"]))
    return "\n".join(lines) + "\n"


def _frame(travelogue: Travelogue, number: int) -> Iterator[str]:
    era = travelogue.eras[number]
    columns = places([one.step for one in travelogue.eras], COLUMNS)
    track = ["─"] * COLUMNS
    for column in columns:
        track[column] = "┼"
    at = columns[number]
    facts = _cut(facts_of(era), COLUMNS - 20)
    yield f"{_BOLD}{_cut(visible_line(travelogue.run), COLUMNS)}{_OFF}"
    yield f"{_QUIET}{_cut(visible_line(travelogue.how), COLUMNS)}{_OFF}"
    yield f"{_QUIET}{''.join(track[:at])}{_OFF}{_ACCENT}█{_OFF}{_QUIET}{''.join(track[at + 1 :])}{_OFF}"
    yield f"{_BOLD}step {era.step:,}{_OFF}  {_QUIET}{facts}{_OFF}"
    yield ""
    prime = visible(era.prime).expandtabs(4)
    rows = rows_of(visible(era.prime + era.text).expandtabs(4), COLUMNS)
    left = len(prime)
    for begin, row in rows[: ROWS - 6]:
        bold = min(max(0, left - begin), len(row))
        yield (f"{_PRIME}{row[:bold]}{_OFF}" if bold else "") + row[bold:]


def _cut(text: str, columns: int) -> str:
    return next((row for _, row in rows_of(text, columns)), "")


def rows_of(text: str, columns: int) -> list[tuple[int, str]]:
    """Visible text wrapped after words: each row, with the place in the text at which it begins."""
    rows = []
    begin = 0
    for line in text.split("\n"):
        start = 0
        while cell_len(line[start:]) > columns:
            end, used = start, 0
            while used + get_character_cell_size(line[end]) <= columns:
                used += get_character_cell_size(line[end])
                end += 1
            space = line.rfind(" ", start, end + 1)
            end = space + 1 if space > start else max(end, start + 1)
            rows.append((begin + start, line[start:end].rstrip(" ")))
            start = end
        rows.append((begin + start, line[start:]))
        begin += len(line) + 1
    return rows

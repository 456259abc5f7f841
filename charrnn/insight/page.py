"""A text and its surprise as one page of HTML that needs nothing else: no script, no file, no address."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

import numpy as np

from charrnn.insight.levels import CHANCES, UNKNOWN, WORDS, level_of
from charrnn.insight.reader import placed
from charrnn.insight.surprise import Surprise, by_character, surprise
from charrnn.model.language_model import LanguageModel
from charrnn.text.visible import FOREIGN, visible_line
from charrnn.text.vocabulary import Vocabulary

LONGEST = 1 << 20
"""Characters that a page shows; of a longer text the first so many."""
_RUN = 12  # characters that share a tooltip
_BLOCK = 2000  # characters that a browser lays out together, when they come into sight

_STYLE = """\
:root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1c;--quiet:#666;--line:#ddd;
--two:#fdf0c3;--three:#ffd09b;--four:#b3261e;--on-four:#fff}
@media(prefers-color-scheme:dark){:root{--ground:#1b1b1b;--ink:#e6e6e6;--quiet:#9a9a9a;--line:#3c3c3c;
--two:#3d3413;--three:#6b3c06;--four:#ffb4ab;--on-four:#1b1b1b}}
body{background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;
padding:0 1em}
h1{font-size:1.3em}p{margin:.6em 0}.figures{font-variant-numeric:tabular-nums}
.legend{display:flex;flex-wrap:wrap;gap:.4em 1.2em;padding:0;list-style:none;border-block:1px solid var(--line);
padding-block:.6em}
.text{font:15px/1.75 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere;tab-size:4;direction:ltr;unicode-bidi:bidi-override}
.text div{display:inline}b{font-weight:inherit}
.l0{color:var(--quiet)}.l2{background:var(--two);text-decoration:underline dotted}
.l3{background:var(--three);text-decoration:underline}
.l4{background:var(--four);color:var(--on-four);font-weight:700;text-decoration:underline double}
.u{text-decoration:line-through;outline:1px dashed var(--quiet)}.cut{border-top:1px solid var(--line)}
"""
_LONG_STYLE = ".text div{display:block;content-visibility:auto;contain-intrinsic-size:auto 40em}\n"


class _Carried(dict[int, int | str]):
    """A table for str.translate that fills itself: glyphs for what HTML has no way to carry."""

    def __missing__(self, code: int) -> int | str:
        control = (code < 0x20 and code not in (0x09, 0x0A)) or 0x7F <= code < 0xA0
        self[code] = made = visible_line(chr(code)) if control else FOREIGN if 0xD800 <= code < 0xE000 else code
        return made


_CARRIED = _Carried()


def carried(text: str) -> str:
    """The text as a page has it: controls but tabs and line breaks as glyphs, lone surrogates as U+FFFD."""
    return text.translate(_CARRIED)


def html_of(model: LanguageModel, vocabulary: Vocabulary, text: str, *, title: str = "Surprise", note: str = "") -> str:
    """A page that shows `text`, each character coloured by its surprise, with what was expected as its tooltip.

    `title` and `note` stand above it, as they are. Beyond LONGEST characters it is cut off, and says so. What the model
    does not know is marked, and costs nothing. The model is put into evaluation mode and stays there.
    """
    seen = surprise(model, vocabulary, text[:LONGEST])
    return page_of(seen, vocabulary, text, title=title, note=note)


def page_of(seen: Surprise, vocabulary: Vocabulary, text: str, *, title: str, note: str = "") -> str:
    """The page of what was `seen` of the first LONGEST characters of `text`, at least two likeliest at each place."""
    shown = text[:LONGEST]
    nats, of = by_character(seen.tokens, seen.nats)
    where = placed(shown, vocabulary.known(shown), np.arange(len(nats)))
    counted = nats[~np.isnan(nats)]
    levels = [UNKNOWN if place < 0 else level_of(nats[place]) for place in where.tolist()]
    words = _Tooltips(seen, vocabulary, nats, of, where)
    parts = [
        "<!DOCTYPE html>\n",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        f"<title>{_safe(title)}</title><style>{_STYLE}{_LONG_STYLE if len(shown) > 4 * _BLOCK else ''}</style></head>",
        f"<body><h1>{_safe(title)}</h1>",
        f"<p>{_safe(note)}</p>" if note else "",
        f'<p class="figures">{_figures(counted, len(shown))}</p>',
        "<p>Surprise is −log of the probability that the model gave to what stands there, in nats: 0 is certain, and "
        "what was one of two equal chances costs 0.7. Point at the text to see each character's, and (after the colon) "
        "what was expected there, with its probability.</p>",
        _legend(unknown=bool((where < 0).any())),
        '<div class="text" id="text">',
    ]
    letters, strange = carried(shown), (where < 0).tolist()
    for first, end in _blocks(shown):
        parts.append("<div>")
        for kind, run in groupby(range(first, end), key=lambda index: (levels[index], strange[index])):
            parts += _spans(letters, list(run), kind, words)
        parts.append("</div>")
    parts.append("</div>")
    if len(text) > len(shown):
        parts.append(
            f'<p class="cut">Cut off here: {len(shown):,} of {len(text):,} characters are shown.</p>',
        )
    parts.append("</body></html>\n")
    return "".join(parts)


def _safe(text: str) -> str:
    return escape(visible_line(text))


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of whole lines where lines are not very long; a block's own end looks like the line's."""
    first = 0
    while first < len(text):
        end = text.find("\n", first + _BLOCK - 1) + 1 if len(text) > 4 * _BLOCK else len(text)
        yield first, end or len(text)
        first = end or len(text)


def _spans(text: str, run: list[int], kind: tuple[int, bool], words: _Tooltips) -> Iterator[str]:
    level, unknown = kind
    name = "u" if unknown else f"l{level}" if level >= 0 else ""
    for begin in range(0, len(run), _RUN):
        places = run[begin : begin + _RUN]
        letters = escape(text[places[0] : places[-1] + 1], quote=False)
        yield f'<b class="{name}" title="{escape(words.of(places, text))}">{letters}</b>'


class _Tooltips:
    """What is said of characters: a line for each."""

    def __init__(
        self, seen: Surprise, vocabulary: Vocabulary, nats: np.ndarray, of: np.ndarray, where: np.ndarray
    ) -> None:
        self._nats, self._where = nats.tolist(), where.tolist()
        self._of = of.tolist()
        self._likeliest, self._chances = seen.likeliest, seen.chances
        self._names = [_name(text) for text in vocabulary.texts]

    def of(self, places: Sequence[int], text: str) -> str:
        return "\n".join(self._line(place, _name(text[place])) for place in places)

    def _line(self, place: int, name: str) -> str:
        known = self._where[place]
        if known < 0:
            return f"{name}: the model does not know it"
        nats = self._nats[known]
        if math.isnan(nats):
            return f"{name}: nothing came before it"
        level = level_of(nats)
        if not level:  # the likeliest by far is what stands there
            return f"{name} {nats:.2f}"
        token = self._of[known]
        ids, chances = self._likeliest[token, : level + 1].tolist(), self._chances[token, : level + 1].tolist()
        best = (f"{self._names[id_]} {chance:.0%}" for id_, chance in zip(ids, chances, strict=True))
        return f"{name} {nats:.2f}: {', '.join(best)}"


def _name(text: str) -> str:
    return carried(visible_line(text)).replace(" ", "␣")


def _figures(nats: np.ndarray, characters: int) -> str:
    if not len(nats):
        return f"{characters:,} characters; nothing to be surprised by."
    mean = float(nats.mean())
    return (
        f"{mean:.4f} nats per character ({mean / math.log(2):.4f} bits, perplexity "
        f"{math.exp(min(mean, 700.0)):.3f}) over {len(nats):,} characters."
    )


def _legend(*, unknown: bool) -> str:
    items = [
        f'<li><span class="l{level}">{word}</span> {chance}</li>'
        for level, (word, chance) in enumerate(zip(WORDS, CHANCES, strict=True))
    ]
    if unknown:
        items.append('<li><span class="u">struck out</span> the model does not know it</li>')
    return f'<ul class="legend">{"".join(items)}</ul>'

"""Strings that a terminal should never see as they are, and what it may see at all."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator

CANARY = "7777"
"""In a sequence of a string's own; the workbench itself never writes it into one."""
SEQUENCES = (
    f"\x1b[{CANARY}m",
    "\x1b[2J",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[?1049l",
    "\x1b[?1003h",
    "\x1bc",
    "\x1b7",
    "\x1b(0",
    "\x1b]0;title\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP$qm\x1b\\",
    "\x1b_apc\x1b\\",
    f"\x9b{CANARY}m",
    "\x9d0;x\x9c",
    "\x90q\x9c",
    "\x0e",
    "\x0f",
    "\x05",
    "\x07",
    "\x08\x08",
    "\r",
    "\n",
    "\t",
    "\x7f",
    "\x00",
    "\x18",
    "\x1a",
    "\x1b",
    "\x85",
    "\u2028",
    "\u2029",
)
PIECES = (
    "[bold]",
    "[/]",
    "[red on blue]x[/red]",
    "$text",
    "{0}",
    "%s",
    "\\n",
    "\\",
    "漢字",
    "한국어",
    "日本",
    "ｆｕｌｌ",
    "👩\u200d🚀",
    "👨\u200d👩\u200d👧",
    "🇩🇪",
    "👍🏽",
    "☺\ufe0f",
    "e\u0301",
    "\u0301\u0302\u0303",
    "\u0e33",
    "नमस्ते",
    "שלום עולם",
    "مرحبا",
    "\u202e",
    "\u2066",
    "\u2069",
    "\u200f",
    "\u061c",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u115f",
    "\ue000",
    "\U000f0000",
    "\uffff",
    "\U0010ffff",
    "\U000e0041",
    "\ud800",
    "\udfff",
    "\u0378",
    "\u1cfa",
    "a" * 200,
    " " * 30,
    "─│╭",
    "⠿",
    "█",
)


def fuzzed(count: int, seed: int) -> Iterator[str]:
    """`count` strings, the same for the same seed: any code points, sequences, and what scripts do to columns."""
    made = random.Random(seed)
    for _ in range(count):
        text = ""
        for _ in range(made.randint(1, 6)):
            kind = made.random()
            if kind < 0.4:
                text += made.choice(SEQUENCES)
            elif kind < 0.7:
                text += made.choice(PIECES)
            elif kind < 0.85:
                text += "".join(chr(made.randrange(0x110000)) for _ in range(made.randint(1, 6)))
            elif kind < 0.95:
                text += "".join(chr(made.randrange(0x500)) for _ in range(made.randint(1, 9)))
            else:
                text += "the network writes "
        yield text


def encodable(text: str) -> str:
    """Without lone surrogates, which no file, socket or keyboard can bring."""
    return text.encode("utf-8", "replace").decode()


def unsafe(shown: str) -> list[str]:
    """The characters of a safe text that act on a terminal."""
    if shown.isprintable():
        return []
    return [one for one in shown if not one.isprintable() and one != "\n" and unicodedata.category(one) != "Zs"]


_OWN = re.compile(
    rb"\x1b\[[0-9;]*[mHCXr]|\x1b\[2J|\x1bM|\x1b\[8[hl]|\x1b\[[<>]\d*u"
    rb"|\x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]|\x1b\[\?20[24][68]\$p"
)
_LEFT_OVER = re.compile(
    rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f].{0,20}|\xc2[\x80-\x9f]"
    rb"|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf",
    re.DOTALL,
)


def foreign(raw: bytes) -> list[bytes]:
    """Control bytes in what a workbench wrote that are not its own."""
    own = [one for one in _OWN.findall(raw) if CANARY.encode() in one]
    return own + _LEFT_OVER.findall(_OWN.sub(b"", raw))

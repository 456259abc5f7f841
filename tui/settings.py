"""What a user sets once and for all about the workbench itself: one table makes file, variables, options and README.

The settings stand in a TOML file. A variable of the environment wins over the file, an option over both.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from charrnn.config import UsageError
from tui.glyphs import UTF_8
from tui.surroundings import Surroundings, look_around
from tui.terminal import safe_line
from tui.themes import THEMES, Depth

FILE_VARIABLE = "CHARRNN_SETTINGS"
LARGEST = 1_000_000
"""Bytes of a file that can be one of settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A line of the table. `kind` is "choice", "switch" (true or false), "auto" (a switch that may be left to the
    surroundings) or "keys"; `option` is what sets it on the command line, `off` what sets it to false there.
    """

    name: str
    kind: str
    default: str | bool
    words: str
    choices: tuple[str, ...] = ()
    option: str = ""
    off: str = ""

    @property
    def variable(self) -> str:
        return f"CHARRNN_{self.name.upper()}"


TABLE: tuple[Setting, ...] = (
    Setting(
        name="theme",
        kind="choice",
        default="auto",
        choices=tuple(THEMES),
        words="the colours: " + "; ".join(f"{name}, {theme.words}" for name, theme in THEMES.items()),
        option="--theme",
    ),
    Setting(
        name="ascii",
        kind="auto",
        default="auto",
        words="frames, bars and chart in ASCII, and no text that is not; auto: where the locale is not UTF-8, or the "
        "terminal is the Linux console",
        option="--ascii-ui",
        off="--no-ascii-ui",
    ),
    Setting(
        name="slow",
        kind="auto",
        default="auto",
        words="draw less often, for a line that carries little; auto: over SSH",
        option="--slow",
        off="--no-slow",
    ),
    Setting(
        name="animation",
        kind="auto",
        default="auto",
        words="a blinking cursor and gliding lists; auto: not over SSH, nor with slow",
    ),
    Setting(
        name="plain",
        kind="switch",
        default=False,
        words="speak in lines, for screen readers and logs, and take commands as lines; nothing is drawn",
        option="--plain",
        off="--no-plain",
    ),
    Setting(
        name="mouse",
        kind="switch",
        default=True,
        words="the mouse works; false leaves it to the terminal",
    ),
    Setting(
        name="clipboard",
        kind="switch",
        default=True,
        words="what is copied goes to the terminal's clipboard as well as to a file",
    ),
    Setting(
        name="chart_units",
        kind="choice",
        default="nats",
        choices=("nats", "bits", "perplexity"),
        words="what the chart begins with: nats or bits per character, or perplexity",
    ),
    Setting(
        name="chart_x",
        kind="choice",
        default="step",
        choices=("step", "characters", "time"),
        words="what the chart's x axis begins with",
    ),
    Setting(name="chart_smoothed", kind="switch", default=False, words="the chart begins with smoothed losses"),
    Setting(name="chart_log", kind="switch", default=False, words="the chart begins with a logarithmic loss"),
    Setting(
        name="keys",
        kind="keys",
        default="",
        words="other keys: the name of an action and its key, or a list of them; the help screen names the actions",
    ),
)
_BY_NAME = {setting.name: setting for setting in TABLE}
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings as they are in force: what was left to the surroundings is decided.

    `depth` and `charset` are not set but found: how many colours there are, and what can be shown (see glyphs.py).
    """

    theme: str = "auto"
    ascii: bool = False
    slow: bool = False
    animation: bool = False
    plain: bool = False
    mouse: bool = True
    clipboard: bool = True
    chart_units: str = "nats"
    chart_x: str = "step"
    chart_smoothed: bool = False
    chart_log: bool = False
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    depth: Depth = "truecolor"
    charset: str = UTF_8


def settings_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the settings are: $CHARRNN_SETTINGS, else settings.toml in the user's configuration folder."""
    if environ.get(FILE_VARIABLE):
        return Path(environ[FILE_VARIABLE]).expanduser()
    from platformdirs import user_config_path

    return user_config_path("charrnn", appauthor=False) / "settings.toml"


def in_force(options: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings from file, environment and command line (`options` by name). Raises UsageError."""
    set_by_hand = {**read_file(environ), **_from_environment(environ), **options}
    return settle(set_by_hand, look_around(environ))


def settle(set_by_hand: Mapping[str, Any], around: Surroundings) -> Settings:
    """Decides what is left to the surroundings."""
    chosen = {setting.name: set_by_hand.get(setting.name, setting.default) for setting in TABLE}

    def decide(name: str, otherwise: bool) -> bool:
        return otherwise if chosen[name] == "auto" else bool(chosen[name])

    chosen["ascii"] = decide("ascii", not around.glyphs)
    chosen["slow"] = decide("slow", around.remote)
    chosen["animation"] = decide("animation", not around.remote and not chosen["slow"])
    chosen["keys"] = MappingProxyType(dict(chosen["keys"] or {}))
    charset = around.charset
    if chosen["ascii"]:
        charset = "ascii" if charset == UTF_8 else charset
    elif set_by_hand.get("ascii", "auto") != "auto":
        charset = UTF_8  # the user knows better than the locale
    return Settings(**chosen, depth=around.depth, charset=charset)


def read_file(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What the settings file says, by name; nothing where there is none. Raises UsageError for what cannot be."""
    path = settings_file(environ)
    shown = safe_line(str(path))
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        entries = tomllib.loads(data.decode("utf-8-sig")) if len(data) <= LARGEST else {}
    except FileNotFoundError:
        if environ.get(FILE_VARIABLE):
            raise UsageError(
                f"There is no file {shown}, which ${FILE_VARIABLE} names; make it or unset that."
            ) from None
        return {}
    except OSError as error:
        raise UsageError(f"The settings in {shown} cannot be read: {error.strerror or error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"The settings in {shown} are no TOML: {safe_line(str(error)).rstrip('.')}.") from None
    if len(data) > LARGEST:
        raise UsageError(f"The file {shown} is too large to be one of settings.")
    return {_known(name, shown).name: checked(_BY_NAME[name], value, shown) for name, value in entries.items()}


def _known(name: str, where: str) -> Setting:
    if name in _BY_NAME:
        return _BY_NAME[name]
    close = difflib.get_close_matches(name, _BY_NAME, 1)
    advice = f"did you mean {close[0]}?" if close else "charrnn-tui --settings lists what there is."
    raise UsageError(f"There is no setting {_quoted(name)}, as in {where}; {advice}")


def checked(setting: Setting, value: Any, where: str) -> Any:
    """The value as it is used, or a UsageError that says what the setting can be."""
    name = where if where.startswith("$") else f"The setting {setting.name} in {where}"
    if setting.kind == "keys":
        return _keys(value, name)
    if setting.kind == "choice":
        if isinstance(value, str) and value in setting.choices:
            return value
        *most, last = setting.choices
        raise UsageError(f"{name} can be {', '.join(most)} or {last}, not {_quoted(value)}.")
    if isinstance(value, bool) or (setting.kind == "auto" and value == "auto"):
        return value
    kinds = "true, false or auto" if setting.kind == "auto" else "true or false"
    raise UsageError(f"{name} can be {kinds}, not {_quoted(value)}.")


def _quoted(value: Any) -> str:
    words = safe_line(value if isinstance(value, str) else str(value))
    return repr(words if len(words) <= 40 else words[:39] + "…")


def _keys(value: Any, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise UsageError(f'{where} is a table of actions and keys, such as zoom = "x"; {_quoted(value)} is none.')
    made: dict[str, tuple[str, ...]] = {}
    for name, one in value.items():
        names = [one] if isinstance(one, str) else one
        if not isinstance(names, list) or not all(isinstance(key, str) and key.strip() for key in names):
            raise UsageError(f"{where} wants a key or a list of keys for {_quoted(name)}, not {_quoted(one)}.")
        made[name] = tuple(key.strip() for key in names)
    return made


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What the variables say; an empty one says nothing."""
    read: dict[str, Callable[[str], Any]] = {
        "choice": str.strip,
        "switch": lambda text: _SWITCHES.get(text.strip().lower(), text),
        "auto": lambda text: _SWITCHES.get(text.strip().lower(), text.strip().lower()),
        "keys": _keys_of_words,
    }
    return {
        setting.name: checked(setting, read[setting.kind](environ[setting.variable]), f"${setting.variable}")
        for setting in TABLE
        if environ.get(setting.variable)
    }


def _keys_of_words(text: str) -> dict[str, list[str]]:
    """`zoom=x pause=space,v` as a table."""
    pairs = (word.partition("=") for word in re.split(r"\s+", text.strip()))
    return {name: [key for key in keys.split(",") if key] for name, _, keys in pairs}

"""What the table of settings makes: options of the command line, a documented file, the README's table."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from charrnn.config import UsageError
from charrnn.options import OWN
from tui.settings import FILE_VARIABLE, TABLE, Setting, read_file, settings_file
from tui.terminal import safe_line

_COLUMNS = 110


class _ShowSettings(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            print(template(settings_file(), read_file()), end="")
        except UsageError as error:
            parser.exit(2, f"{parser.prog}: {error}\n")
        sys.stdout.flush()
        parser.exit(0)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the settings that have one, and --settings."""
    group = parser.add_argument_group("the workbench")
    group.add_argument("--settings", action=_ShowSettings, nargs=0, help="print the settings' file, explained")
    for setting in TABLE:
        if not setting.option:
            continue
        words = f"{setting.words} ({setting.variable})".replace("%", "%%")
        place = OWN + setting.name
        if setting.kind == "choice":
            group.add_argument(setting.option, dest=place, choices=setting.choices, help=words)
        else:
            group.add_argument(setting.option, dest=place, action="store_const", const=True, help=words)
            off = f"not so, whatever the settings say (default {_in_toml(setting.default)})"
            group.add_argument(setting.off, dest=place, action="store_const", const=False, help=off)


def _in_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    import tomli_w

    if isinstance(value, Mapping):
        table = {name: list(keys) if len(keys) != 1 else keys[0] for name, keys in value.items()}
        return tomli_w.dumps(table)
    return tomli_w.dumps({"x": value}).partition("=")[2].strip()


def template(path: Path, chosen: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> str:
    """The settings file as it would be with every setting explained; what is not `chosen` is a comment."""
    there = "" if path.exists() else "; there is none yet"
    lines = _comment(
        f"Settings of charrnn-tui: {safe_line(str(path))}{there}. "
        f"${FILE_VARIABLE} names another file. A variable wins over the file, an option over both."
    )
    for setting in TABLE:
        lines += ["", *_comment(setting.words[:1].upper() + setting.words[1:] + "."), *_comment(_ways(setting))]
        if setting.kind == "keys":
            table = chosen.get(setting.name)
            lines += [f"[{setting.name}]", _in_toml(table).rstrip()] if table else ["# [keys]", '# zoom = "x"']
        elif setting.name in chosen:
            lines.append(f"{setting.name} = {_in_toml(chosen[setting.name])}")
        else:
            lines.append(f"# {setting.name} = {_in_toml(setting.default)}")
    return "\n".join(lines) + "\n"


def _comment(words: str) -> list[str]:
    return textwrap.wrap(words, _COLUMNS, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _ways(setting: Setting) -> str:
    values = {
        "choice": " | ".join(f'"{choice}"' for choice in setting.choices),
        "switch": "true | false",
        "auto": 'true | false | "auto"',
        "keys": "",
    }[setting.kind]
    ways = [values, f"${setting.variable}", " ".join(option for option in (setting.option, setting.off) if option)]
    if setting.kind == "keys":
        ways[1] += "='zoom=x pause=space,v'"
    return "   ".join(way for way in ways if way)


def markdown() -> str:
    """The README's table of settings."""
    lines = ["| setting | default | environment, option | means |", "|---|---|---|---|"]
    for setting in TABLE:
        ways = " ".join(f"`{way}`" for way in (setting.variable, setting.option, setting.off) if way)
        default = "none" if setting.kind == "keys" else f"`{_in_toml(setting.default)}`"
        choices = f" ({', '.join(f'`{choice}`' for choice in setting.choices)})" if setting.choices else ""
        means = setting.words if setting.name == "theme" else setting.words + choices
        lines.append(f"| `{setting.name}` | {default} | {ways} | {means} |")
    return "\n".join(lines) + "\n"

"""One table of settings: file, variables and options agree, and what cannot be is one sentence."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import UsageError
from charrnn.options import parse_workbench
from tui import settings_text
from tui.settings import TABLE, Setting, Settings, in_force, read_file, settings_file

README = Path(__file__).parents[2] / "README.md"
UTF8 = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def environ(tmp_path: Path, text: str | None = None, **more: str) -> dict[str, str]:
    path = tmp_path / "settings.toml"
    path.write_text(text or "", encoding="utf-8")
    return {**UTF8, "CHARRNN_SETTINGS": str(path), **more}


def test_nothing_said_is_the_defaults(tmp_path: Path) -> None:
    assert in_force({}, environ(tmp_path)) == Settings(animation=True)


def test_a_variable_wins_over_the_file_and_an_option_over_both(tmp_path: Path) -> None:
    said = environ(tmp_path, 'theme = "dark"\nslow = true\nchart_log = true', CHARRNN_THEME="light")
    assert (in_force({}, said).theme, in_force({}, said).chart_log) == ("light", True)
    assert in_force({"theme": "contrast", "slow": False}, said).theme == "contrast"
    assert not in_force({"slow": False}, said).slow


OTHERS: dict[str, tuple[str, Any]] = {
    "theme": ("light", "light"),
    "chart_units": ("bits", "bits"),
    "chart_x": ("time", "time"),
    "keys": ("zoom=x pause=space,v", {"zoom": ("x",), "pause": ("space", "v")}),
}


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_each_setting_has_a_variable_and_changes_something(setting: Setting, tmp_path: Path) -> None:
    text, value = OTHERS.get(setting.name, ("no", False) if setting.default is True else ("yes", True))
    assert getattr(in_force({}, environ(tmp_path, **{setting.variable: text})), setting.name) == value
    assert getattr(in_force({}, environ(tmp_path)), setting.name) != value or setting.name == "animation"


def test_over_ssh_it_is_slow_and_still_unless_told_otherwise(tmp_path: Path) -> None:
    far = {"SSH_TTY": "/dev/pts/3"}
    assert in_force({}, environ(tmp_path, **far)).slow
    assert not in_force({}, environ(tmp_path, **far)).animation
    assert not in_force({"slow": False}, environ(tmp_path, **far)).slow
    assert in_force({}, environ(tmp_path, "animation = true", **far)).animation
    assert not in_force({}, environ(tmp_path, "animation = false")).animation


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('tehme = "dark"', "There is no setting 'tehme', as in PLACE; did you mean theme?"),
        ("x = 1", "There is no setting 'x', as in PLACE; charrnn-tui --settings lists what there is."),
        (
            'theme = "blue"',
            "The setting theme in PLACE can be auto, dark, light, contrast or terminal, not 'blue'.",
        ),
        ("slow = 3", "The setting slow in PLACE can be true, false or auto, not '3'."),
        ('mouse = "auto"', "The setting mouse in PLACE can be true or false, not 'auto'."),
        ("keys = 3", "The setting keys in PLACE is a table of actions and keys"),
        ("[keys]\nzoom = 3", "The setting keys in PLACE wants a key or a list of keys for 'zoom', not '3'."),
        ("theme = ", "The settings in PLACE are no TOML: "),
        ("\x00", "The settings in PLACE are no TOML: "),
        ("a = '\x1b[2J'", "The settings in PLACE are no TOML: "),
    ],
)
def test_a_wrong_entry_is_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    told = environ(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        in_force({}, told)
    sentence = str(caught.value)
    assert sentence.startswith(said.replace("PLACE", told["CHARRNN_SETTINGS"]))
    assert sentence[-1] in ".?"
    assert sentence.isprintable()


def test_a_wrong_variable_names_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^\$CHARRNN_SLOW can be true, false or auto, not 'perhaps'\.$"):
        in_force({}, environ(tmp_path, CHARRNN_SLOW="perhaps"))


def test_a_file_that_is_named_but_not_there_is_told_and_the_usual_one_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no file .*/none, which \$CHARRNN_SETTINGS names"):
        read_file({"CHARRNN_SETTINGS": str(tmp_path / "none")})
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_file({"CHARRNN_SETTINGS": str(tmp_path)})
    assert settings_file({}).name == "settings.toml"


@given(st.binary(max_size=200))
def test_any_file_is_settings_or_one_sentence(data: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(UsageError):
            read_file({"CHARRNN_SETTINGS": file.name})


def test_the_template_is_a_file_of_the_defaults_and_keeps_what_was_chosen(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    empty = settings_text.template(path, {})
    assert tomllib.loads(empty) == {}
    uncommented = "\n".join(line[2:] for line in empty.splitlines() if line.startswith("# ") and " = " in line)
    assert set(tomllib.loads(uncommented.replace("# ", ""))) >= {s.name for s in TABLE} - {"keys"}
    chosen = {"theme": "dark", "slow": True, "keys": {"zoom": ("x",), "pause": ("space", "v")}}
    path.write_text(settings_text.template(path, chosen), encoding="utf-8")
    assert read_file({"CHARRNN_SETTINGS": str(path)}) == chosen


def test_the_options_of_the_table_are_the_workbenchs_own_and_no_engines() -> None:
    wanted = parse_workbench(["--theme", "light", "--no-slow", "--plain", "x.txt"], settings_text.add_options)
    assert wanted.own == {"theme": "light", "slow": False, "plain": True}
    assert wanted.request.options == {}


def test_the_readmes_settings_are_the_tables() -> None:
    _, _, after = README.read_text(encoding="utf-8").partition("keeps this table of settings true -->\n")
    assert after.partition("<!-- /settings -->")[0].strip() == settings_text.markdown().strip()


def program(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )


def test_settings_are_printed_and_wrong_ones_end_it_with_status_2_before_a_run_begins(tmp_path: Path) -> None:
    shown = program("--settings")
    assert shown.returncode == 0
    assert "theme" in shown.stdout
    wrong = program(CHARRNN_THEME="blue", CHARRNN_RUNS=str(tmp_path / "runs"))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == ("charrnn-tui: $CHARRNN_THEME can be auto, dark, light, contrast or terminal, not 'blue'.\n")
    assert not (tmp_path / "runs").exists()


def test_help_explains_every_option_of_the_table() -> None:
    parser = argparse.ArgumentParser()
    settings_text.add_options(parser)
    words = " ".join(parser.format_help().split())
    for setting in TABLE:
        if setting.option:
            assert setting.variable in words.replace(" ", "") or setting.variable in words

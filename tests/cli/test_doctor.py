"""`charrnn doctor`: what it says of this machine, and of others by what they would print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from charrnn.cli import main
from charrnn.commands.doctor import locale_check, terminal_check
from charrnn.commands.logout import Login, Logout, at_logout, at_logout_here, of_answers, of_settings
from tests.cli.test_commands import charrnn

SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
SESSION_V1 = "12:pids:/user.slice\n1:name=systemd:/user.slice/user-1000.slice/session-c2.scope\n"
DESKTOP = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-1.scope\n"
SERVICE = "0::/system.slice/slurmstepd.scope/job_7\n"


def test_it_says_what_works_here_and_all_is_well(runs_folder: Path) -> None:
    done = charrnn("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = [line.split(None, 2) for line in done.stdout.splitlines()]
    assert {"torch", "device", "kernels", "terminal", "locale", "runs", "cache", "sockets", "plots"} <= {
        name for _, name, _ in rows
    }
    assert {level for level, _, _ in rows} <= {"ok", "warn"}
    assert str(runs_folder) in done.stdout
    assert not runs_folder.exists()


def test_a_folder_that_no_run_can_be_written_to_is_a_failure_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor", "--json", "--runs-folder", "/proc/runs"])
    found = json.loads(capsys.readouterr().out)
    assert (status, found["ok"]) == (1, False)
    (failed,) = [check for check in found["checks"] if check["level"] == "fail"]
    assert failed["name"] == "runs"
    assert "/proc" in failed["words"]


def test_a_terminal_is_judged_by_its_name_and_size() -> None:
    assert terminal_check("xterm-256color", "truecolor", 80, 24).level == "ok"
    assert terminal_check("", "", 80, 24).level == terminal_check("dumb", "", 80, 24).level == "warn"
    assert "40x10" in terminal_check("xterm", "", 39, 24).advice


def test_only_utf_8_shows_every_script() -> None:
    assert locale_check("C.UTF-8", "utf-8", "utf-8").level == locale_check("de_DE", "UTF8", "utf-8").level == "ok"
    assert "C.UTF-8" in locale_check("C", "ISO-8859-1", "utf-8").advice
    assert locale_check("C", "utf-8", "ascii").level == "warn"


@pytest.mark.parametrize(
    ("texts", "kills"),
    [
        ([], True),
        (["[Login]\n#KillUserProcesses=no\n"], False),
        (["[Login]\n#KillUserProcesses=yes\n"], True),
        (["[Login]\n#KillUserProcesses=no\nKillUserProcesses=yes\n"], True),
        (["[Login]\nKillUserProcesses=yes\n", "[Login]\nKillUserProcesses = off\n"], False),
        (["[Login]\nKillUserProcesses=no\n[Other]\nKillUserProcesses=yes\n"], False),
        (["[Login]\nKillUserProcesses=yes\nKillOnlyUsers=eve\n"], False),
        (["[Login]\nKillUserProcesses=yes\nKillOnlyUsers=eve ada\n"], True),
        (["[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root ada\n"], False),
    ],
)
def test_logind_conf_says_whose_processes_are_ended(texts: list[str], kills: bool) -> None:
    assert of_settings(texts).kills_of("ada") is kills
    assert not of_settings(texts).kills_of("root")


def test_busctl_says_the_same() -> None:
    assert of_answers("b true\n", "as 0\n", 'as 1 "root"\n') == Login(True)
    assert of_answers("b false\n", 'as 2 "ada" "eve"\n', "as 0\n") == Login(False, ("ada", "eve"), ())
    assert of_answers("", "", "") is None


def test_a_run_is_in_danger_only_where_the_login_manager_would_end_it() -> None:
    for session in (SESSION, SESSION_V1):
        assert at_logout(session, kills=False, lingers=False) == Logout()
        found = at_logout(session, kills=True, lingers=False)
        assert "KillUserProcesses" in found.fate
        assert "enable-linger" in found.advice
        assert "systemd-run --user --scope" in found.advice
        assert "enable-linger" not in at_logout(session, kills=True, lingers=True).advice
    assert "enable-linger" in at_logout(DESKTOP, kills=False, lingers=False).advice
    assert at_logout(DESKTOP, kills=True, lingers=True) == Logout()
    assert at_logout(SERVICE, kills=True, lingers=False) == Logout()


def test_without_systemd_there_is_nothing_to_say_and_with_it_every_drop_in_counts(tmp_path: Path) -> None:
    assert at_logout_here(tmp_path) is None
    for name, text in (
        ("proc/self/cgroup", DESKTOP),
        ("etc/systemd/logind.conf", "[Login]\nKillUserProcesses=no\n"),
        ("usr/lib/systemd/logind.conf.d/50-kill.conf", "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n"),
        ("etc/systemd/logind.conf.d/60-not.conf.old", "[Login]\nKillUserProcesses=no\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert "last session" in getattr(at_logout_here(tmp_path), "fate", "")
    (tmp_path / "proc/self/cgroup").write_text(SESSION)
    assert "KillUserProcesses" in getattr(at_logout_here(tmp_path), "fate", "")
    masking = tmp_path / "etc/systemd/logind.conf.d/50-kill.conf"
    masking.write_text("")
    assert at_logout_here(tmp_path) == Logout()

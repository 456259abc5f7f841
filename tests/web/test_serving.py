"""The workbench in a browser: for its user alone, on loopback alone, and the same one as in a terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from charrnn.runs.metrics import read_metrics
from tests.web.browser import CHROMIUM, page

TINY = ["--cell", "gru", "--hidden", "16", "--embedding", "8", "--batch", "4", "--length", "16", "--threads", "1"]


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`charrnn-tui --serve`, and the address that it printed; it and its run are gone afterwards."""
    environment = {**os.environ, "CHARRNN_RUNS": str(folder / "runs"), "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "tui", "--serve", "--port", "0", *words]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.communicate()
        subprocess.run(
            [sys.executable, "-m", "charrnn", "stop", "--all"], env=environment, capture_output=True, check=False
        )


def answer(address: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_only_who_knows_the_secret_is_let_in_and_only_by_loopbacks_names(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        base, _, token = address.partition("?token=")
        base = base.replace("localhost", "127.0.0.1")
        assert len(token) >= 32
        for place in ("", "ws", "static/js/textual.js", "page/page.html", "?token=", f"?token={token[:-1]}x"):
            assert answer(base + place)[0] == 403
        status, text = answer(base)
        assert (status, "holds a secret" in text) == (403, True)
        assert answer(f"{base}?token={token}", Host="evil.example")[0] == 403
        jar = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with jar.open(f"{base}?token={token}", timeout=20) as found:
            assert found.url == base
            assert "/page/page.js" in found.read().decode()
            assert "frame-ancestors 'none'" in found.headers["Content-Security-Policy"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            jar.open(urllib.request.Request(f"{base}ws", headers={"Origin": "http://evil.example"}), timeout=20)
        port = int(base.rstrip("/").rpartition(":")[2])
        for family, own in ((socket.AF_INET, socket.gethostname()),):
            with suppress(OSError), socket.socket(family) as other:
                reached = socket.gethostbyname(own)
                if not reached.startswith("127."):
                    other.settimeout(5)
                    assert other.connect_ex((reached, port)) != 0
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "'70000' is no port: give a number from 0 to 65535"),
        (["no-such-file.txt"], "no-such-file.txt"),
        (["--port", "TAKEN"], "cannot be listened at"),
        (["--steps", "0", "python-docs"], "steps"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_sentence(words: list[str], said: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [str(taken.getsockname()[1]) if word == "TAKEN" else word for word in words]
        environment = {**os.environ, "CHARRNN_RUNS": str(tmp_path / "runs"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        found = subprocess.run(
            [sys.executable, "-m", "tui", "--serve", "--port", "0", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr
    assert not (tmp_path / "runs").exists()


def test_without_textual_serve_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capfd: object) -> None:
    from tui import __main__ as main

    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "tui.serving", raising=False)
    monkeypatch.setattr(sys, "argv", ["charrnn-tui", "--serve"])
    said: list[str] = []
    monkeypatch.setattr(main, "complain", said.append)
    assert main.main() == 2
    assert said == ["--serve needs textual-serve; install it with: pip install 'charrnn[serve]'"]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_a_browser_shows_the_workbench_and_its_keys_steer_the_run(corpus_file: Path, tmp_path: Path) -> None:
    async def look(address: str) -> None:
        async with page(address, tmp_path) as tab:
            await tab.until(lambda: "● training" in tab.screen() and "T 0.80" in tab.screen())
            assert await tab.evaluate("location.search") == ""  # the secret is not left in the address
            await tab.type("+")
            await tab.until(lambda: "T 0.85" in tab.screen(), 30)
            await tab.type(" ")
            await tab.until(lambda: "○ paused" in tab.screen(), 30)
            await tab.type(" ")
            await tab.until(lambda: "● training" in tab.screen(), 30)
            assert await tab.evaluate("document.body.classList.contains('-closed')") is False
            host = address.partition("//")[2].partition("/")[0]
            assert {url.partition("//")[2].partition("/")[0] for url in tab.requested if "//" in url} == {host}
            assert tab.errors == []
            if place := os.environ.get("CHARRNN_PICTURE"):
                await tab.picture(Path(place))
            await tab.type("d")
            await tab.until(lambda: tab.closed_sockets, 30)
            assert await tab.evaluate("getComputedStyle(document.getElementById('left')).display") == "flex"
            await tab.evaluate("document.getElementById('again').click()")
            tab._bytes = b""
            await tab.until(lambda: "● training" in tab.screen() and "T 0.85" in tab.screen())

    with serving(tmp_path, str(corpus_file), *TINY, "--run", "served") as (process, address):
        asyncio.run(look(address))
        metrics = tmp_path / "runs" / "served"
        before, deadline = read_metrics(metrics)[-1]["step"], time.monotonic() + 60
        while read_metrics(metrics)[-1]["step"] <= before:  # the page has gone, training goes on
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert "training goes on; come back with: charrnn-tui served" in process.stderr.read()

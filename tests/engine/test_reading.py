"""While a corpus is fetched or read, the engine answers, tells how far it is, and ends when it is asked to."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from charrnn.engine.client import EngineClient, launch
from charrnn.engine.messages import CorpusInfo, RunRequest, SetPace, StopRun, Welcome
from tests.engine.driving import SMALL, Watcher, launched

HELD = 30.0  # seconds for which the server keeps most of the text back, unless it is told to go on


@dataclass
class Page:
    address: str
    go_on: threading.Event


@pytest.fixture
def page(small_text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Page]:
    """Where a slow server has the small text; one request is all it answers."""
    go_on = threading.Event()
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    body = small_text.encode()
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if len(asked) > 1:
                self.send_error(429)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body[:1000])
                time.sleep(0.6)
                self.wfile.write(body[1000:2000])
                go_on.wait(HELD)
                self.wfile.write(body[2000:])
            except OSError:  # the engine has gone
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield Page(f"http://127.0.0.1:{server.server_address[1]}/slow.txt", go_on)
    go_on.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_text_from_the_web_is_fetched_while_the_engine_answers(page: Page, runs_folder: Path) -> None:
    async def go() -> None:
        async with launched(RunRequest(target=page.address, options=SMALL)) as (watcher, _):
            await watcher.until(lambda: watcher.told(Welcome))
            watcher.client.send(SetPace(123.0))
            await watcher.until(lambda: watcher.status.pace == 123.0)
            assert not watcher.told(CorpusInfo)
            page.go_on.set()
            (info,) = await watcher.until(lambda: watcher.told(CorpusInfo))
            assert info.name == "slow.txt"
            assert info.note.startswith("fetched")
            await watcher.until(lambda: watcher.status.step > 1)
            assert watcher.status.reading is None
        assert (runs_folder / "slow-1" / "config.toml").is_file()

    asyncio.run(go())


def test_an_engine_that_is_stopped_does_not_wait_for_a_server(page: Page, runs_folder: Path) -> None:
    async def go() -> None:
        started = launch(RunRequest(target=page.address, options=SMALL))
        watcher = Watcher(await EngineClient.over(started.connection))
        reading = await watcher.until(lambda: watcher.status.reading)
        assert re.fullmatch(r"fetching the corpus: [012]\.0 of \d+\.\d KB", reading.words()), reading
        watcher.client.send(StopRun())
        assert await asyncio.to_thread(started.process.wait, HELD / 2) == 0
        assert not page.go_on.is_set()
        await watcher.close()

    asyncio.run(go())
    assert not runs_folder.exists()

"""While a corpus is fetched or read, the engine answers, tells how far it is, and ends when it is asked to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from charrnn.engine.client import EngineClient, launch
from charrnn.engine.messages import CorpusInfo, RunRequest, SetPace, StopRun, Welcome
from tests.engine.driving import SMALL, Watcher, launched

SLOW = 3.0  # seconds for which the server keeps the second half back


@pytest.fixture
def address(small_text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Where a slow server has the small text; one request is all it answers."""
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
                time.sleep(SLOW)
                self.wfile.write(body[2000:])
            except OSError:  # the engine has gone
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/slow.txt"
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_text_from_the_web_is_fetched_while_the_engine_answers(address: str, runs_folder: Path) -> None:
    async def go() -> None:
        async with launched(RunRequest(target=address, options=SMALL)) as (watcher, _):
            await watcher.until(lambda: watcher.told(Welcome))
            watcher.client.send(SetPace(123.0))
            asked = time.monotonic()
            await watcher.until(lambda: watcher.status.pace == 123.0)
            assert time.monotonic() - asked < SLOW / 2
            assert not watcher.told(CorpusInfo)
            (info,) = await watcher.until(lambda: watcher.told(CorpusInfo))
            assert info.name == "slow.txt"
            assert info.note.startswith("fetched")
            await watcher.until(lambda: watcher.status.step > 1)
            assert watcher.status.reading is None
        assert (runs_folder / "slow-1" / "config.toml").is_file()

    asyncio.run(go())


def test_an_engine_that_is_stopped_does_not_wait_for_a_server(address: str, runs_folder: Path) -> None:
    async def go() -> None:
        started = launch(RunRequest(target=address, options=SMALL))
        watcher = Watcher(await EngineClient.over(started.connection))
        reading = await watcher.until(lambda: watcher.status.reading)
        assert reading.words().startswith("fetching the corpus: 2.0 of ")
        watcher.client.send(StopRun())
        asked = time.monotonic()
        assert await asyncio.to_thread(started.process.wait, 10) == 0
        assert time.monotonic() - asked < SLOW / 2
        await watcher.close()

    asyncio.run(go())
    assert not runs_folder.exists()

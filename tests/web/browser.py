"""A headless Chromium, driven over the DevTools protocol (chromedevtools.github.io/devtools-protocol) on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pyte

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-port=0",
    "--window-size=1200,720",
)


class Page:
    """One tab: sends commands, and keeps what its web sockets received as the screen that they draw."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._bytes = b""
        self.requested: list[str] = []
        self.errors: list[str] = []
        self.closed_sockets = 0
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self._socket:
            event = json.loads(message.data)
            if "id" in event:
                self._answers.pop(event["id"]).set_result(event)
            match event.get("method"):
                case "Network.webSocketFrameReceived" if event["params"]["response"]["opcode"] == 2:
                    self._bytes += base64.b64decode(event["params"]["response"]["payloadData"])
                case "Network.webSocketClosed":
                    self.closed_sockets += 1
                case "Network.requestWillBeSent":
                    self.requested.append(event["params"]["request"]["url"])
                case "Log.entryAdded" if event["params"]["entry"]["level"] != "error":
                    pass
                case "Runtime.exceptionThrown" | "Log.entryAdded":
                    self.errors.append(json.dumps(event["params"])[:500])
            self._news.set()

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = len(self._answers) + len(self._bytes) + len(self.requested) + 1
        while number in self._answers:
            number += 1
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        found = await asyncio.wait_for(answer, 30)
        assert "error" not in found, found
        result: dict[str, Any] = found["result"]
        return result

    async def evaluate(self, script: str) -> Any:
        found = await self.do("Runtime.evaluate", expression=script, returnByValue=True)
        return found["result"].get("value")

    async def type(self, text: str) -> None:
        for character in text:
            for kind in ("keyDown", "keyUp"):
                extra = {"text": character} if kind == "keyDown" else {}
                await self.do("Input.dispatchKeyEvent", type=kind, key=character, **extra)

    async def until(self, condition: Callable[[], Any], seconds: float = 90) -> Any:
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 1)
            return found

    def screen(self) -> str:
        """What the terminal in the page shows, by what was sent to it (as large as a terminal may be there)."""
        screen = pyte.Screen(200, 60)
        pyte.ByteStream(screen).feed(self._bytes)
        return "\n".join(screen.display)

    async def picture(self, place: Path) -> None:
        found = await self.do("Page.captureScreenshot")
        place.write_bytes(base64.b64decode(found["data"]))


@asynccontextmanager
async def page(address: str, folder: Path) -> AsyncIterator[Page]:
    """A tab that opens the address; the browser and all of its processes are gone afterwards."""
    assert CHROMIUM is not None
    profile = folder / "profile"
    browser = subprocess.Popen(
        [CHROMIUM, *_QUIET, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with aiohttp.ClientSession() as client, asyncio.timeout(240):
            port_file = profile / "DevToolsActivePort"
            while not (port_file.exists() and port_file.read_text().count("\n")):
                assert browser.poll() is None, "the browser has ended"
                await asyncio.sleep(0.1)
            port = port_file.read_text().split("\n")[0]
            async with client.get(f"http://127.0.0.1:{port}/json/list") as found:
                target = next(one for one in await found.json() if one["type"] == "page")
            async with client.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Page(socket)
                for domain in ("Network", "Page", "Runtime", "Log"):
                    await tab.do(f"{domain}.enable")
                await tab.do("Page.navigate", url=address)
                yield tab
                tab._task.cancel()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()

"""`charrnn-tui --serve`: the workbench in a browser, by textual-serve, for this user on this machine alone.

Only loopback listens, and from elsewhere one comes by SSH's port forwarding. On a machine that several people share
that is not enough: every page must know a secret that the first address holds, which becomes a cookie; and a page of
another site cannot use it, nor can a name that somebody else lets point to this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from charrnn.config import UsageError
from charrnn.engine.client import EngineClient
from charrnn.engine.messages import Ended, EngineMessage, Refused, Welcome

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_PAGES = 16
"""Pages that may be open at a time: each is a process of some 60 MB."""
_FILES = Path(__file__).with_name("web")
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages(Server):
    """The pages' server: `command` is run once for every page. `token` is the secret of the first address."""

    def __init__(self, command: str, port: int, token: str) -> None:
        super().__init__(command, host=LOOPBACK[0], port=port, title="charrnn")
        self._token = token
        self._cookie = f"charrnn-{hashlib.sha256(token.encode()).hexdigest()[:12]}"  # ports share their cookies
        self._open = 0

    @staticmethod
    def prepare_pages() -> None:
        """What the terminal in a page is, whatever this one is: the pages' processes find it in the environment."""
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: the address is printed once it is served."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.router.add_static("/page", _FILES)

        @web.middleware
        async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._admit(request, handler)

        app.middlewares.append(admit)
        return app

    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Lets in who knows the secret, by loopback's own names."""
        if request.url.host not in LOOPBACK:
            raise web.HTTPForbidden(text="This address is none of charrnn's: use localhost.\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.url.scheme}://{request.host}":
            raise web.HTTPForbidden(text="Pages of other sites may not come here.\n")
        if request.path == "/" and self._knows(request.query.get("token", "")):
            answer: web.StreamResponse = web.HTTPFound("/")
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
            return answer
        if not self._knows(request.cookies.get(self._cookie, "")):
            raise web.HTTPForbidden(text="Use the address that charrnn-tui --serve has printed: it holds a secret.\n")
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(
                {
                    "Content-Security-Policy": _POLICY,
                    "Referrer-Policy": "no-referrer",
                    "X-Content-Type-Options": "nosniff",
                    "Cache-Control": "no-cache",
                }
            )
        return answer

    def _knows(self, said: str) -> bool:
        return hmac.compare_digest(said.encode(), self._token.encode())

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page: a terminal as large as the window."""
        return web.FileResponse(_FILES / "page.html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One workbench, for as long as the page is open."""
        if self._open >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open; close one.\n")
        self._open += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._open -= 1


def listening(port: int) -> socket.socket:
    """A socket at that port of loopback; 0 takes any. Raises UsageError where it is taken."""
    try:
        return socket.create_server((LOOPBACK[0], port))
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be listened at: {error.strerror}. Give another one with --port, or 0 for any."
        ) from None


async def serve(arguments: list[str], connection: socket.socket | None, place: socket.socket) -> tuple[int, str]:
    """Serves until a signal comes or the run ends; the exit status, and what to say on standard error.

    Every page runs the workbench with `arguments`; where there is a `connection` to an engine, on that run.
    """
    logging.getLogger("textual-serve").setLevel(logging.ERROR)
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    status, words = 0, ""

    def interrupted(number: int) -> None:
        nonlocal status
        status = 128 + number
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupted, number)
    follower = None
    if connection is not None:
        run = _Run(await EngineClient.over(connection), over)
        follower = asyncio.create_task(run.follow())
        await run.known.wait()
        if run.refused is not None:
            return run.refused.status, run.refused.text
        arguments = [run.folder]
        words = f"training goes on; come back with: charrnn-tui {shlex.quote(run.name)}"
    token = secrets.token_urlsafe(24)
    port = place.getsockname()[1]
    pages = Pages(shlex.join([sys.executable, "-m", "tui", *arguments]), port, token)
    pages.prepare_pages()
    runner = web.AppRunner(await pages._make_app(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await web.SockSite(runner, place).start()
    print(f"http://localhost:{port}/?token={token}", flush=True)
    print(
        f"charrnn-tui: open that address in a browser; from another machine first: ssh -L {port}:localhost:{port} "
        f"{socket.gethostname()}   ctrl+c ends serving, not training",
        file=sys.stderr,
    )
    await over.wait()
    await runner.cleanup()
    if follower is not None:
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)
        await run.client.close()
        if run.ended is not None:
            return run.ended.status, run.ended.text
    return status, words


class _Run:
    """The run that all pages show: which one it is, and when it is over."""

    def __init__(self, client: EngineClient, over: asyncio.Event) -> None:
        self.client, self._over = client, over
        self.known = asyncio.Event()
        self.name = self.folder = ""
        self.refused: Refused | None = None
        self.ended: Ended | None = None

    async def follow(self) -> None:
        async for message in self.client:
            self._hear(message)
        if self.refused is None and not self.folder:
            self.refused = Refused("the engine has gone before it said which run it has.", 1)
        self.known.set()
        self._over.set()

    def _hear(self, message: EngineMessage) -> None:
        match message:
            case Welcome():
                self.name, self.folder = message.run, message.folder
            case Refused():
                self.refused = message
                self.known.set()
            case Ended():
                self.ended = message
            case _ if self.folder and Path(self.folder).is_dir():  # a page can open it from now on
                self.known.set()

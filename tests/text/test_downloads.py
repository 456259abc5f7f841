"""A text is fetched once, within bounds, and kept; what goes wrong is one sentence."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from charrnn.config import CorpusConfig, UsageError
from charrnn.text import downloads
from charrnn.text.corpus import load_corpus
from charrnn.text.downloads import fetch, require_address
from charrnn.text.sources import read_source

TEXT = "Grüße aus dem Netz, eine Zeile um die andere.\n" * 500
MOST_REQUESTS = 5

Answer = Callable[[BaseHTTPRequestHandler], None]


def send(body: bytes, status: int = 200, length: int | None = -1, **headers: str) -> Answer:
    """An answer with this body; `length` is what it says of itself (−1: the truth, None: nothing)."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if length is not None:
            handler.send_header("Content-Length", str(len(body) if length < 0 else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(2)


class Web:
    """A web of one loopback server, which counts what it is asked for."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            if len(web.asked) > MOST_REQUESTS:
                self.send_error(429)
            else:
                web.pages.get(self.path, send(b"nothing here", 404))(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield web
    server.shutdown()
    server.server_close()
    thread.join(5)


def refused(address: str, **bounds: float) -> str:
    with pytest.raises(UsageError) as refusal:
        fetch(address, lambda *_: None, **bounds)  # type: ignore[arg-type]
    assert str(refusal.value).endswith(".")
    return str(refusal.value)


def test_an_address_is_fetched_once_and_is_there_when_the_server_is_not(web: Web) -> None:
    web.pages["/a%20text.txt"] = send(TEXT.encode())
    config = CorpusConfig(source=f"{web.address}/a%20text.txt", name="")
    told: list[tuple[str, int, int | None]] = []
    first = load_corpus(config, progress=lambda *news: told.append(news))
    assert first.head(100_000) == TEXT
    assert (first.name, first.place) == ("a text", config.source)
    assert first.note == f"fetched {time.strftime('%Y-%m-%d')}, UTF-8"
    size = len(TEXT.encode())
    assert [news for news in told if news[0] == "fetching"][-1] == ("fetching", size, size)
    web.server.shutdown()
    web.server.server_close()
    again = load_corpus(config)
    assert (again.sha256, again.note) == (first.sha256, first.note)
    assert web.asked == ["/a%20text.txt"]


def test_a_redirect_is_followed_and_a_packed_text_unpacked(web: Web) -> None:
    web.pages["/there.gz"] = send(gzip.compress(TEXT.encode("utf-16")), length=None)
    web.pages["/here"] = send(b"", 302, Location="/there.gz")
    source = read_source(f"{web.address}/here")
    assert source.text == TEXT
    assert source.note.endswith("UTF-16 by its byte order mark")
    web.pages["/away"] = send(b"", 302, Location="ftp://127.0.0.1/text")
    assert "answers 302" in refused(f"{web.address}/away")


def test_a_page_that_is_not_there_is_told_and_nothing_kept(web: Web, tmp_path: Path) -> None:
    assert "answers 404 (Not Found)" in refused(f"{web.address}/none")
    assert not list((tmp_path / "cache" / "downloads").iterdir())


@pytest.mark.parametrize("length", [-1, None], ids=["told", "untold"])
def test_what_is_too_large_is_told_with_the_limit(web: Web, length: int | None) -> None:
    web.pages["/"] = send(TEXT.encode(), length=length)
    assert "larger than 1,000 bytes" in refused(f"{web.address}/", most=1000)
    assert downloads.MOST_DOWNLOADED >= 10**9


def test_a_server_that_is_silent_or_breaks_off_or_is_none_is_told(web: Web, tmp_path: Path) -> None:
    web.pages["/silent"] = hang
    assert "no answer for 0.3 seconds" in refused(f"{web.address}/silent", timeout=0.3)
    web.pages["/short"] = send(TEXT.encode(), length=10**6)
    assert "it broke off after" in refused(f"{web.address}/short")
    web.server.shutdown()
    web.server.server_close()
    assert "refused" in refused(f"{web.address}/down").lower()
    assert not list((tmp_path / "cache" / "downloads").iterdir())


def test_a_download_that_is_no_text_is_told_with_its_address_and_not_kept(web: Web, tmp_path: Path) -> None:
    web.pages["/text.gz"] = send(gzip.compress(TEXT.encode())[:60])
    config = CorpusConfig(source=f"{web.address}/text.gz", name="")
    with pytest.raises(UsageError, match=rf"^{config.source} is damaged"):
        load_corpus(config)
    assert not list((tmp_path / "cache" / "downloads").glob("*.data"))
    web.pages["/text.gz"] = send(gzip.compress(TEXT.encode()))
    assert load_corpus(config).head(5) == "Grüße"


def test_a_fetch_can_be_ended(web: Web, tmp_path: Path) -> None:
    web.pages["/"] = send(TEXT.encode())

    def enough(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(f"{web.address}/", enough)
    assert not list((tmp_path / "cache" / "downloads").iterdir())


@pytest.mark.parametrize("address", ["http://", "https:///text", "http://a b/", "http://[1", "http://a:99999/"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(UsageError, match="not a web address"):
        require_address(address)

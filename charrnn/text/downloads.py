"""Texts from the web, fetched once and kept by the digest of what came. No torch here, and no numpy.

An address is looked up in the cache first: it is never fetched a second time while what came is still there.
"""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from charrnn.config import UsageError
from charrnn.text import cache

MOST_DOWNLOADED = 4_000_000_000  # bytes
TIMEOUT = 20.0  # seconds without a byte
_PORTION = 1 << 18

Progress = Callable[[str, int, int | None], None]
"""Told what goes on ("fetching", "reading"), how many bytes are done, and of how many if that is known."""


@dataclass(frozen=True, slots=True)
class Download:
    """What came from an address: a file in the cache, held open so that it stays, and the day it came on."""

    file: BinaryIO
    path: Path
    day: str


def is_address(target: str) -> bool:
    """Whether the target is an http(s) address."""
    return target.lower().startswith(("http://", "https://"))


def require_address(address: str) -> None:
    """Raise UsageError for an http(s) address that cannot be one."""
    try:
        parts = urllib.parse.urlsplit(address)
        usable = bool(parts.hostname) and (parts.port or 1) > 0 and address.isprintable() and " " not in address
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{address!r} is not a web address; give one such as https://example.org/text.txt.")


def name_of(address: str) -> str:
    """What the text at an address is called: the last part of its path, else its host."""
    parts = urllib.parse.urlsplit(address)
    return Path(urllib.parse.unquote(parts.path)).name or parts.hostname or "download"


def fetch(address: str, progress: Progress, most: int | None = None, timeout: float = TIMEOUT) -> Download:
    """What lies at the address: from the cache, else from the network. Raises UsageError, one sentence."""
    require_address(address)
    most = MOST_DOWNLOADED if most is None else most
    folder = cache.part(cache.cache_folder(), "downloads")
    note = folder / f"{hashlib.sha256(address.encode()).hexdigest()}.json"
    known = cache.read_json(note)
    if known is not None:
        path = folder / f"{known.get('sha256')}.data"
        file = cache.use(path)
        if file is not None:
            return Download(file, path, str(known.get("day")))
    with cache.new_file(folder) as new:
        digest = _receive(address, new, progress, most, timeout)
        path = folder / f"{digest}.data"
        file = cache.keep(new, path)
    day = time.strftime("%Y-%m-%d")
    cache.write_json(note, {"address": address, "sha256": digest, "day": day})
    return Download(file, path, day)


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not is_address(newurl):  # urllib itself would follow to ftp
            raise urllib.error.HTTPError(newurl, code, "it leads away from the web", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(address: str, out: IO[bytes], progress: Progress, most: int, timeout: float) -> str:
    """Writes what the server sends to `out`; its sha256."""
    request = urllib.request.Request(address, headers={"User-Agent": "charrnn", "Accept-Encoding": "identity"})
    digest = hashlib.sha256()
    done = 0
    try:
        with urllib.request.build_opener(_OnlyWeb).open(request, timeout=timeout) as answer:
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            _refuse_large(address, total or 0, most)
            progress("fetching", 0, total)
            while portion := answer.read1(_PORTION):
                done += len(portion)
                _refuse_large(address, done, most)
                digest.update(portion)
                out.write(portion)
                progress("fetching", done, total)
    except urllib.error.HTTPError as error:
        error.close()
        raise UsageError(f"{address} answers {error.code} ({error.reason}); check the address.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UsageError(f"{address} cannot be fetched ({_reason(error, timeout)}); {_ADVICE}") from None
    if total is not None and done < total:
        words = f"it broke off after {done:,} of {total:,} bytes"
        raise UsageError(f"{address} cannot be fetched ({words}); {_ADVICE}")
    return digest.hexdigest()


_ADVICE = "try again, or fetch it otherwise and give the file."


def _refuse_large(address: str, size: int, most: int) -> None:
    if size > most:
        raise UsageError(
            f"{address} is larger than {most:,} bytes, the most that is fetched; fetch it otherwise and give the file."
        )


def _reason(error: Exception, timeout: float) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"no answer for {timeout:g} seconds"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__

"""The engine's side of a corpus's baselines: kept figures at once, else measured in a while. No torch here."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from charrnn.config import UsageError
from charrnn.engine.memory import open_memory
from charrnn.engine.messages import BaselinesFound
from charrnn.text import measuring
from charrnn.text.baselines import Baselines
from charrnn.text.corpus import Corpus

MEASURED_AFTER = 10.0
"""Seconds of training before a new corpus is measured: a run's first moments are not to be shared."""


async def find_baselines(
    corpus: Corpus, run: Path, ready: Callable[[], bool], *, after: float = MEASURED_AFTER
) -> BaselinesFound:
    """What a loss on the corpus means: from the run's folder, from the user's cache, or measured now.

    New figures are measured no sooner than `after` seconds from now and when `ready` says so, by another process at
    low priority, and kept in both places; kept figures are there at once. Never raises for want of them.
    """
    if not len(corpus.held_out_ids):
        return BaselinesFound(None, "nothing is held out")
    figures = await asyncio.to_thread(measuring.known, corpus, run)
    if figures is None:
        await asyncio.sleep(after)
        while not ready():
            await asyncio.sleep(0.5)
        try:
            figures = await _measured(corpus)
        except UsageError as error:
            return BaselinesFound(None, str(error))
        except OSError as error:
            return BaselinesFound(None, f"they could not be measured ({error.strerror or error})")
    await asyncio.to_thread(measuring.keep_for, corpus, run, figures)
    return BaselinesFound(figures)


async def _measured(corpus: Corpus) -> Baselines:
    """Has them measured by another process, which ends with this call. Raises UsageError and OSError."""
    request = await asyncio.to_thread(_request, corpus)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "charrnn.engine.baselines_process"),
            stdin=request,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"MALLOC_MMAP_THRESHOLD_": "262144", **os.environ},  # glibc would keep what it was given back
        )
    finally:
        os.close(request)
    try:
        answer, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found = msgspec.json.decode(answer)
        if "problem" in found:
            raise UsageError(found["problem"])
        return msgspec.convert(found, Baselines)
    except (msgspec.MsgspecError, TypeError):
        raise OSError(f"the process that measures them ended with status {process.returncode}") from None


def _request(corpus: Corpus) -> int:
    """A descriptor of the text as the process wants it; long texts are made here, in a thread."""
    training, held_out, alphabet = measuring.texts(corpus)
    what = {"training": len(training), "held_out": len(held_out), "alphabet": alphabet}
    return open_memory(json.dumps(what).encode() + b"\n", training, held_out)

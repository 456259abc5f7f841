"""A text's surprise as a page, in a real browser: it opens, shows the text, and asks nobody for anything."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

import charrnn
from charrnn.insight.page import carried
from charrnn.text.vocabulary import Characters
from tests.insight.models import small_model
from tests.web.browser import CHROMIUM, page

needs_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
STRANGE = "<b>a</b> & \"b\" 'c'\r\n\t]]> ☃\x00\x1b\u202eabc\n\n  d\n"


def opened(text: str, folder: Path, *, within: float) -> None:
    vocabulary = Characters.of_text(text.replace("☃", ""))
    place = folder / "page.html"
    place.write_text(charrnn.html_of(small_model("gru", len(vocabulary)), vocabulary, text), encoding="utf-8")

    async def look() -> None:
        async with page(place.as_uri(), folder) as tab:
            begun = time.monotonic()
            while await tab.evaluate("document.readyState") != "complete":
                assert time.monotonic() - begun < within
                await asyncio.sleep(0.1)
            assert await tab.evaluate("document.getElementById('text').textContent") == carried(text)
            assert await tab.evaluate("document.getElementById('text').scrollWidth <= innerWidth")
            assert await tab.evaluate("document.querySelectorAll('script, link, img, a').length") == 0
            assert tab.requested == [place.as_uri()]
            assert tab.errors == []

    asyncio.run(look())


@needs_a_browser
def test_a_browser_shows_the_text_and_nothing_of_it_acts(tmp_path: Path) -> None:
    opened(STRANGE * 5, tmp_path, within=60)


@needs_a_browser
@pytest.mark.long
def test_a_browser_opens_the_page_of_a_megabyte(tmp_path: Path) -> None:
    opened(("it is said again, and again\n" * 40_000)[:1_000_000], tmp_path, within=60)

"""What a client hears of the units: their ranking, and one of them over the stream, the corpus and a text."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.engine.answering import units as module
from charrnn.engine.answering.units_ranked import SAMPLE, sample_of
from charrnn.engine.messages import Notice
from charrnn.engine.questions.units import (
    LONGEST_TEXT,
    UNREAD,
    RankUnits,
    UnitHeard,
    UnitOfCorpus,
    UnitOfText,
    UnitRead,
    UnitsRanked,
    WatchUnit,
)
from charrnn.insight.units.ranking import PASSAGES
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Characters
from tests.engine.driving import engine


def complains(watcher: Any, words: str) -> bool:
    return any(words in one.text for one in watcher.told(Notice))


def test_units_are_ranked_and_one_is_read_over_everything(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path, cell="lstm") as (watcher, _):
            send = watcher.client.send
            send(RankUnits(7))
            ranked = await watcher.until(lambda: next((a for a in watcher.told(UnitsRanked) if a.share == 1), None))
            first = ranked.units[0]
            assert (ranked.number, ranked.of, ranked.step >= 0) == (7, 6 * 16, True)
            assert first.tells in ranked.properties
            assert len(first.every) == len(ranked.properties) == 7
            assert 0 < len(ranked.sample) <= SAMPLE
            assert all(len(unit.values) == len(ranked.sample) and max(unit.values) < UNREAD for unit in ranked.units)
            shares = [answer.share for answer in watcher.told(UnitsRanked)]
            assert shares == sorted(shares)

            send(WatchUnit("c1.3"))
            await watcher.until(lambda: sum(len(answer.values) for answer in watcher.told(UnitHeard)) > 300)
            send(WatchUnit(None))
            heard = watcher.told(UnitHeard)
            assert {answer.unit for answer in heard} == {"c 1·3"}
            ends = [answer.position + len(answer.values) for answer in heard]
            assert ends[-1] <= watcher.text[-1].position + len(watcher.text[-1].text)
            await asyncio.sleep(2 * module.HEARD_EVERY)
            count = len(watcher.told(UnitHeard))
            await asyncio.sleep(3 * module.HEARD_EVERY)
            assert len(watcher.told(UnitHeard)) == count

            send(UnitOfCorpus(1, "h 1·2", 450, 900))
            (read,) = await watcher.until(lambda: watcher.told(UnitRead))
            assert (read.number, read.first, len(read.values)) == (1, 450, min(450, len(small_text) - 450))
            send(UnitOfText(2, "h 1·2", "The ☃quick", context="brown "))
            _, of_text = await watcher.until(lambda: watcher.told(UnitRead)[1:] and watcher.told(UnitRead))
            assert [value == UNREAD for value in of_text.values] == [one == "☃" for one in "The ☃quick"]

            for question in (WatchUnit("x 1·1"), UnitOfCorpus(3, "c 2·1", 0, 9)):
                send(question)
            await watcher.until(lambda: complains(watcher, "There is no unit 'x 1·1'; this network has c 1·1 to"))
            await watcher.until(lambda: complains(watcher, "There is no unit 'c 2·1'"))
            send(UnitOfText(5, "c 1·1", "a" * (LONGEST_TEXT + 1)))
            await watcher.until(lambda: complains(watcher, "20,000 characters at most"))

    asyncio.run(test())


def test_the_sample_is_from_all_over_the_corpus_by_whole_lines() -> None:
    text = "".join(f"line {number} of many, with some words after it\n" for number in range(3000))
    vocabulary = Characters("".join(sorted(set(text))))
    corpus = Corpus("lines", "", vocabulary.encode(text), vocabulary, len(text), "", "")
    passages = sample_of(corpus)
    assert len(passages) == PASSAGES
    assert all(passage.startswith("line ") and 1000 < len(passage) < 1400 for passage in passages)
    numbers = [int(passage.split()[1]) for passage in passages]
    assert numbers == sorted(set(numbers))
    assert np.diff(numbers).min() > 50
    short = Corpus("short", "", vocabulary.encode(text[:300]), vocabulary, 300, "", "")
    assert "".join(sample_of(short)) == text[:300]

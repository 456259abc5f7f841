"""What clients ask of the corpus: answered beside the run, bounded, and for each client alone."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import CorpusConfig, Tokens
from charrnn.engine import corpus_desk, wire
from charrnn.engine.board import Board
from charrnn.engine.client import EngineClient
from charrnn.engine.connection import Connection
from charrnn.engine.corpus_desk import CorpusDesk, Visitor, sendable
from charrnn.engine.corpus_messages import (
    CORPUS_ANSWERS,
    MOST_PLACES,
    CorpusAnswer,
    CorpusFound,
    CorpusSearched,
    CorpusWindow,
    CountSymbols,
    FindInCorpus,
    ReadCorpus,
    StreamPlaces,
    SymbolsCounted,
)
from charrnn.engine.messages import ClientMessage, Hello, Notice, SetPaused
from charrnn.text import counting, finding
from charrnn.text.corpus import Corpus, load_corpus
from tests.engine.driving import engine
from tests.engine.test_clients import waiting

TEXT = "".join(f"Line {number} of the naïve text, with the Whale.\n" for number in range(4000))


def corpus(text: str = TEXT, tokens: Tokens = "char") -> Corpus:
    return load_corpus(CorpusConfig(source="-", name="lines", tokens=tokens), stdin_text=text)


def opened(text: str = TEXT, tokens: Tokens = "char") -> CorpusDesk:
    desk = CorpusDesk()
    desk.open(corpus(text, tokens))
    return desk


class Told:
    """A visitor of a desk, and what it was told."""

    def __init__(self, desk: CorpusDesk) -> None:
        self.answers: list[CorpusAnswer] = []
        self.visitor = Visitor(desk, self._tell)
        self.held = asyncio.Event()
        self.held.set()

    async def _tell(self, answer: CorpusAnswer) -> None:
        self.answers.append(answer)
        await self.held.wait()

    async def after(self, *requests: Any, count: int = 1) -> list[CorpusAnswer]:
        self.answers.clear()
        for request in requests:
            self.visitor.ask(request)
        async with asyncio.timeout(20):
            while len(self.answers) < count:
                await asyncio.sleep(0.002)
        return self.answers


@pytest.mark.parametrize("tokens", ["char", "byte", "word"])
def test_windows_searches_and_counts_are_in_characters_whatever_the_tokens_are(tokens: Tokens) -> None:
    async def go() -> None:
        told = Told(opened(tokens=tokens))
        (window,) = await told.after(ReadCorpus(len(TEXT) // 2))
        assert isinstance(window, CorpusWindow)
        assert TEXT[window.at :].startswith(window.text)
        assert window.at <= len(TEXT) // 2 < window.at + len(window.text) < window.at + 70_000
        place = TEXT.index("3999 of the naïve")
        assert await told.after(FindInCorpus(3, "3999 OF".lower(), 100)) == [CorpusFound(3, place)]
        assert await told.after(FindInCorpus(4, "whale", 0, backwards=True)) == [CorpusFound(4, TEXT.rindex("Whale"))]
        assert await told.after(FindInCorpus(5, "wHale", 0)) == [CorpusFound(5, None)]
        await told.after(CountSymbols(), count=2)
        counted = told.answers[-1]
        assert isinstance(counted, SymbolsCounted)
        assert counted.share == 1
        assert sum(symbol.count for symbol in counted.symbols) == counted.tokens
        if tokens == "char":
            assert {one.text: one.count for one in counted.symbols} == Counter(TEXT)
            assert (counted.distinct, counted.known) == (len(set(TEXT)), len(set(TEXT)))

    asyncio.run(go())


def test_places_that_are_none_lead_to_the_nearest_window_and_a_search_that_is_too_long_is_told() -> None:
    async def go() -> None:
        told = Told(opened())
        first, last = await told.after(ReadCorpus(-(2**63)), ReadCorpus(2**63), count=2)
        assert isinstance(first, CorpusWindow)
        assert isinstance(last, CorpusWindow)
        assert first.at == 0
        assert last.at + len(last.text) == len(TEXT)
        (answer,) = await told.after(FindInCorpus(1, "x" * 1001, 0))
        assert answer == CorpusFound(1, None, "1,000 characters at most can be searched for")
        assert await told.after(FindInCorpus(2, "Line 0", 2**64 - 1)) == [CorpusFound(2, 0)]

    asyncio.run(go())


def test_before_there_is_a_corpus_nothing_is_answered_and_nothing_breaks() -> None:
    async def go() -> None:
        desk = CorpusDesk()
        told = Told(desk)
        for request in (ReadCorpus(0), FindInCorpus(1, "a", 0), CountSymbols()):
            told.visitor.ask(request)
        await asyncio.sleep(0.01)
        assert not told.answers
        desk.open(corpus())
        assert await told.after(ReadCorpus(0))

    asyncio.run(go())


def test_of_many_requests_the_newest_few_are_answered() -> None:
    async def go() -> None:
        told = Told(opened())
        told.held.clear()
        await told.after(ReadCorpus(0))
        for at in range(1000):
            told.visitor.ask(ReadCorpus(at * 100))
        told.held.set()
        await told.after(count=corpus_desk.WINDOWS_WAITING)
        await asyncio.sleep(0.1)
        assert len(told.answers) == corpus_desk.WINDOWS_WAITING
        assert isinstance(told.answers[-1], CorpusWindow)
        assert told.answers[-1].at <= 99_900 < told.answers[-1].at + len(told.answers[-1].text)

    asyncio.run(go())


def test_a_search_gives_way_to_the_next_one_and_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_PIECE", 64)
    monkeypatch.setattr(corpus_desk, "TOLD_EVERY", 0.0)

    async def go() -> None:
        told = Told(opened())
        answers = await told.after(FindInCorpus(1, "whale whale", 0), count=3)
        shares = [answer.share for answer in answers if isinstance(answer, CorpusSearched)]
        assert shares == sorted(shares)
        assert len(shares) == len(answers)
        assert 0 < shares[0] < 1
        await told.after(FindInCorpus(2, "line 3", 0), count=1)
        async with asyncio.timeout(10):
            while not any(isinstance(answer, CorpusFound) for answer in told.answers):
                await asyncio.sleep(0.01)
        assert told.answers[-1] == CorpusFound(2, TEXT.index("Line 3"))
        await told.after(FindInCorpus(3, "whale whale", 0), count=2)
        told.visitor.ask(FindInCorpus(4, "", 0))
        await asyncio.sleep(0.05)
        told.answers.clear()
        await asyncio.sleep(0.1)
        assert not told.answers

    asyncio.run(go())


def test_two_clients_wait_for_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "PORTION", 1000)
    monkeypatch.setattr(corpus_desk, "RESTS_FROM_COUNTING", 0.0)
    done: list[int] = []
    count_next = counting.Counting.count_next

    def counted(self: counting.Counting) -> bool:
        done.append(1)
        return count_next(self)

    monkeypatch.setattr(counting.Counting, "count_next", counted)

    async def go() -> None:
        desk = opened()
        both = [Told(desk), Told(desk)]
        for one in both:
            one.visitor.ask(CountSymbols())
        async with asyncio.timeout(20):
            while not all(one.answers and one.answers[-1].share == 1 for one in both):  # type: ignore[union-attr]
                await asyncio.sleep(0.01)
        assert both[0].answers[-1] == both[1].answers[-1]
        assert len(done) == -(-len(TEXT) // 1000)

    asyncio.run(go())


def test_work_for_clients_leaves_the_loop_free_and_rests_as_long_as_it_worked() -> None:
    async def go() -> None:
        desk, begun = opened(), time.monotonic()
        here = threading.get_ident()

        def work() -> int:
            end = time.thread_time() + 0.02
            while time.thread_time() < end:
                pass
            return threading.get_ident()

        where = await asyncio.gather(*(desk.work(work) for _ in range(5)))
        assert here not in where
        assert time.monotonic() - begun >= 5 * 0.02 + 4 * 0.019

    asyncio.run(go())


def test_a_lone_surrogate_does_not_end_the_connection() -> None:
    assert sendable("a\ud800b") == "a�b"
    assert sendable("naïve 🙂") == "naïve 🙂"

    async def go() -> None:
        told = Told(opened("ab\ud800cd\n" * 100))
        (window,) = await told.after(ReadCorpus(0))
        wire.frame(window)
        assert isinstance(window, CorpusWindow)
        assert window.text.startswith("ab�cd\n")

    asyncio.run(go())


class Host:
    """An engine that has a board and a corpus."""

    def __init__(self) -> None:
        self.board, self.desk = Board(), opened()
        self.obeyed: list[ClientMessage] = []
        self.gone = 0

    def joined(self, connection: Connection) -> None:
        self.board.readers.add(connection)

    def obey(self, message: ClientMessage) -> None:
        self.obeyed.append(message)

    def left(self, connection: Connection) -> None:
        self.gone += 1

    def misheard(self, words: str) -> None:
        raise AssertionError(words)

    def dropped(self, connection: Connection) -> None:
        raise AssertionError("dropped")


def test_a_client_that_asks_and_never_reads_holds_a_few_windows_and_disturbs_nobody() -> None:
    async def go() -> None:
        host = Host()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for one in (ours, theirs):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        connection = Connection(host, *await asyncio.open_unix_connection(sock=theirs))
        serving = asyncio.create_task(connection.serve())
        client = await EngineClient.over(ours)
        client.send(Hello())
        for at in range(3000):
            client.send(ReadCorpus(at * 50))
            if at % 100 == 0:
                client.send(FindInCorpus(at, "whale", at))
                client.send(CountSymbols())
                await asyncio.sleep(0.005)
        client.send(SetPaused(True))
        async with asyncio.timeout(10):
            while not host.obeyed:
                await asyncio.sleep(0.01)
        assert host.obeyed == [SetPaused(True)]
        assert waiting(connection) < 400_000
        assert len(connection._answers) <= 3
        await client.close()
        await asyncio.wait_for(serving, 10)
        assert host.gone == 1
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(go())


def test_a_real_engine_answers_while_it_trains_and_tells_where_its_streams_read(
    tmp_path: Path, runs_folder: Path
) -> None:
    text = tmp_path / "lines.txt"
    text.write_text(TEXT, encoding="utf-8")

    async def go() -> None:
        async with engine(text, batch=4) as (watcher, _):
            await watcher.until(lambda: watcher.told(StreamPlaces))
            watcher.client.send(ReadCorpus(len(TEXT) - 1))
            watcher.client.send(FindInCorpus(1, "line 3999", 0))
            watcher.client.send(CountSymbols())
            await watcher.until(
                lambda: (
                    all(watcher.told(kind) for kind in (CorpusWindow, CorpusFound, SymbolsCounted))
                    and watcher.told(SymbolsCounted)[-1].share == 1
                )
            )
            assert watcher.told(CorpusWindow)[0].text.endswith(TEXT[-100:])
            assert watcher.told(CorpusFound) == [CorpusFound(1, TEXT.index("Line 3999"))]
            step = watcher.status.step
            await watcher.until(lambda: watcher.status.step > step and len(watcher.told(StreamPlaces)) >= 2)
            held_out_at = len(TEXT) - len(TEXT) // 10
            for told in watcher.told(StreamPlaces):
                assert told.streams == len(told.places) == 4
                assert all(0 <= place < held_out_at for place in told.places)
            assert watcher.told(StreamPlaces)[0] != watcher.told(StreamPlaces)[-1]
            assert not [notice for notice in watcher.told(Notice) if notice.level == "error"]

    asyncio.run(go())


def test_what_is_told_of_places_is_small_however_many_streams_there_are() -> None:
    streams = StreamPlaces(10_000, [10**9] * MOST_PLACES)
    assert len(wire.frame(streams)) < 2000
    assert all(kind in CORPUS_ANSWERS for kind in (StreamPlaces, CorpusWindow))

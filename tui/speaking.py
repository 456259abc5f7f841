"""The workbench in lines, on a terminal: for screen readers, for terminals that cannot be drawn on, for logs.

It speaks in whole sentences, at most one every so often, moves no cursor and uses no colour; what is typed is an order
(orders.py). The stream is heard in samples, unless all of it is asked for.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from charrnn.config import UsageError
from charrnn.engine.client import EngineClient
from charrnn.engine.messages import (
    BaselinesFound,
    ClientMessage,
    CorpusInfo,
    Ended,
    EngineMessage,
    ModelInfo,
    Notice,
    Refused,
    Status,
    Text,
    Welcome,
    troubles_told,
)
from charrnn.engine.questions import ANSWERS, Answer, Question
from charrnn.engine.questions.choice import ChoiceTold
from charrnn.text.baselines import in_words
from tui import orders
from tui.glyphs import UTF_8, stand_ins
from tui.hearers import Hearers
from tui.leaving import SAVING_TAKES, Leaving, with_way_back
from tui.session import Session
from tui.settings import Settings
from tui.starting_again import connect_again, gone
from tui.telling import corpus_words, status_words
from tui.terminal import safe_line
from tui.transcript import Transcript

REPORT_EVERY, SAMPLE_LENGTH = 30.0, 240
"""Seconds between two reports that nobody asked for; characters of the stream in one."""
LONGEST_SENTENCE = 300
GREETING = "charrnn-tui in lines. Type help and enter for what can be typed, quit and enter to save and leave."
_END = re.compile(r"[.!?]['\")\]]*\s|\n")


class Speaking:
    """Says what the engine says, and does what is typed. `write` gets whole lines, safe and without their end."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        attached: bool = False,
        charset: str = UTF_8,
        runs_folder: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = Session(self._send)
        self.transcript = Transcript()
        self.attached = attached
        self.runs_folder = runs_folder
        self.stream = "samples"
        """What is heard of the stream unasked: "samples", "all" or "off"."""
        self.left: asyncio.Future[Leaving] | None = None
        self.hearers = Hearers()
        self._write = write
        self._charset = charset
        self._clock = clock
        self._client: EngineClient | None = None
        self._listening: asyncio.Task[None] | None = None
        self._leaving: Leaving | None = None
        self.choice: ChoiceTold | None = None
        self._next_report = 0.0
        self._typed = ""
        self._unsaid = ""
        self._again = False
        self._exporting: asyncio.Task[None] | None = None

    # ---- the engine ------------------------------------------------------------------------------------------

    async def run(self, connection: socket.socket, keyboard: int = 0) -> Leaving:
        """Speaks until the user leaves, or the engine refuses. `keyboard` is where orders are typed."""
        loop = asyncio.get_running_loop()
        self.left = loop.create_future()
        loop.add_signal_handler(signal.SIGINT, self.stop, 130)
        loop.add_signal_handler(signal.SIGTERM, self.detach if self.attached else self.stop, 143)
        decoder = codecs.getincrementaldecoder(self._charset)(errors="replace")
        loop.add_reader(keyboard, self._read, keyboard, decoder)
        self.say(GREETING)
        self._listening = asyncio.create_task(self._listen(connection))
        try:
            return await self.left
        finally:
            loop.remove_reader(keyboard)
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    def _send(self, message: ClientMessage) -> None:
        if self._client is not None:
            self._client.send(message)

    def ask(self, question: Question, kind: type[Any], hear: Callable[[Any], None]) -> None:
        """Asks about the model; `hear` gets the next answer of a kind. Raises UsageError where nobody would answer."""
        if not self.session.connected:
            raise UsageError("The engine has gone; again starts it again, and then it answers.")
        self.wait_for(kind, hear)
        self._send(question)

    def wait_for(self, kind: type[Any], hear: Callable[[Any], None]) -> None:
        """`hear` gets the next answer of a kind, of a question that was asked already."""

        def once(answer: Answer) -> None:
            self.hearers.remove(kind, once)
            hear(answer)

        self.hearers.add(kind, once)

    def ask_no_more(self, question: Question) -> None:
        """Sends a question that ends one whose answers would go on coming."""
        if self.session.connected:
            self._send(question)

    async def _listen(self, connection: socket.socket) -> None:
        self._client = client = await EngineClient.over(connection)
        try:
            async for message in client:
                self.hear(message)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.close(), 1.0)
        self.session.connected = False
        if self._leaving is not None:
            self._leave(self._leaving)
        elif self.session.ended is None and self.session.refused is None:
            self.say(gone(self.session))

    def start_again(self) -> None:
        """Another engine takes up the run, where this one has gone."""
        if self.session.connected:
            self.say("The engine is at work: there is nothing to start again.")
        elif not self._again:
            self._again = True
            self._listening = asyncio.create_task(self._connect_again())

    async def _connect_again(self) -> None:
        connection = await connect_again(self.session)
        if isinstance(connection, str):
            self._again = False
            self.say(connection)
            return
        self.session.begin_again()
        self.transcript.begin_again()
        self.say("The engine starts again.")
        self._again = False
        await self._listen(connection)

    def hear(self, message: EngineMessage) -> None:
        """Takes one message of the engine, and says what is new in it."""
        before, troubles = self.session.state, self.session.status.troubles
        self.session.receive(message)
        match message:
            case _ if isinstance(message, ANSWERS):
                self.hearers.hear(message)
            case Welcome():
                self.say(f"The run is {message.run}.")
            case CorpusInfo():
                self.say(corpus_words(message))
            case ModelInfo():
                self.say(f"The model is {message.summary} with {message.parameters:,} parameters, on {message.device}.")
            case BaselinesFound(figures, problem):
                self.say(f"To beat on the held-out text: {in_words(figures) if figures else f'no figures, {problem}'}.")
            case Status():
                for words in troubles_told(troubles, message.troubles):
                    self.say(words)
                self._report(changed=self.session.state != before)
            case Text():
                for piece in message.pieces:
                    self.transcript.add(piece)
                    if self.stream == "all":
                        self._unsaid += piece.text
                self._say_sentences()
            case Notice():
                self.say(message.text)
            case Refused():
                self._leave(Leaving(message.status, message.text))
            case Ended() if self._leaving is not None:
                status = self._leaving.status or message.status
                self._leave(Leaving(status, with_way_back(self.session, message.text)))
            case Ended():
                self.say(f"{message.text} The engine has ended; enter starts it again, q leaves.".lstrip())
            case _:
                pass

    # ---- speaking --------------------------------------------------------------------------------------------

    def say(self, words: str) -> None:
        """One line."""
        words = safe_line(words)
        self._write(words if self._charset == UTF_8 else stand_ins(words, self._charset))

    def _report(self, *, changed: bool) -> None:
        """How it stands: at once when the state is another, else now and then."""
        now = self._clock()
        if self.session.state == "starting" and self.session.status.reading is None:
            return
        if not changed and (now < self._next_report or self.session.state == "paused" or self.stream == "off"):
            return
        self._next_report = now + REPORT_EVERY
        self.say(status_words(self.session))
        if not changed and self.stream == "samples" and self.transcript.characters:
            self.say_sample()

    def say_sample(self) -> None:
        """The newest whole sentences of the stream."""
        text = self.transcript.said()[-4 * SAMPLE_LENGTH :]
        if not text.strip():
            self.say("The stream has no text yet.")
            return
        text = text[: len(text) - len(_END.split(text)[-1])].rstrip() or text
        text = text[-SAMPLE_LENGTH:]
        begin = _END.search(text)
        text = text[begin.end() :] if begin and len(text) - begin.end() > SAMPLE_LENGTH // 3 else text
        self.say("It writes: " + " ".join(text.split()))

    def _say_sentences(self) -> None:
        """Of what the stream wrote, as far as it ends a sentence or a line."""
        while self._unsaid:
            end = _END.search(self._unsaid)
            at = end.end() if end else self._unsaid.rfind(" ", 0, LONGEST_SENTENCE) + 1 or LONGEST_SENTENCE
            if end is None and len(self._unsaid) < LONGEST_SENTENCE:
                return
            sentence, self._unsaid = self._unsaid[:at].strip(), self._unsaid[at:]
            if sentence:
                self.say(sentence)

    def export(self, ending: str) -> None:
        """Writes the losses to a new file, and says where it is."""
        self._exporting = asyncio.create_task(self._export(ending))

    async def _export(self, ending: str) -> None:
        from tui.charts.exporting import write
        from tui.charts.scene import Scene
        from tui.charts.view import View
        from tui.charts.window import Window

        scene = Scene(tuple(self.session.points), View(), Window(), (), tuple(self.session.marks), ())
        _, words = await write(scene, self.session.welcome.run if self.session.welcome else "run", ending)
        self.say(words)

    # ---- the keyboard ----------------------------------------------------------------------------------------

    def _read(self, keyboard: int, decoder: codecs.IncrementalDecoder) -> None:
        try:
            data = os.read(keyboard, 4096)
        except OSError:
            data = b""
        if not data:
            self.detach(0)  # ctrl+d, or the terminal has gone
            return
        *lines, self._typed = (self._typed + decoder.decode(data)).split("\n")
        for line in lines:
            self.obey(line)

    def obey(self, line: str) -> None:
        """Does what a line asks for, and says what came of it."""
        try:
            answer = orders.obey(self, line)
        except UsageError as error:
            answer = str(error)
        if answer:
            self.say(answer)

    # ---- leaving ---------------------------------------------------------------------------------------------

    def detach(self, status: int = 0) -> None:
        """Leaves the run as it is."""
        goes_on = "The engine has ended" if self.session.ended else "Training goes on"
        goes_on = {"paused": "The run stays paused", "disconnected": "The engine has gone"}.get(
            self.session.state, goes_on
        )
        self._leave(Leaving(status, with_way_back(self.session, goes_on)))

    def stop(self, status: int = 0) -> None:
        """Has the engine save and end, and leaves when it has; a second call leaves at once."""
        ended = self.session.ended
        if ended is not None or not self.session.connected:
            text = with_way_back(self.session, ended.text if ended else "The engine has gone")
            self._leave(Leaving(status or (ended.status if ended else 1), text))
        elif self._leaving is not None:
            self._leave_it_to_the_engine()
        else:
            self._leaving = Leaving(status, with_way_back(self.session, ""))
            self.session.stop()
            self.say("Saving. This ends when the checkpoint is written; q again leaves at once.")
            asyncio.get_running_loop().call_later(SAVING_TAKES, self._leave_it_to_the_engine)

    def _leave_it_to_the_engine(self) -> None:
        status = self._leaving.status if self._leaving else 0
        self._leave(Leaving(status, with_way_back(self.session, "The engine finishes saving on its own")))

    def _leave(self, leaving: Leaving) -> None:
        if self.left is not None and not self.left.done():
            self.left.set_result(leaving)


def run_speaking(
    connection: socket.socket,
    settings: Settings,
    *,
    attached: bool,
    reason: str = "",
    runs_folder: str | None = None,
) -> Leaving:
    """Speaks on standard output until the user leaves; `reason` is said first."""
    charset = settings.charset
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    if charset != UTF_8:
        sys.stdout.reconfigure(encoding=charset)  # type: ignore[union-attr]

    def write(line: str) -> None:
        with contextlib.suppress(OSError):
            print(line, flush=True)

    speaking = Speaking(write, attached=attached, charset=charset, runs_folder=runs_folder)
    if reason:
        speaking.say(reason)
    return asyncio.run(speaking.run(connection))

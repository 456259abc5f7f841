"""Every message between an engine and its clients, typed; `wire.py` frames them. No torch here.

Losses are nats per character, rates are characters a second, times are seconds.
"""

from __future__ import annotations

import msgspec

from charrnn.config import Knobs, RunConfig
from charrnn.engine.choice_messages import StreamOrder
from charrnn.engine.corpus_messages import CorpusAnswer, CorpusRequest
from charrnn.engine.mark_messages import Marks
from charrnn.engine.questions import Answer, Question
from charrnn.text.baselines import Baselines

PROTOCOL_VERSION = 4


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the user typed. `options` holds only the options that were given, under their config field's name.

    `target` is what stood on the command line ("" for the default corpus); `stdin_file` holds what came by standard
    input when the target was "-", and the engine removes it. `train` False: a run that exists waits until it is asked
    to train on. `linger` is how many minutes its engine stays once training is over and nobody watches (None: as long
    as such a run does). `accept_new_corpus`: a run whose text has changed goes on with the new one. `replay`: the run
    `target` is made again from its record, as a new one.
    """

    target: str = ""
    stdin_file: str | None = None
    run: str | None = None
    runs_folder: str | None = None
    options: dict[str, str | int | float | bool] = {}
    train: bool = True
    linger: float | None = None
    accept_new_corpus: bool = False
    replay: bool = False


# ---- from a client -------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag=True):
    """First on every connection. `stream` False: this client wants no generated text."""

    version: int = PROTOCOL_VERSION
    stream: bool = True


class Start(msgspec.Struct, frozen=True, tag=True):
    """Second on the connection that an engine inherits from the process that launched it: begin this run."""

    request: RunRequest


class SetKnobs(msgspec.Struct, frozen=True, tag=True):
    knobs: Knobs


class SetPace(msgspec.Struct, frozen=True, tag=True):
    """Characters a second that the stream aims for; 0 holds the stream still."""

    pace: float


class RestartStream(msgspec.Struct, frozen=True, tag=True):
    """Begin the stream again: from `prime` (None keeps the present one), under `seed` (None takes a new one)."""

    prime: str | None = None
    seed: int | None = None


class SetLearningRate(msgspec.Struct, frozen=True, tag=True):
    rate: float


class SetCooldown(msgspec.Struct, frozen=True, tag=True):
    """Cool down now, over so many steps (None: a share of the steps done so far), or call the cool-down off."""

    on: bool
    steps: int | None = None


class SetPaused(msgspec.Struct, frozen=True, tag=True):
    paused: bool


class WriteCheckpoint(msgspec.Struct, frozen=True, tag=True):
    pass


class StopRun(msgspec.Struct, frozen=True, tag=True):
    """Checkpoint, stop training, end the engine."""


ClientMessage = (
    Hello
    | Start
    | SetKnobs
    | SetPace
    | RestartStream
    | SetLearningRate
    | SetCooldown
    | SetPaused
    | WriteCheckpoint
    | StopRun
    | CorpusRequest
    | Question
    | StreamOrder
)

# ---- from the engine -----------------------------------------------------------------------------------------


class Welcome(msgspec.Struct, frozen=True, tag=True):
    """First from the engine: which run this is. `folder` is where it lives (or will, once training begins)."""

    run: str
    folder: str
    version: int = PROTOCOL_VERSION


class CorpusInfo(msgspec.Struct, frozen=True, tag=True):
    """The corpus as far as a preview needs it; sent as soon as the text is read, before torch is loaded.

    Places are counted in characters, whatever the tokens are. `symbols` says in a few words what those are ("65
    symbols", "256 bytes").

    `head` is the text's beginning and `held_out_head` the beginning of the held-out part (some thousands of characters
    each at most; the rest is for `corpus_messages`); `held_out_at` is the index of the held-out part's first character,
    equal to `characters` when nothing is held out. `alphabet` is the characters that the model can be given, in order,
    "" where that is every one.
    `note` says how the text was decoded or folded.
    """

    name: str
    characters: int
    symbols: str
    alphabet: str
    held_out_at: int
    head: str
    held_out_head: str
    note: str


class ModelInfo(msgspec.Struct, frozen=True, tag=True):
    """The model once it is built; `summary` is short ("lstm 2×256"), `device` too ("cpu ×2", "cuda")."""

    summary: str
    parameters: int
    device: str
    config: RunConfig


class Reading(msgspec.Struct, frozen=True, array_like=True):
    """What is done to get the corpus ("fetching", "reading", "encoding"), with bytes done and in all, if known."""

    what: str
    done: int
    total: int | None

    def words(self) -> str:
        """As in "fetching the corpus: 1.2 of 4.0 MB"."""
        unit, name = (1e6, "MB") if (self.total or self.done) >= 1e6 else (1e3, "KB")
        of = "" if self.total is None else f" of {self.total / unit:,.1f}"
        return f"{self.what} the corpus: {self.done / unit:,.1f}{of} {name}"


class Status(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The run's and the stream's state as a whole; sent whenever any of it changed, at most some ten times a second.

    `state`: starting, training, paused, saving, restarting (the trainer died, another one starts), stopping, finished,
    failed (SetPaused(False) starts again). `reading` is how far the corpus is, until it is there.
    `characters_per_second` is training's. `learning_rate` is the stable one, `current_rate` what the next step is taken
    with; they differ in a `phase`: "warm-up" or "cool-down", of which `phase_step` of `phase_steps` steps are done.
    "diverged" is the phase of a run that waits because it could not be helped. `prime` is what the stream started from,
    already without characters the model does not know. `sampler_ready` is False until the stream can speak.
    `troubles` are sentences on what is wrong for as long as it is: the disk refuses, the trainer hangs. `watchers` is
    how many clients are attached that want the stream. `held`: a client has the stream stand still.
    """

    state: str
    reading: Reading | None = None
    step: int = 0
    chars: int = 0
    seconds: float = 0.0
    characters_per_second: float = 0.0
    learning_rate: float = 0.0
    current_rate: float = 0.0
    phase: str = ""
    phase_step: int = 0
    phase_steps: int = 0
    best_val_loss: float | None = None
    best_step: int | None = None
    passes: float = 0.0
    steps_target: int | None = None
    knobs: Knobs = Knobs()
    pace: float = 30.0
    prime: str = ""
    seed: int = 1
    sampler_ready: bool = False
    troubles: tuple[str, ...] = ()
    watchers: int = 0
    held: bool = False

    @property
    def phase_text(self) -> str:
        """The phase as it is shown: "warm-up 120/200", "cooling 35 %", "" for none."""
        if self.phase == "warm-up":
            return f"warm-up {self.phase_step:,}/{self.phase_steps:,}"
        if self.phase == "cool-down":
            return f"cooling {100 * self.phase_step // max(1, self.phase_steps)} %"
        return self.phase


def troubles_told(before: tuple[str, ...], now: tuple[str, ...]) -> list[str]:
    """What to say, line by line, when `Status.troubles` has changed: what is wrong now, or that something no longer is.

    A trouble whose sentence alone changed is said anew.
    """
    new = [words for words in now if words not in before]
    gone = [words for words in before if words not in now]
    return new + [f"no longer: {words}" for words in gone[: max(0, len(before) - len(now))]]


class LossPoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of metrics.jsonl. A loss not measured is None; one that was not finite is None with `diverged` set.

    `partial`: training ended before the line's time; the next one takes its place.
    """

    step: int
    chars: int
    seconds: float
    train_loss: float | None
    val_loss: float | None
    learning_rate: float
    diverged: bool = False
    partial: bool = False


class Losses(msgspec.Struct, frozen=True, tag=True):
    """Loss points that this client has not had; `first` is True when they begin the run's history."""

    points: list[LossPoint]
    first: bool = False


class Generated(msgspec.Struct, frozen=True, array_like=True):
    """Characters of the stream that were made in a row under the same knobs.

    `position` counts characters since the engine began, over all restarts; a gap means that older text was
    dropped for a client that did not keep up. `stream` counts restarts, `seed` is that stream's.
    `prime` is True for the characters the stream was started from, False for what the model wrote.
    `step` is the training step of the weights that wrote the first of them.
    `after`: the stream went back, and these characters stand after the one before that position; None: they follow the
    piece before. `surprise` is a byte for each character, as in `questions.choice.SurpriseKnown`, or nothing.
    """

    position: int
    text: str
    knobs: Knobs
    stream: int
    seed: int
    prime: bool
    step: int
    after: int | None = None
    surprise: bytes = b""


class Text(msgspec.Struct, frozen=True, tag=True):
    pieces: list[Generated]


class BaselinesFound(msgspec.Struct, frozen=True, tag=True):
    """What a loss means for the corpus, once it is known; without figures, `problem` says in a few words why."""

    figures: Baselines | None
    problem: str = ""


class Sample(msgspec.Struct, frozen=True, tag=True):
    """The text that a run makes every `sample_every` steps, prime included."""

    step: int
    text: str


class Notice(msgspec.Struct, frozen=True, tag=True):
    """One sentence for the user. `level`: info, warning, error."""

    level: str
    text: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The request cannot be met; nothing was written. The client prints the sentence and exits with `status`."""

    text: str
    status: int = 2


class Ended(msgspec.Struct, frozen=True, tag=True):
    """Last from an engine that ends in order: the run is saved and the process is about to go."""

    text: str
    status: int = 0


EngineMessage = (
    Welcome
    | CorpusInfo
    | ModelInfo
    | BaselinesFound
    | Status
    | Losses
    | Marks
    | Text
    | Sample
    | Notice
    | Refused
    | Ended
    | CorpusAnswer
    | Answer
)

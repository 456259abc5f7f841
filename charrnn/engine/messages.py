"""Every message between an engine and its clients, typed; `wire.py` frames them. No torch here.

Losses are nats per character, rates are characters a second, times are seconds.
"""

from __future__ import annotations

import msgspec

from charrnn.config import Knobs, RunConfig
from charrnn.text.baselines import Baselines

PROTOCOL_VERSION = 1


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the user typed. `options` holds only the options that were given, under their config field's name.

    `target` is what stood on the command line ("" for the default corpus); `stdin_text` is what came by
    standard input when the target was "-". `train` False: a run that exists waits until it is asked to train on.
    """

    target: str = ""
    stdin_text: str | None = None
    run: str | None = None
    runs_folder: str | None = None
    options: dict[str, str | int | float | bool] = {}
    train: bool = True


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


class SetPaused(msgspec.Struct, frozen=True, tag=True):
    paused: bool


class WriteCheckpoint(msgspec.Struct, frozen=True, tag=True):
    pass


class StopRun(msgspec.Struct, frozen=True, tag=True):
    """Checkpoint, stop training, end the engine."""


ClientMessage = (
    Hello | Start | SetKnobs | SetPace | RestartStream | SetLearningRate | SetPaused | WriteCheckpoint | StopRun
)

# ---- from the engine -----------------------------------------------------------------------------------------


class Welcome(msgspec.Struct, frozen=True, tag=True):
    """First from the engine: which run this is. `folder` is where it lives (or will, once training begins)."""

    run: str
    folder: str
    version: int = PROTOCOL_VERSION


class CorpusInfo(msgspec.Struct, frozen=True, tag=True):
    """The corpus as far as a preview needs it; sent as soon as the text is read, before torch is loaded.

    `head` is the text's beginning and `held_out_head` the beginning of the held-out part (a few tens of
    thousands of characters each at most); `held_out_at` is the index of the held-out part's first character,
    equal to `characters` when nothing is held out. `alphabet` is the vocabulary's characters in order.
    `note` says how the text was decoded or folded.
    """

    name: str
    characters: int
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


class Status(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The run's and the stream's state as a whole; sent whenever any of it changed, at most some ten times a second.

    `state`: starting, training, paused, saving, stopping, finished, failed.
    `characters_per_second` is training's. `prime` is what the stream started from, already without characters
    the model does not know. `sampler_ready` is False until the stream can speak.
    """

    state: str
    step: int = 0
    chars: int = 0
    seconds: float = 0.0
    characters_per_second: float = 0.0
    learning_rate: float = 0.0
    best_val_loss: float | None = None
    passes: float = 0.0
    steps_target: int | None = None
    knobs: Knobs = Knobs()
    pace: float = 30.0
    prime: str = ""
    seed: int = 1
    sampler_ready: bool = False


class LossPoint(msgspec.Struct, frozen=True, array_like=True):
    """One line of metrics.jsonl. A loss not measured is None; one that was not finite is None with `diverged` set."""

    step: int
    chars: int
    seconds: float
    train_loss: float | None
    val_loss: float | None
    learning_rate: float
    diverged: bool = False


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
    """

    position: int
    text: str
    knobs: Knobs
    stream: int
    seed: int
    prime: bool
    step: int


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
    Welcome | CorpusInfo | ModelInfo | BaselinesFound | Status | Losses | Text | Sample | Notice | Refused | Ended
)

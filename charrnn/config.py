"""What a run is made of: small frozen dataclasses and the choices each field may take. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Cell = Literal["rnn", "gru", "lstm", "lstmcell", "mingru"]
Optimiser = Literal["adam", "muon"]
Tokens = Literal["char", "printable", "byte", "word"]
SamplingOfText = Literal["stream", "random", "line", "sentence"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
Preset = Literal["auto", "fast", "large", "lecture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """Where the text comes from and how it becomes ids.

    `source` is a built-in corpus's name, an address, an absolute path or glob; `sha256` is the digest of the decoded,
    folded text in UTF-8 (empty until it was read); `encoding` is a codec's name, or "auto"; `validation` is the
    fraction of the text's end that is held out. `max_vocabulary` is the most tokens of a word vocabulary, None for the
    other kinds.
    """

    source: str
    name: str
    sha256: str = ""
    tokens: Tokens = "char"
    max_vocabulary: int | None = None
    ascii: bool = False
    encoding: str = "auto"
    validation: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The network: `embedding` 0 feeds one-hot vectors; `dropout` acts on the output of every layer.

    With `residual`, each layer reads what came before it normalised, and is added to it; `mingru` always does.
    `tie` takes the embedding for the output's weights as well.
    """

    cell: Cell = "lstm"
    hidden: int = 256
    layers: int = 1
    embedding: int = 64
    dropout: float = 0.0
    residual: bool = False
    tie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How it learns. `batch` streams of `length` tokens a step; `clip` is a global gradient norm, 0 for none.

    `noise` is the share of the characters read, not of those predicted, that are replaced by others of the text.

    `evaluate_every` and `sample_every` count steps, 0 for never. `device` is resolved (never "auto") once a run
    has begun; `threads` 0 means all cores. `save_every` counts seconds between checkpoints, 0 for none by time.
    `milestones` is how many earlier weights the run keeps for looking back, 0 for none.

    The learning rate rises to `lr` over `warmup` steps and falls to its end over the last `cooldown` (a share from 0 to
    1) of `steps` or `minutes`. `average` is the decay per step of the averaged weights, 0 for none. After `patience`
    evaluations in a row without a new best the run ends, 0 for never.
    """

    batch: int = 32
    length: int = 64
    sampling_of_text: SamplingOfText = "stream"
    noise: float = 0.0
    optimiser: Optimiser = "adam"
    lr: float = 0.003
    clip: float = 1.0
    weight_decay: float = 0.0
    warmup: int = 0
    cooldown: float = 0.0
    average: float = 0.0
    patience: int = 0
    precision: Precision = "auto"
    seed: int = 1
    steps: int | None = None
    minutes: float | None = None
    device: Device = "auto"
    threads: int = 0
    evaluate_every: int = 100
    sample_every: int = 0
    save_every: float = 60.0
    milestones: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """How the next character is chosen from the logits; each may change between any two characters.

    `top_k` 0, `top_p` 1 and `min_p` 0 switch that filter off. `greedy` takes the likeliest and ignores the rest.
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    greedy: bool = False

    @property
    def in_brief(self) -> str:
        """Those that are not off, in a few characters: "T 0.40 top-k 5"."""
        if self.greedy:
            return "greedy"
        words = [f"T {self.temperature:.2f}"]
        words += [f"top-k {self.top_k}"] if self.top_k else []
        words += [f"top-p {self.top_p:g}"] if self.top_p < 1 else []
        words += [f"min-p {self.min_p:g}"] if self.min_p > 0 else []
        return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamConfig:
    """What the live stream starts with. `prime` "" means a line of the corpus; `pace` is characters a second."""

    prime: str = ""
    seed: int = 1
    pace: float = 30.0
    knobs: Knobs = field(default_factory=Knobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything that is needed to start a run again (RUN/config.toml)."""

    preset: Preset
    corpus: CorpusConfig
    model: ModelConfig
    training: TrainingConfig
    stream: StreamConfig
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)


class UsageError(Exception):
    """The user asked for something that cannot be; its text is one sentence that says what is wrong and what to do.

    The command line prints it and exits with status 2.
    """

"""From what the user gave to what a run is: presets, a settings file, options, in rising order of weight. No torch."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, get_args

import msgspec

from charrnn.config import (
    CorpusConfig,
    Device,
    Knobs,
    ModelConfig,
    Preset,
    RunConfig,
    StreamConfig,
    TrainingConfig,
    UsageError,
)
from charrnn.picks import Value, pick

MAX_VOCABULARY = 20_000

PRESETS: dict[str, str] = {
    "auto": "picks model and batch from the device, the corpus's size and --minutes, and says what and why",
    "fast": "a small gated network (mingru 2×128) that learns most in the first minutes",
    "large": "a larger one (mingru 2×256 on a CPU, 4×512 on a GPU) that learns more in ten minutes and after",
    "lecture": "Raschka's STAT 453 recipe: ASCII, embedding 100, LSTM 128, random portions of 200, Adam 0.005, "
    "5000 steps",
}

_LECTURE: dict[str, Value] = {
    "ascii": True,
    "tokens": "printable",
    "validation": 0.0,
    "cell": "lstm",
    "hidden": 128,
    "layers": 1,
    "embedding": 100,
    "dropout": 0.0,
    "threads": 1,  # one stream is too little work to share: two threads were no faster, and slower beside other work
    "batch": 1,
    "length": 200,
    "sampling_of_text": "random",
    "lr": 0.005,
    "cooldown": 0.0,
    "precision": "float32",
    "clip": 0.0,
    "weight_decay": 0.0,
    "steps": 5000,
    "sample_every": 200,
    "prime": "Th",
    "temperature": 0.8,
}

_SECTIONS: dict[str, type[Any]] = {
    "corpus": CorpusConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "stream": StreamConfig,
    "knobs": Knobs,
}
_RANGES: dict[str, tuple[float, float, str]] = {
    "max_vocabulary": (1, 500_000, "from 1 to 500000"),
    "validation": (0.0, 0.9, "from 0 (hold nothing out) to 0.9"),
    "hidden": (1, 65_536, "at least 1"),
    "layers": (1, 64, "from 1 to 64"),
    "embedding": (0, 65_536, "at least 0 (0 feeds one-hot vectors)"),
    "dropout": (0.0, 0.95, "from 0 to 0.95"),
    "batch": (1, 65_536, "at least 1"),
    "length": (1, 65_535, "from 1 to 65535"),
    "noise": (0.0, 0.9, "from 0 (none) to 0.9"),
    "lr": (1e-12, 1e6, "above 0"),
    "clip": (0.0, math.inf, "at least 0 (0 clips nothing)"),
    "weight_decay": (0.0, math.inf, "at least 0"),
    "sample_length": (0, 2**62, "at least 0"),
    "count": (1, 2**31, "at least 1"),
    "warmup": (0, 2**62, "at least 0 (0 for none)"),
    "cooldown": (0.0, 1.0, "from 0 (none) to 1 (all of it)"),
    "average": (0.0, 0.999999, "from 0 (none) to 0.999999"),
    "patience": (0, 2**62, "at least 0 (0 for never)"),
    "seed": (0, 2**63 - 1, "a whole number from 0"),
    "steps": (1, 2**62, "at least 1"),
    "minutes": (1e-9, math.inf, "above 0"),
    "linger": (0.0, 1e6, "from 0 (end at once) to 1000000 minutes"),
    "threads": (0, 4096, "at least 1"),
    "save_every": (0.0, 1e9, "from 0 (never by time) to 1e9 seconds"),
    "milestones": (0, 1000, "from 0 (none) to 1000"),
    "evaluate_every": (0, 2**62, "at least 0 (0 for never)"),
    "sample_every": (0, 2**62, "at least 0 (0 for never)"),
    "pace": (0.0, 1e6, "from 0 (hold still) to 1000000 characters a second"),
    "temperature": (0.01, 100.0, "from 0.01 to 100"),
    "top_k": (0, 2**31, "at least 0 (0 for off)"),
    "top_p": (1e-9, 1.0, "above 0 and at most 1 (1 for off)"),
    "min_p": (0.0, 1.0, "from 0 (off) to 1"),
}
_FIELDS = {
    f.name: section for section, kind in _SECTIONS.items() for f in fields(kind) if f.name not in ("knobs", "sha256")
}
_FIELDS["seed"] = "training"


def range_problem(name: str, value: Value) -> str | None:
    """What is wrong with the value of one option, in words, or None when it is in its range."""
    if name in _RANGES and not isinstance(value, bool):
        low, high, words = _RANGES[name]
        if not isinstance(value, int | float) or not (math.isfinite(value) and low <= value <= high):
            return f"{value} is out of range, it must be {words}"
    return None


def settings_problem(config: RunConfig) -> str | None:
    """What is wrong with a recorded setting that is out of its range, in words; None where all are in theirs."""
    for part in (config.corpus, config.model, config.training, config.stream, config.stream.knobs):
        for name, value in asdict(part).items():
            problem = range_problem(name, value) if isinstance(value, int | float) else None
            if problem:
                return f"{name} {problem}"
    return None


def _checked(name: str, value: Value) -> Value:
    problem = range_problem(name, value)
    if problem:
        raise UsageError(f"--{name.replace('_', '-')}: {problem}.")
    return value


def read_settings(path: Path) -> dict[str, Value]:
    """Options from a TOML file of the shape of RUN/config.toml; any part may be missing. Raises UsageError."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"The settings file {path} does not exist.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The settings file {path} cannot be read: {error}.") from None
    options: dict[str, Value] = {}
    for key, value in content.items():
        if key in ("versions", "reason"):
            continue
        if key == "preset":
            options["preset"] = value
        elif isinstance(value, dict) and key in _SECTIONS:
            section = dict(value)
            if key == "stream":
                section |= section.pop("knobs", {})
            for name, entry in section.items():
                if name in ("sha256", "source", "name") or (key == "stream" and name == "seed"):
                    continue
                if _FIELDS.get(name) not in (key, "knobs" if key == "stream" else key):
                    raise UsageError(f"The settings file {path} has an unknown setting {name!r} in [{key}].")
                options[name] = _checked(name, entry)
        else:
            raise UsageError(
                f"The settings file {path} has an unknown part {key!r}; [corpus], [model], [training], [stream] and "
                "preset are known."
            )
    return options


def corpus_config(options: Mapping[str, Value], *, source: str, name: str) -> CorpusConfig:
    """The corpus's settings, known before any device is. Raises UsageError."""
    chosen = {**_preset(options), **options}
    built: CorpusConfig = _build(CorpusConfig, {**_only("corpus", chosen), "source": source, "name": name})
    if built.tokens == "word":
        return replace(built, max_vocabulary=built.max_vocabulary or MAX_VOCABULARY)
    if built.max_vocabulary is not None:
        raise UsageError(f"--max-vocabulary is for --tokens word, and these are {built.tokens}; leave one of them out.")
    return built


def resolve(
    options: Mapping[str, Value], *, corpus: CorpusConfig, characters: int, device: Device, cores: int
) -> RunConfig:
    """Everything a run is made of: what the preset says, then what the user said.

    `characters` counts the training part's tokens; `device` is where it will train (never "auto"); `cores` is what the
    machine has. Raises UsageError.
    """
    preset = _preset_name(options)
    if preset == "lecture":
        picked, reason = dict(_LECTURE), ""
    else:
        picked, reason = pick(preset, options, characters=characters, device=device)
    chosen = {**picked, **options}
    for name, value in chosen.items():
        _checked(name, value)
    model = _build(ModelConfig, _only("model", chosen))
    training = _build(TrainingConfig, {**_only("training", chosen), "device": device})
    training = replace(training, threads=training.threads or cores)
    if "evaluate_every" not in chosen:
        held_out = round(characters * corpus.validation / (1 - corpus.validation))
        training = replace(training, evaluate_every=_evaluation_interval(held_out, training))
    if training.steps is not None and "warmup" not in options:
        training = replace(training, warmup=min(training.warmup, training.steps // 10))
    check_training(training, corpus)
    stream = stream_config(options)
    if reason:
        summary = f"{model.cell} {model.layers}×{model.hidden}, {training.batch} streams of {training.length}"
        reason = f"{summary}: {reason}"
    return RunConfig(preset=preset, corpus=corpus, model=model, training=training, stream=stream, reason=reason)


def stream_config(options: Mapping[str, Value], recorded: StreamConfig | None = None) -> StreamConfig:
    """What the live stream starts with: what was recorded, or the preset's, then the user's. Raises UsageError."""
    chosen = {**_preset(options), **options} if recorded is None else options
    before = recorded or StreamConfig(seed=int(chosen.get("seed", 1)))
    values = asdict(before) | _only("stream", chosen)
    values["knobs"] = asdict(before.knobs) | _only("knobs", chosen)
    built: StreamConfig = _build(StreamConfig, values)
    return built


def check_training(training: TrainingConfig, corpus: CorpusConfig) -> None:
    """Raises UsageError for settings that contradict each other."""
    if training.steps is not None and training.warmup and training.warmup >= training.steps:
        raise UsageError(
            f"A warm-up of {training.warmup} steps leaves nothing of --steps {training.steps}; give a shorter --warmup."
        )
    if training.patience and not (corpus.validation and training.evaluate_every):
        missing = "--evaluate-every" if corpus.validation else "--validation"
        raise UsageError(f"--patience counts held-out losses, and none is taken; give {missing} above 0 as well.")


def _evaluation_interval(held_out: int, training: TrainingConfig) -> int:
    """Steps between evaluations so that they cost about a twentieth of training, a forward pass being a third."""
    if held_out == 0:
        return 0
    return max(100, math.ceil(held_out / (training.batch * training.length) / 3 / 0.05))


def _preset_name(options: Mapping[str, Value]) -> Preset:
    name = str(options.get("preset", "auto"))
    for known in get_args(Preset):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise UsageError(f"There is no preset {name!r}; choose from {', '.join(get_args(Preset))}.")


def _preset(options: Mapping[str, Value]) -> dict[str, Value]:
    return _LECTURE if _preset_name(options) == "lecture" else {}


def _only(section: str, options: Mapping[str, Value]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if _FIELDS.get(name) == section}


def _build(kind: type[Any], values: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"A setting does not fit: {error}.") from None

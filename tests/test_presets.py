from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from charrnn.config import UsageError
from charrnn.presets import PRESETS, Value, corpus_config, read_settings, resolve, stream_config


def resolved(options: dict[str, Value], characters: int = 500_000, **changed: object):  # type: ignore[no-untyped-def]
    corpus = corpus_config(options, source="/x", name="x")
    arguments = {"corpus": corpus, "characters": characters, "device": "cpu", "cores": 2, **changed}
    return resolve(options, **arguments)  # type: ignore[arg-type]


def test_the_lecture_is_the_lectures() -> None:
    config = resolved({"preset": "lecture"})
    model, training, corpus = config.model, config.training, config.corpus
    assert (model.cell, model.hidden, model.layers, model.embedding, model.dropout) == ("lstm", 128, 1, 100, 0.0)
    assert (training.batch, training.length, training.sampling_of_text) == (1, 200, "random")
    assert (training.lr, training.clip, training.weight_decay, training.steps) == (0.005, 0.0, 0.0, 5000)
    assert (training.evaluate_every, training.sample_every) == (0, 200)
    assert (training.warmup, training.cooldown, training.average, training.patience) == (0, 0.0, 0.0, 0)
    assert training.precision == "float32"
    assert (corpus.ascii, corpus.tokens, corpus.validation) == (True, "printable", 0.0)
    assert (config.stream.prime, config.stream.knobs.temperature) == ("Th", 0.8)


def test_what_the_user_says_wins_over_the_preset() -> None:
    config = resolved({"preset": "lecture", "hidden": 64, "validation": 0.2, "prime": "Q", "seed": 9})
    assert (config.model.hidden, config.model.embedding) == (64, 100)
    assert (config.corpus.validation, config.stream.prime) == (0.2, "Q")
    assert (config.training.seed, config.stream.seed) == (9, 9)
    assert config.training.evaluate_every > 0


def test_auto_says_what_it_picked_and_fits_a_short_corpus() -> None:
    for characters in (40, 300, 5_000, 500_000, 50_000_000):
        for device in ("cpu", "cuda"):
            config = resolved({}, characters, device=device)
            training = config.training
            assert training.batch * (training.length + 1) <= characters
            assert f"{config.model.layers}×{config.model.hidden}" in config.reason


def test_evaluations_cost_about_the_same_share_however_long_the_held_out_part() -> None:
    few, many = (resolved({}, n).training for n in (500_000, 50_000_000))
    assert many.evaluate_every / few.evaluate_every == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("average", 1.0),
        ("cooldown", 1.5),
        ("warmup", -1),
        ("hidden", 0),
        ("lr", 0.0),
        ("lr", float("nan")),
        ("dropout", 1.0),
        ("temperature", 0.0),
        ("top_p", 1.5),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_range(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: .* it must be"):
        resolved({name: value})


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=", ".join(PRESETS)):
        resolved({"preset": "nonsense"})


def test_a_settings_file_says_the_same_as_options(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    content = {
        "preset": "lecture",
        "model": {"hidden": 32},
        "training": {"lr": 0.01},
        "corpus": {"validation": 0.3},
        "stream": {"prime": "A", "knobs": {"top_k": 5}},
    }
    path.write_text(tomli_w.dumps(content))
    expected = {"preset": "lecture", "hidden": 32, "lr": 0.01, "validation": 0.3, "prime": "A", "top_k": 5}
    assert read_settings(path) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = [", "cannot be read"),
        ("[model]\nhiden = 3", "hiden"),
        ("[modle]\nhidden = 3", "modle"),
        ("[model]\nhidden = -3", "hidden"),
        ("[training]\nhidden = 3", "hidden"),
    ],
)
def test_a_settings_file_with_a_mistake_is_refused_by_its_name(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_settings(path)
    with pytest.raises(UsageError, match="does not exist"):
        read_settings(tmp_path / "none.toml")


def test_a_run_that_has_an_end_cools_down_before_it() -> None:
    assert resolved({}).training.cooldown > 0
    assert resolved({"cooldown": 0.0}).training.cooldown == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"warmup": 500, "steps": 500}, "shorter --warmup"),
        ({"patience": 3, "validation": 0.0}, "give --validation above 0"),
        ({"patience": 3, "evaluate_every": 0}, "give --evaluate-every above 0"),
    ],
)
def test_settings_that_contradict_each_other_are_told(options: dict[str, Value], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        resolved(options)


def test_a_setting_of_the_wrong_kind_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="does not fit"):
        resolved({"cell": "transformer"})


def test_a_recorded_stream_is_kept_but_for_what_the_user_says() -> None:
    recorded = stream_config({"prime": "A", "temperature": 1.5, "pace": 20.0, "seed": 4})
    changed = stream_config({"temperature": 0.5}, recorded)
    assert (changed.prime, changed.pace, changed.seed, changed.knobs.temperature) == ("A", 20.0, 4, 0.5)


def test_a_word_vocabulary_has_a_size_and_others_have_none() -> None:
    assert resolved({"tokens": "word"}).corpus.max_vocabulary == 20_000
    assert resolved({"tokens": "word", "max_vocabulary": 500}).corpus.max_vocabulary == 500
    assert resolved({}).corpus.max_vocabulary is None
    for options in ({"max_vocabulary": 500}, {"preset": "lecture", "max_vocabulary": 500}):
        with pytest.raises(UsageError, match="is for --tokens word"):
            resolved(options)
    with pytest.raises(UsageError, match=r"--max-vocabulary: .* from 1 to 500000"):
        resolved({"tokens": "word", "max_vocabulary": 500_001})

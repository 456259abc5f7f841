"""`charrnn evaluate --per-char`, `--baselines`, `charrnn sample --count`, `--json`: from their words to their lines."""

from __future__ import annotations

import io
import json
import math
import signal
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from charrnn.cli import main
from charrnn.commands import many, measure
from charrnn.commands.train import Reporter
from charrnn.config import CorpusConfig, Knobs, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.engine.messages import BaselinesFound
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.text import measuring
from charrnn.text.baselines import Baselines
from charrnn.text.corpus import load_corpus
from charrnn.text.visible import visible_line

TEXT = "some words are said again and again,\n\tand some are not; " * 200


def made_run(folder: Path, validation: float) -> None:
    """A run with a checkpoint of first weights: what it says is noise, and the same noise every time."""
    text = folder / "words"
    text.write_text(TEXT)
    corpus = CorpusConfig(source=str(text), name="words", validation=validation)
    loaded = load_corpus(corpus)
    config = RunConfig(
        preset="auto",
        corpus=replace(corpus, sha256=loaded.sha256),
        model=ModelConfig(hidden=16, embedding=8),
        training=TrainingConfig(),
        stream=StreamConfig(prime="some"),
    )
    run = RunFolder.create(folder / "runs" / "words-1", config)
    torch.manual_seed(1)
    model = LanguageModel(len(loaded.vocabulary), config.model).state_dict()
    facts = {"symbols": loaded.vocabulary.symbols, "replacement": None}
    save_checkpoint(run.path, step=40, model=model, state={}, val_loss=None, facts=facts)
    run.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with one run, `words-1`."""
    folder = tmp_path_factory.mktemp("trained")
    made_run(folder, validation=0.1)
    return folder / "runs"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def charrnn(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command without a process of its own, which would spend its seconds on loading torch."""

    def call(*words: object) -> Done:
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as wrong_usage:
            status = int(wrong_usage.code or 0)
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return call


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """One thread for networks this small; and a sample that nobody reads must not end the tests."""
    threads, handler = torch.get_num_threads(), signal.getsignal(signal.SIGPIPE)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGPIPE, handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_per_char_is_a_line_for_every_character_but_the_first(charrnn: Command, trained: Path, tmp_path: Path) -> None:
    part = TEXT[:150]
    (tmp_path / "part").write_text(part)
    words = ("evaluate", "words-1", tmp_path / "part", "--runs-folder", trained)
    done = charrnn(*words, "--per-char")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [int(row[0]) for row in rows] == list(range(1, len(part)))
    assert "".join(row[1] for row in rows) == visible_line(part[1:])
    assert all(row[3] != row[1] and 0 < float(row[4]) < 1 for row in rows)
    whole = json.loads(charrnn(*words, "--json").stdout)
    mean = math.fsum(float(row[2]) for row in rows) / len(rows)
    assert mean == pytest.approx(whole["nats_per_char"], abs=1e-5)
    assert f"{whole['nats_per_char']:.4f} nats per character" in done.stderr
    lines = [json.loads(line) for line in charrnn(*words, "--per-char", "--json").stdout.splitlines()]
    assert "".join(line["character"] for line in lines) == part[1:]
    assert [f"{line['nats']:.6g}" for line in lines] == [row[2] for row in rows]
    assert set(lines[0]) == {"index", "character", "nats", "alternative", "alternative_probability"}


def test_per_char_as_a_page(charrnn: Command, trained: Path, tmp_path: Path) -> None:
    part, out = TEXT[:150], tmp_path / "out.html"
    (tmp_path / "part").write_text(part)
    words = ("evaluate", "words-1", tmp_path / "part", "--runs-folder", trained)
    done = charrnn(*words, "--per-char", "--html", out)
    assert (done.returncode, done.stdout) == (0, f"wrote {out}\n"), done.stderr
    mean = json.loads(charrnn(*words, "--json").stdout)["nats_per_char"]
    assert f"{mean:.4f} nats per character" in done.stderr
    page = out.read_text()
    assert "Surprise in part" in page
    assert f"{mean:.4f} nats per character" in page
    out.write_text("another page")
    assert charrnn(*words, "--html", out).returncode == 0  # --per-char is meant; what was there gives way
    assert out.read_text() == page
    for more, said in (
        (("--html", tmp_path / "no" / "out.html"), "There is no folder"),
        (("--html", tmp_path), "is a folder"),
        (("--html", tmp_path / "o", "--json"), "give one of them"),
        (("--html", tmp_path / "o", "--protocol", "window:8"), "leave --protocol out"),
        (("--html", tmp_path / "o", "--baselines"), "give one of them"),
    ):
        done = charrnn(*words, *more)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    assert not (tmp_path / "o").exists()


def test_the_perplexity_of_a_file_is_e_to_its_nats(charrnn: Command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "part").write_text("some are not said")
    found = json.loads(charrnn("evaluate", "words-1", tmp_path / "part", "--json", "--runs-folder", trained).stdout)
    assert found["perplexity"] == pytest.approx(math.exp(found["nats_per_char"]))
    assert found["bits_per_char"] == pytest.approx(found["nats_per_char"] / math.log(2))


def test_baselines_are_measured_once_and_kept_in_the_run_and_in_the_cache(
    charrnn: Command, trained: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("evaluate", "words-1", "--runs-folder", trained, "--baselines")
    figures = json.loads(charrnn(*words, "--json").stdout)["baselines"]
    assert figures["uniform"] == pytest.approx(math.log(len(set(TEXT))))
    assert figures["five_gram"] < figures["bigram"] < figures["unigram"] < figures["uniform"]
    in_run = trained / "words-1" / "baselines.json"
    assert json.loads(in_run.read_text()) == figures
    (in_cache,) = own_cache.glob("charrnn/baselines/*.json")
    assert in_cache.read_text() == in_run.read_text()
    monkeypatch.setattr(measuring, "measure", None)  # from here on nothing is measured
    for place in (in_run, in_cache):
        place.unlink()
        assert f"to beat: uniform {figures['uniform']:.3f}, unigram" in charrnn(*words).stdout
        assert json.loads(place.read_text()) == figures


def test_many_texts_stand_apart_and_each_is_the_one_of_its_seed(charrnn: Command, trained: Path) -> None:
    def sampled(*more: object) -> str:
        done = charrnn("sample", "words-1", "--runs-folder", trained, "--prime", "some", "--length", 80, *more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = sampled("--seed", 7, "--count", 3)
    singles = [sampled("--seed", seed) for seed in (7, 8, 9)]
    assert found == "\n".join(
        f"── text {number} of 3, seed {6 + number} ──\n{text}" for number, text in enumerate(singles, 1)
    )
    assert len(set(singles)) == 3
    lines = [json.loads(line) for line in sampled("--seed", 7, "--count", 3, "--json").splitlines()]
    assert [line["prime"] + line["text"] + "\n" for line in lines] == singles
    assert [line["seed"] for line in lines] == [7, 8, 9]
    (line,) = sampled("--seed", 8, "--json").splitlines()
    assert json.loads(line)["text"] == lines[1]["text"]


def test_many_texts_without_a_seed_say_from_which_they_count(charrnn: Command, trained: Path) -> None:
    done = charrnn("sample", "words-1", "--runs-folder", trained, "--count", 2, "--length", 5)
    first = int(done.stderr.split("seed ")[1].split()[0])
    assert f"seed {first} ──" in done.stdout
    assert f"seed {first + 1} ──" in done.stdout


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_however_many_go_at_once_the_texts_are_the_same(
    batch: int, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(many, "KEPT_AT_MOST", batch * 60)
    options = {"which": "best", "prime": "some", "length": 60, "knobs": Knobs(), "seed": 3}
    many.sample_many(trained / "words-1", **options, count=5, as_json=True)
    texts = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    for seed, text in enumerate(texts, 3):
        measure.sample(trained / "words-1", **(options | {"seed": seed}))
        assert capsys.readouterr().out == f"some{text}\n"


class Counter(io.TextIOBase):
    """A file that keeps nothing but the number of characters written to it, and the memory in use when that began."""

    written = 0
    began_at: int | None = None

    def write(self, text: str) -> int:
        if self.began_at is None and tracemalloc.is_tracing():
            tracemalloc.reset_peak()  # what loading took is over
            self.began_at = tracemalloc.get_traced_memory()[0]
        self.written += len(text)
        return len(text)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_longer_text_takes_no_more_memory(as_json: bool, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Counter()
    monkeypatch.setattr(sys, "stdout", out)

    def peak(length: int) -> int:
        options = {"which": "best", "prime": "some", "length": length, "knobs": Knobs(), "seed": 3}
        out.began_at = None
        if as_json:
            many.sample_many(trained / "words-1", **options, count=1, as_json=True)
        else:
            measure.sample(trained / "words-1", **options)
        assert out.began_at is not None
        return tracemalloc.get_traced_memory()[1] - out.began_at

    tracemalloc.start()
    try:
        peak(600)  # what is loaded and cached once
        little, much = peak(600), peak(5000)
    finally:
        tracemalloc.stop()
    assert out.written > 5000
    assert much < little + 3500


REFUSED = {
    "both": (["evaluate", "words-1", "--per-char", "--baselines"], "one of them"),
    "windows": (["evaluate", "words-1", "--per-char", "--protocol", "window:8"], "leave --protocol out"),
    "baselines of a file": (["evaluate", "words-1", "{tmp}/text", "--baselines"], "leave FILE out"),
    "unknown characters": (["evaluate", "words-1", "{tmp}/text", "--per-char"], "'S'"),
    "one character": (["evaluate", "words-1", "{tmp}/one", "--per-char"], "distinct"),
    "no texts": (["sample", "words-1", "--count", "0"], "at least 1"),
    "half a text": (["sample", "words-1", "--count", "1.5"], "not a whole number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_sentence_and_status_2(
    charrnn: Command, case: str, trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("SOME")
    (tmp_path / "one").write_text("s")
    words, said = REFUSED[case]
    done = charrnn(*(word.format(tmp=tmp_path) for word in words), "--runs-folder", trained)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_run_that_held_nothing_out_has_no_baselines_and_says_so(charrnn: Command, tmp_path: Path) -> None:
    made_run(tmp_path, validation=0.0)
    done = charrnn("evaluate", "words-1", "--baselines", "--runs-folder", tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert "held nothing out" in done.stderr


def test_train_says_once_what_there_is_to_beat(capsys: pytest.CaptureFixture[str]) -> None:
    figures = Baselines(uniform=4.0, unigram=3.0, bigram=2.5, five_gram=1.5, xz=None, training=900, held_out=100)
    reporter = Reporter()
    reporter.tell(BaselinesFound(figures))
    reporter.tell(BaselinesFound(None, "nothing is held out"))
    assert capsys.readouterr().err.splitlines() == [
        "baselines uniform 4.000, unigram 3.000, bigram 2.500, 5-gram 1.500 nats per character",
        "baselines none: nothing is held out",
    ]

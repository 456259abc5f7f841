"""The `charrnn` command as its users meet it: real processes, their output and their exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from charrnn.commands.listing import age_in_words
from charrnn.commands.measure import evaluate, sample
from charrnn.config import Knobs, UsageError
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints

TINY = ["--hidden", "16", "--embedding", "8", "--batch", "4", "--length", "16", "--threads", "1"]


def charrnn(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "charrnn", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200, **options)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with one short run, `words-1`, of 60 steps."""
    folder = tmp_path_factory.mktemp("trained")
    text = folder / "words"
    text.write_text("some words are said again and again, and some are not; " * 200)
    done = charrnn("train", text, *TINY, "--steps", 60, "--evaluate-every", 20, "--runs-folder", folder / "runs")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return folder / "runs"


def test_training_ends_after_its_steps_with_a_checkpoint_and_says_what_it_did(trained: Path) -> None:
    run = trained / "words-1"
    lines = read_metrics(run)
    assert lines[-1]["step"] == 60
    assert [line["step"] for line in lines if "val_loss" in line] == [20, 40, 60]
    assert list_checkpoints(run)[-1].step == 60
    assert {p.name for p in run.iterdir()} >= {"config.toml", "metrics.jsonl", "events.jsonl", "checkpoints"}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(trained: Path) -> None:
    def sample(seed: int) -> str:
        done = charrnn(
            "sample", "words-1", "--runs-folder", trained, "--seed", seed, "--length", 300, "--prime", "some"
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    once = sample(1)
    assert once == sample(1) != sample(2)
    assert once.startswith("some")
    assert len(once) == len("some") + 300 + 1


def test_a_sample_that_nobody_reads_to_the_end_ends_without_a_word(trained: Path) -> None:
    command = [sys.executable, "-m", "charrnn", "sample", "words-1", "--runs-folder", str(trained), "--seed", "1"]
    with subprocess.Popen([*command, "--length", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(30)


def test_unknown_characters_in_a_prime_are_told_and_left_out(trained: Path) -> None:
    done = charrnn("sample", "words-1", "--runs-folder", trained, "--seed", 1, "--prime", "s§o", "--length", 5)
    assert done.returncode == 0
    assert done.stdout.startswith("so")
    assert "'§'" in done.stderr


def test_a_prime_may_come_from_a_file_but_not_twice(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "prime").write_text("words are")
    words = ("sample", "words-1", "--runs-folder", trained, "--seed", 1, "--length", 5)
    assert charrnn(*words, "--prime-file", tmp_path / "prime").stdout.startswith("words are")
    assert charrnn(*words, "--prime-file", tmp_path / "prime", "--prime", "x").returncode == 2
    assert charrnn(*words, "--prime-file", tmp_path / "none").returncode == 2


def test_greedy_text_needs_no_seed_to_be_the_same(trained: Path) -> None:
    words = ("sample", "words-1", "--runs-folder", trained, "--greedy", "--length", 50, "--prime", "so")
    assert charrnn(*words).stdout == charrnn(*words).stdout


def test_evaluate_prints_the_contracts_object_and_the_protocols_differ(trained: Path) -> None:
    def evaluate(*more: object) -> dict[str, object]:
        done = charrnn("evaluate", "words-1", *more, "--json", "--runs-folder", trained)
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    stream, window = evaluate(), evaluate("--protocol", "window:8")
    assert set(stream) == {"nats_per_char", "bits_per_char", "perplexity", "characters", "protocol", "step"}
    assert (stream["protocol"], window["protocol"]) == ("stream", "window:8")
    assert stream["nats_per_char"] != window["nats_per_char"]
    recorded = {line["step"]: line["val_loss"] for line in read_metrics(trained / "words-1") if "val_loss" in line}
    assert stream["nats_per_char"] == pytest.approx(recorded[stream["step"]], abs=1e-3)


def test_evaluate_takes_a_file_and_names_characters_it_cannot_judge(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("some are not said")
    (tmp_path / "unknown").write_text("SOME ARE NOT SAID")
    words = ("--runs-folder", trained)
    assert "over 16 characters" in charrnn("evaluate", "words-1", tmp_path / "known", *words).stdout
    done = charrnn("evaluate", "words-1", tmp_path / "unknown", *words)
    assert done.returncode == 2
    assert "'S'" in done.stderr


MIXED = "Some words – ‘naïve’ ones, 日本語 and 🙂 – are said. Others are said again!\n"


@pytest.mark.parametrize(("tokens", "sampling"), [("byte", "line"), ("word", "sentence")])
def test_every_kind_of_tokens_trains_goes_on_samples_and_is_measured(
    tokens: str, sampling: str, tmp_path: Path, runs_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mixed").write_text(MIXED * 60, encoding="utf-8")
    words = ("--tokens", tokens, "--sampling-of-text", sampling, "--steps", 15, "--evaluate-every", 20)
    done = charrnn("train", tmp_path / "mixed", *TINY, *words)
    assert done.returncode == 0, done.stderr
    assert f"{len(MIXED) * 60:,} characters" in done.stderr
    done = charrnn("train", "mixed-1", "--steps", 20)
    assert done.returncode == 0, done.stderr
    run = runs_folder / "mixed-1"
    last = read_metrics(run)[-1]
    assert last["step"] == 20
    assert (last["chars"] < 20 * 4 * 16) == (tokens == "byte")
    assert last["chars"] != 20 * 4 * 16

    evaluate(run, None, which="last", protocol="stream", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["nats_per_char"] == pytest.approx(last["val_loss"], abs=1e-3)
    assert found["nats_per_token"] * found["tokens"] == pytest.approx(found["nats_per_char"] * found["characters"])
    assert found["unit"] == tokens
    evaluate(run, None, which="last", protocol="window:8", as_json=False)
    assert f"{tokens}s, 8 of them a window" in capsys.readouterr().out

    prime = "Some ‘said’ naïve"
    sample(run, which="last", prime=prime, length=100, knobs=Knobs(), seed=3)
    written = capsys.readouterr().out
    assert written.startswith(prime)
    assert len(written) == len(prime) + 100 + 1


def test_a_checkpoint_of_another_vocabulary_is_one_sentence_and_status_2(tmp_path: Path, runs_folder: Path) -> None:
    (tmp_path / "mixed").write_text(MIXED * 60, encoding="utf-8")
    done = charrnn("train", tmp_path / "mixed", *TINY, "--tokens", "word", "--steps", 3)
    assert done.returncode == 0, done.stderr
    (tmp_path / "greek").write_text("Some words – Ω – are said.")
    run = runs_folder / "mixed-1"
    with pytest.raises(UsageError, match="'Ω'"):
        evaluate(run, str(tmp_path / "greek"), which="last", protocol="stream", as_json=False)
    config = run / "config.toml"
    config.write_text(config.read_text().replace("max_vocabulary = 20000", "max_vocabulary = 40"))
    with pytest.raises(UsageError, match="another vocabulary"):
        evaluate(run, None, which="last", protocol="stream", as_json=False)
    done = charrnn("train", "mixed-1", "--steps", 5)
    assert (done.returncode, done.stdout) == (2, "")
    assert "max_vocabulary" in done.stderr
    assert read_metrics(run)[-1]["step"] == 3


def test_runs_lists_what_there_is_and_an_empty_folder_says_so(trained: Path, tmp_path: Path) -> None:
    head, row = charrnn("runs", "--runs-folder", trained).stdout.splitlines()
    assert head.split() == ["run", "state", "corpus", "step", "best", "age", "size"]
    assert row.split()[:4] == ["words-1", "saved", "words", "60"]
    assert json.loads(charrnn("runs", "--runs-folder", trained, "--json").stdout)["name"] == "words-1"
    empty = charrnn("runs", "--runs-folder", tmp_path)
    assert (empty.stdout, empty.returncode) == ("", 0)
    assert "no runs yet" in empty.stderr


def test_export_writes_a_plot_a_table_and_a_model(trained: Path, tmp_path: Path) -> None:
    for name, head in (("a.pdf", b"%PDF"), ("a.svg", b"<?xml"), ("a.csv", b"step,chars,"), ("a.safetensors", b"")):
        done = charrnn("export", "words-1", "--runs-folder", trained, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / name).read_bytes().startswith(head)
    assert charrnn("export", "words-1", "--runs-folder", trained, "-o", tmp_path / "a.docx").returncode == 2


REFUSED = {
    "missing file": (["train", "{tmp}/none.txt"], "no file"),
    "empty folder": (["train", "{tmp}/hollow"], "folder"),
    "glob without a match": (["train", "{tmp}/*.none"], "No file matches"),
    "damaged archive": (["train", "{tmp}/packed"], "damaged"),
    "unknown encoding": (["train", "{tmp}/good", "--encoding", "klingon"], "klingon"),
    "held-out part too short": (["train", "{tmp}/brief", "--length", "4", "--batch", "1"], "at least 2"),
    "no address": (["train", "https://"], "address"),
    "empty file": (["train", "{tmp}/empty"], "empty"),
    "one repeated character": (["train", "{tmp}/same"], "distinct"),
    "binary file": (["train", "{tmp}/binary"], "binary"),
    "too short": (["train", "{tmp}/short", "--length", "50"], "at least"),
    "unknown option value": (["train", "{tmp}/good", "--cell", "transformer"], "transformer"),
    "number out of range": (["train", "{tmp}/good", "--dropout", "2"], "0.95"),
    "not a number": (["train", "{tmp}/good", "--steps", "many"], "many"),
    "no such device": (["train", "{tmp}/good", "--device", "mps"], "mps"),
    "no room for the characters": (["train", "{tmp}/good", "--tokens", "word", "--max-vocabulary", "3"], "or more"),
    "words that are not asked for": (["train", "{tmp}/good", "--max-vocabulary", "300"], "--tokens word"),
    "no line to begin at": (["train", "{tmp}/line", "--sampling-of-text", "line"], "no line break"),
    "no sentence to begin at": (["train", "{tmp}/line", "--sampling-of-text", "sentence"], "no full stop"),
    "more words than memory": (
        ["train", "{tmp}/many", "--tokens", "word", "--hidden", "65000", "--batch", "65000", "--length", "2000"],
        "GB of memory",
    ),
    "unwritable run folder": (["train", "{tmp}/good", "--runs-folder", "/proc/runs"], "/proc"),
    "run exists": (["train", "{tmp}/good", "--run", "{tmp}/full/"], "not an empty folder"),
    "bad settings file": (["train", "{tmp}/good", "--config", "{tmp}/none.toml"], "does not exist"),
    "no command": ([], "COMMAND"),
    "unknown command": (["fly"], "fly"),
    "sample of no run": (["sample", "nothing"], "no run"),
    "unknown protocol": (["evaluate", "nothing", "--protocol", "x"], "no run"),
    "stop of no run": (["stop", "nothing"], "no run"),
    "stop of nothing": (["stop"], "--all"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_usage_is_one_sentence_and_status_2_and_leaves_nothing_behind(
    case: str, tmp_path: Path, runs_folder: Path
) -> None:
    for name, content in (
        ("empty", b""),
        ("same", b"z" * 5000),
        ("binary", bytes(range(256)) * 20),
        ("short", b"ab"),
        ("line", b"never an end " * 300),
        ("many", b" ".join(b"word%d" % (n % 2000) for n in range(8000))),
        ("brief", b"eleven char"),
        ("packed", b"\x1f\x8b\x08 no more of it"),
        ("good", b"some words and some more words\n" * 300),
    ):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "hollow").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    words, said = REFUSED[case]
    done = charrnn(*(word.format(tmp=tmp_path) for word in words))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("charrnn")]) == 1
    assert done.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_standard_input_is_a_corpus_that_the_run_keeps(tmp_path: Path, runs_folder: Path) -> None:
    text = "from a pipe it came, and in a run it stays\n" * 100
    done = charrnn("train", "-", *TINY, "--steps", 3, input=text)
    assert done.returncode == 0, done.stderr
    assert (runs_folder / "stdin-1" / "corpus.txt").read_text() == text
    assert not list(Path(os.environ["CHARRNN_CACHE"], "piped").iterdir())
    refused = charrnn("train", "-", input=" ")
    assert refused.returncode == 2
    assert "standard input is empty" in refused.stderr
    assert not list(Path(os.environ["CHARRNN_CACHE"], "piped").iterdir())
    again = charrnn("train", "stdin-1", "--steps", 5)
    assert again.returncode == 0, again.stderr
    assert read_metrics(runs_folder / "stdin-1")[-1]["step"] == 5


def test_a_corpus_that_changed_is_not_trained_on(
    tmp_path: Path, runs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "text"
    text.write_text("the first text of all\n" * 100)
    assert charrnn("train", text, *TINY, "--steps", 3).returncode == 0
    text.write_text("the other text of all\n" * 100)
    kept = charrnn("train", "text-1", "--steps", 4)  # its ids are still in the cache
    assert kept.returncode == 0, kept.stderr
    assert "has changed or is gone; the run goes on with the ids that were kept" in kept.stderr
    assert "has changed or is gone" in (runs_folder / "text-1" / "engine.log").read_text()
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "another cache"))
    done = charrnn("train", "text-1", "--steps", 5)
    assert done.returncode == 2
    assert "not the one" in done.stderr
    text.unlink()
    assert "no file" in charrnn("train", "text-1", "--steps", 5).stderr


def test_how_a_text_was_decoded_is_told_and_logged(tmp_path: Path, runs_folder: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes("Grüße aus Köln, schöne Wörter überall. ".encode() * 100 + b"\xff\xfe\xfd")
    done = charrnn("train", text, *TINY, "--steps", 3)
    assert done.returncode == 0, done.stderr
    log = (runs_folder / "text-1" / "engine.log").read_text()
    for told in (done.stderr, log):
        assert "UTF-8 with damage, 3 undecodable bytes shown as �" in told


def test_the_trainer_reads_the_ids_that_were_kept_and_no_copy_of_them(tmp_path: Path, runs_folder: Path) -> None:
    text = tmp_path / "text"
    text.write_text("words and more words, and so on\n" * 1000)
    command = [sys.executable, "-m", "charrnn", "train", str(text), *TINY]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step"):
                break
        (trainer,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        maps = Path(f"/proc/{trainer}/maps").read_text()
        process.terminate()
        process.stderr.read()
    assert f"{os.environ['CHARRNN_CACHE']}/ids/" in maps


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_training_after_a_checkpoint(
    number: signal.Signals, status: int, corpus_file: Path, runs_folder: Path
) -> None:
    command = [sys.executable, "-m", "charrnn", "train", str(corpus_file), *TINY]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        metrics = runs_folder / "sentences-1" / "metrics.jsonl"
        deadline = time.monotonic() + 60
        while not (metrics.exists() and metrics.stat().st_size > 1000):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, number)  # as a terminal does: the whole group gets it
        assert process.wait(30) == status
    run = runs_folder / "sentences-1"
    assert list_checkpoints(run)[-1].step == read_metrics(run)[-1]["step"] > 0


def test_stop_ends_a_live_run_with_a_checkpoint(corpus_file: Path, runs_folder: Path) -> None:
    command = [sys.executable, "-m", "charrnn", "train", str(corpus_file), *TINY]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while "live" not in charrnn("runs").stdout:
            assert time.monotonic() < deadline
        assert charrnn("stop", "--all").returncode == 0
        assert process.wait(30) == 0
    assert list_checkpoints(runs_folder / "sentences-1")
    assert charrnn("stop", "sentences-1").returncode == 2


def test_a_run_draws_samples_for_standard_output_and_the_loss_as_a_pdf(corpus_file: Path, runs_folder: Path) -> None:
    done = charrnn("train", corpus_file, *TINY, "--steps", 20, "--sample-every", 10, "--prime", "The")
    assert done.returncode == 0, done.stderr
    assert [line[:10] for line in done.stdout.splitlines() if line.startswith("── step")] == [
        "── step 10",
        "── step 20",
    ]
    assert done.stdout.count("The") >= 2
    assert (runs_folder / "sentences-1" / "loss.pdf").read_bytes().startswith(b"%PDF")


def test_help_and_presets_are_said_on_standard_output() -> None:
    for words in (["--help"], ["train", "--help"], ["train", "--list-presets"], ["sample", "--help"]):
        done = charrnn(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert "lecture" in done.stdout or "sample" in done.stdout or "temperature" in done.stdout


def test_ages_are_one_short_figure() -> None:
    assert [age_in_words(s) for s in (0, 59, 60, 3600, 200_000)] == ["0 s", "59 s", "1 min", "1 h", "2 d"]


def test_a_run_that_cannot_be_helped_ends_with_a_sentence_and_status_1(trained: Path) -> None:
    run = ["--run", "diverging", "--lr", 10_000, "--clip", 0, "--minutes", 3]
    done = charrnn("train", trained.parent / "words", *TINY, *run, "--runs-folder", trained)
    assert done.returncode == 1, done.stderr
    assert "back to the state of step 0, again and again, so training waits" in done.stderr
    assert "back to the state of step 0" in (trained / "diverging" / "engine.log").read_text()
    events = [json.loads(line) for line in (trained / "diverging" / "events.jsonl").read_text().splitlines()]
    assert [e["value"] for e in events if e["event"] == "learning_rate"] == [5000, 2500, 1250]
    assert [e["value"] for e in events if e["event"] == "went_back"] == [0, 0, 0]


def test_options_that_contradict_each_other_are_one_sentence_and_status_2(trained: Path) -> None:
    for options, words in (
        (["--warmup", 100, "--steps", 100], "give a shorter --warmup."),
        (["--patience", 2, "--validation", 0], "give --validation above 0 as well."),
        (["--average", 1], "from 0 (none) to 0.999999"),
    ):
        done = charrnn("train", trained.parent / "words", *options, "--run", "none", "--runs-folder", trained)
        assert done.returncode == 2
        assert words in done.stderr
        assert not (trained / "none").exists()


def test_the_end_says_which_step_was_best(trained: Path) -> None:
    run = ["--run", "patient", "--lr", 1e-12, "--evaluate-every", 5, "--patience", 2, "--average", 0.9]
    done = charrnn("train", trained.parent / "words", *TINY, *run, "--runs-folder", trained)
    assert done.returncode == 0, done.stderr
    assert "Training has stopped, for the held-out loss no longer falls" in done.stderr
    best = list_checkpoints(trained / "patient")[0].step
    assert f" at step {best:,}, saved in" in done.stderr

"""`charrnn bench` says what this machine does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "charrnn", "bench", *words], capture_output=True, text=True, check=False, timeout=120
    )


def test_every_network_learns_and_writes_some_characters_a_second() -> None:
    done = bench("--seconds", "0.1", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["preset"] for one in found] == ["fast", "large", "lecture"]
    for one in found:
        assert min(one["trained"], one["generated"]) > 100
        assert one["parameters"] > 10_000
        assert one["network"].startswith(("mingru", "lstm"))


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--seconds", "never"], "is no time"), (["--device", "cuda"], "torch finds no cuda"), (["--device", "x"], "x")],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(words: list[str], said: str) -> None:
    import torch

    if words[1] == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = bench("--seconds", "0.1", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr

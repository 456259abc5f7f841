"""What tests of several rooms share: a small text, and a folder for runs that is not the user's."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from charrnn.native.library import Library, library, problem

# Machines are noisy, and a test is no benchmark: no deadline. What the tests' command says is the same everywhere;
# HYPOTHESIS_PROFILE=thorough looks for what nobody has thought of, in other examples every time.
settings.register_profile("charrnn", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "charrnn"))


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "write down what the workbench draws now, instead of comparing it with tests/tui/snapshots"
    parser.addoption("--update-snapshots", action="store_true", help=words)


WORDS = [
    "the",
    "a",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "lazy",
    "dog",
    "while",
    "many",
    "old",
    "ships",
    "sail",
    "home",
    "and",
    "nobody",
    "knows",
    "why",
    "they",
    "left",
]


@pytest.fixture
def small_text() -> str:
    """Some 20,000 characters of made-up sentences, the same every time."""
    chance = random.Random(5)
    sentences = []
    for _ in range(500):
        words = [chance.choice(WORDS) for _ in range(chance.randrange(4, 12))]
        sentences.append(" ".join(words).capitalize() + chance.choice([".", "?", "!"]) + chance.choice(["\n", " "]))
    return "".join(sentences)


@pytest.fixture
def corpus_file(tmp_path: Path, small_text: str) -> Path:
    """The small text as a file."""
    path = tmp_path / "sentences.txt"
    path.write_text(small_text, encoding="utf-8")
    return path


@pytest.fixture
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's runs live; also $CHARRNN_RUNS, and the sockets stay out of the user's folder too."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("CHARRNN_RUNS", str(folder))
    return folder


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Library:
    """The compiled kernels; a test of them is skipped where there is no compiler, and fails where one was refused."""
    monkeypatch.delenv("CHARRNN_NATIVE", raising=False)
    found = library()
    if found is None and "there is no C compiler" in problem():
        pytest.skip(problem())
    assert found is not None, problem()
    return found


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept of corpora, what the workbench remembers and the user's runs stay out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARRNN_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("CHARRNN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("CHARRNN_RUNS", str(tmp_path_factory.mktemp("runs")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's own settings, locale and line are not those of the tests."""
    none = tmp_path_factory.mktemp("settings") / "settings.toml"
    none.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("LC_", "SSH_"))] + ["NO_COLOR", "STY", "TMUX"]:
            patch.delenv(name, raising=False)
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("CHARRNN_SETTINGS", str(none))
        yield

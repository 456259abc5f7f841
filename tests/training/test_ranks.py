"""Two processes over gloo learn what one learns, and their checkpoints are anybody's."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import Cell, UsageError
from charrnn.torchrun import Seat
from charrnn.training.distributed import meeting_of
from charrnn.training.ranks import ALONE, streams_each
from tests.training.ranks_at_work import CASES, MORE, STEPS, alone, loaded, losses, trainer_of

ROOT = Path(__file__).parents[2]
RANKS = 2
CELLS = [cell for cell, _ in CASES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def one(folder: Path) -> dict[Cell, list[float]]:
    """The losses of one process, of `STEPS` steps and `MORE`."""
    return alone(folder)


@pytest.fixture(scope="module")
def told(folder: Path, one: dict[Cell, list[float]]) -> list[dict[str, Any]]:
    """What each of the ranks has to tell."""
    command = [sys.executable, "-W", "error", "-m", "tests.training.ranks_at_work"]
    words = [[*command, str(rank), str(RANKS), str(folder)] for rank in range(RANKS)]
    processes = [subprocess.Popen(w, cwd=ROOT, stderr=subprocess.PIPE, text=True) for w in words]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [json.loads((folder / f"told-{rank}.json").read_text()) for rank in range(RANKS)]


@pytest.mark.parametrize("cell", CELLS)
def test_two_ranks_with_half_the_streams_each_give_the_losses_of_one(
    told: list[dict[str, Any]], one: dict[Cell, list[float]], cell: Cell
) -> None:
    ranks = told[0][cell]
    assert ranks["losses"] == pytest.approx(one[cell][:STEPS], abs=1e-4)
    assert one[cell][0] - one[cell][-1] > 0.5  # there was something to learn
    assert ranks["chars"] == STEPS * 8 * 12


@pytest.mark.parametrize("cell", CELLS)
def test_every_rank_has_the_same_losses_and_weights_bit_for_bit(told: list[dict[str, Any]], cell: Cell) -> None:
    for what in ("losses", "held_out", "more", "weights"):
        assert told[0][cell][what] == told[1][cell][what]


@pytest.mark.parametrize("cell", CELLS)
def test_a_checkpoint_of_two_ranks_goes_on_on_two_and_on_one(
    told: list[dict[str, Any]], one: dict[Cell, list[float]], folder: Path, cell: Cell
) -> None:
    assert told[0][cell]["resumed"] == told[0][cell]["more"]
    for rank in told:
        uncut, resumed = rank[cell]["same"]
        assert uncut == resumed
    resumed = loaded(trainer_of(ALONE, cell, 1), folder / f"{cell}-{RANKS}.safetensors")
    assert losses(resumed, MORE) == pytest.approx(one[cell][STEPS:], abs=2e-4)
    assert told[0][cell]["from_one"] == pytest.approx(one[cell][STEPS:], abs=2e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_each_rank_draws_its_own_dropout_and_draws_the_same_when_it_goes_on(
    told: list[dict[str, Any]], cell: Cell
) -> None:
    assert told[0][cell]["random"] != told[1][cell]["random"]
    assert told[0][cell]["dropout"] == told[0][cell]["dropout_again"]


@pytest.mark.parametrize("cell", CELLS)
def test_a_loss_that_is_not_finite_on_one_rank_changes_no_weight_on_any(told: list[dict[str, Any]], cell: Cell) -> None:
    for rank in told:
        finite, unchanged, finite_next = rank[cell]["not_finite"]
        assert (finite, unchanged, finite_next) == (False, True, True)


def test_words_and_numbers_reach_every_rank(told: list[dict[str, Any]]) -> None:
    for rank in told:
        assert rank["words"] == ["word", "wordword"]
        assert rank["sent"] == 1000
        assert rank["first"] == [None, 1.5]


@pytest.mark.parametrize(("batch", "ranks", "choice"), [(9, 2, "8 or 10"), (1, 4, "4")])
def test_a_batch_that_does_not_come_out_even_is_refused(batch: int, ranks: int, choice: str) -> None:
    with pytest.raises(UsageError, match=f"--batch {choice}\\."):
        streams_each(batch, ranks)


class Board:
    """A store of one process, as torch.distributed's are; ranks are threads here."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def set(self, key: str, value: str) -> None:
        self.said[key] = value

    def get(self, key: str) -> bytes:
        return self.said[key].encode()

    def check(self, keys: list[str]) -> bool:
        return all(key in self.said for key in keys)


def test_ranks_that_come_again_do_not_meet_the_dead() -> None:
    board, meetings = Board(), []
    with ThreadPoolExecutor(3) as pool:
        for _ in range(4):  # all the words of the earlier ones are still there
            met = {name.result(20) for name in [pool.submit(meeting_of, Seat(r, 3), board) for r in (0, 2, 1)]}
            assert len(met) == 1
            meetings += met
    assert len(set(meetings)) == 4

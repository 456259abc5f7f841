"""bfloat16 where it was asked for or pays, and never float16 in its stead."""

from __future__ import annotations

import pytest
import torch

from charrnn.config import Cell, UsageError
from charrnn.training.precision import autocast_dtype, bfloat16_pays

EXACT: list[Cell] = ["rnn", "gru", "lstm", "lstmcell"]
CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


def on_gpu(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)


def test_auto_is_bfloat16_on_a_gpu_that_has_it_for_cells_that_bear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpu(monkeypatch, (9, 0))
    assert autocast_dtype(CUDA, "auto", "mingru") == torch.bfloat16
    assert [autocast_dtype(CUDA, "auto", cell) for cell in EXACT] == [None] * 4
    on_gpu(monkeypatch, (7, 5))
    assert autocast_dtype(CUDA, "auto", "mingru") is None


@pytest.mark.parametrize("tiles", [True, False])
def test_auto_is_bfloat16_on_a_cpu_with_tiles_for_cells_that_bear_it(
    monkeypatch: pytest.MonkeyPatch, tiles: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles, raising=False)
    assert autocast_dtype(CPU, "auto", "mingru") == (torch.bfloat16 if tiles else None)
    assert [autocast_dtype(CPU, "auto", cell) for cell in EXACT] == [None] * 4
    assert bfloat16_pays(CPU) is tiles


def test_what_was_asked_for_is_done_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpu(monkeypatch, (8, 0))
    assert autocast_dtype(CUDA, "float32", "mingru") is None
    assert autocast_dtype(CPU, "bfloat16", "lstm") == torch.bfloat16
    assert autocast_dtype(CUDA, "bfloat16", "lstmcell") == torch.bfloat16
    for device, cell in ((CUDA, "lstm"), (CUDA, "gru"), (MPS, "mingru")):
        with pytest.raises(UsageError, match="float32"):
            autocast_dtype(device, "bfloat16", cell)
    on_gpu(monkeypatch, (7, 0))
    with pytest.raises(UsageError, match="This GPU"):
        autocast_dtype(CUDA, "bfloat16", "mingru")

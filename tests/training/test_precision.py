"""bfloat16 where it was asked for or pays, and never float16 in its stead."""

from __future__ import annotations

import pytest
import torch

from charrnn.config import UsageError
from charrnn.training.precision import autocast_dtype

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


def on_gpu(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)


def test_auto_is_bfloat16_on_a_gpu_that_has_it_for_cells_that_bear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpu(monkeypatch, (9, 0))
    assert autocast_dtype(CUDA, "auto", "mingru") == torch.bfloat16
    assert [autocast_dtype(CUDA, "auto", cell) for cell in ("rnn", "gru", "lstm", "lstmcell")] == [None] * 4
    assert autocast_dtype(CPU, "auto", "mingru") is None
    on_gpu(monkeypatch, (7, 5))
    assert autocast_dtype(CUDA, "auto", "mingru") is None


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

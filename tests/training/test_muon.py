"""Muon's steps are orthogonal, the same whatever the threads, and go on from a saved state."""

import copy

import pytest
import torch
from torch import nn

from charrnn.config import ModelConfig, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.native.library import library
from charrnn.training.muon import Muon, orthogonalised
from charrnn.training.optimiser import make_optimiser


@pytest.mark.parametrize("shape", [(20, 20), (60, 20), (20, 60)])
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    found = orthogonalised(matrix, torch.float32)
    values = torch.linalg.svdvals(found)
    assert values.max() < 1.3
    assert (values > 0.6).double().mean() >= 0.9  # the smallest of a square matrix are slow to come
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert (torch.diag(u.T @ found @ v.T) > 0).all()
    assert torch.allclose(orthogonalised(1000 * matrix, torch.float64).float(), found, atol=1e-3)


def test_nothing_moves_without_a_gradient_and_a_zero_one_is_no_division_by_zero() -> None:
    assert orthogonalised(torch.zeros(4, 6), torch.float32).eq(0).all()
    matrix = nn.Parameter(torch.ones(4, 4))
    optimiser = Muon([matrix], [], [], lr=1.0, weight_decay=0.0, dtype=torch.float32)
    optimiser.step()
    assert matrix.eq(1).all()
    with pytest.raises(ValueError, match="closure"):
        optimiser.step(lambda: 0.0)


def trained(threads: int, steps: int = 4, cut: int | None = None) -> tuple[list[torch.Tensor], int]:
    torch.manual_seed(3)
    model = LanguageModel(11, ModelConfig(cell="mingru", hidden=16, layers=2, embedding=16))
    config = TrainingConfig(optimiser="muon", lr=0.01, weight_decay=0.1, threads=threads)
    optimiser = make_optimiser(model, config)
    generator = torch.Generator().manual_seed(4)
    for step in range(steps):
        if step == cut:
            saved = copy.deepcopy(optimiser.state_dict()["state"])
            optimiser = make_optimiser(model, config)
            optimiser.load_state_dict({"state": saved, "param_groups": optimiser.state_dict()["param_groups"]})
        for parameter in model.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimiser.step()
    return [parameter.detach().clone() for parameter in model.parameters()], sum(
        group["muon"] * len(group["params"]) for group in optimiser.param_groups
    )


def test_threads_and_a_cut_change_no_bit() -> None:
    alone, matrices = trained(1)
    assert matrices == 2 * 4
    for threads, cut in [(2, None), (1, 2), (2, 3)]:
        assert all(torch.equal(a, b) for a, b in zip(alone, trained(threads, cut=cut)[0], strict=True))


def test_one_step_moves_a_matrix_by_the_rate_and_decays_it() -> None:
    torch.manual_seed(5)
    matrix, vector = nn.Parameter(torch.randn(32, 32)), nn.Parameter(torch.randn(32))
    before, vector_before = matrix.detach().clone(), vector.detach().clone()
    optimiser = Muon([matrix], [], [vector], lr=0.01, weight_decay=0.5, dtype=torch.float32)
    matrix.grad, vector.grad = torch.randn(32, 32), torch.ones(32)
    optimiser.step()
    moved = matrix.detach() - before * (1 - 0.01 * 0.5)
    assert moved.square().mean().sqrt().item() == pytest.approx(0.01 * 0.2, rel=0.15)
    assert (vector_before - vector.detach()).mean().item() == pytest.approx(0.01, rel=1e-3)


def test_a_network_without_matrices_inside_is_told() -> None:
    model = LanguageModel(5, ModelConfig(cell="rnn", hidden=2, embedding=0))
    with pytest.raises(UsageError, match="adam"):
        make_optimiser(model, TrainingConfig(optimiser="muon"))


@pytest.mark.parametrize("shape", [(32, 32), (384, 128), (64, 160)])
def test_tile_registers_take_the_same_steps(shape: tuple[int, int]) -> None:
    kernels = library()
    if kernels is None or not kernels.tiles_allowed():
        pytest.skip("no tile registers here")
    torch.manual_seed(2)
    start, gradients = torch.randn(shape), torch.randn(3, *shape)
    moved, momenta = [], []
    for dtype in (torch.bfloat16, torch.float32):
        matrix = nn.Parameter(start.clone())
        optimiser = Muon([matrix], [], [], lr=0.01, weight_decay=0.1, dtype=dtype)
        for gradient in gradients:
            matrix.grad = gradient.clone()
            optimiser.step()
        moved.append(matrix.detach() - start)
        momenta.append(optimiser.state[matrix]["exp_avg"])
    assert (moved[0] - moved[1]).norm() < 0.015 * moved[1].norm()
    assert torch.allclose(momenta[0], momenta[1], atol=1e-6)

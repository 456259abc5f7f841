"""Noise touches its share of what is read, nothing of what is predicted, and goes on exactly where it was cut."""

from dataclasses import replace

import numpy as np
import torch

from charrnn.config import TrainingConfig
from charrnn.text.batches import ALL, make_batches
from charrnn.text.noise import NoisyBatches

IDS = np.random.default_rng(1).integers(0, 50, 5000).astype(np.uint8)
CONFIG = TrainingConfig(batch=8, length=100)


def noisy(noise: float, share: slice = ALL) -> NoisyBatches:
    return NoisyBatches(make_batches(IDS, CONFIG, share=share), IDS, replace(CONFIG, noise=noise), share)


def test_a_share_of_the_inputs_is_replaced_and_no_target() -> None:
    clean, batches = make_batches(IDS, CONFIG), noisy(0.2)
    changed = []
    for _ in range(10):
        wanted, found = clean.next(), batches.next()
        assert torch.equal(found.targets, wanted.targets)
        assert found.fresh == wanted.fresh
        changed.append((found.inputs != wanted.inputs).double().mean().item())
    assert abs(np.mean(changed) - 0.2 * 49 / 50) < 0.03
    assert batches.passes == clean.passes


def test_what_replaces_is_of_the_text() -> None:
    ids = np.full(1000, 7, dtype=np.uint8)
    batches = NoisyBatches(make_batches(ids, CONFIG), ids, replace(CONFIG, noise=0.5))
    assert batches.next().inputs.eq(7).all()


def test_it_goes_on_from_its_state() -> None:
    batches = noisy(0.3)
    batches.next()
    state = batches.state()
    wanted = [batches.next().inputs for _ in range(3)]
    again = noisy(0.3)
    again.load_state(state)
    assert all(torch.equal(again.next().inputs, inputs) for inputs in wanted)


def test_a_state_from_before_there_was_noise_is_taken() -> None:
    plain = make_batches(IDS, CONFIG)
    plain.next()
    again = noisy(0.3)
    again.load_state(plain.state())
    assert torch.equal(again.next().targets, plain.next().targets)


def test_processes_that_share_the_streams_read_what_one_alone_would() -> None:
    alone, first, second = noisy(0.3), noisy(0.3, slice(0, 4)), noisy(0.3, slice(4, 8))
    for _ in range(3):
        shared = [batches.next().inputs for batches in (first, second)]
        assert torch.equal(alone.next().inputs, torch.cat(shared, 1))

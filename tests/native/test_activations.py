"""The kernels' own tanh, logistic function and exponential."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from charrnn.native.library import Library


def activations(kernels: Library, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """tanh, logistic function and exp of x (count,)."""
    results = [np.empty_like(x) for _ in range(3)]
    kernels.activations(x.ctypes.data, *(result.ctypes.data for result in results), len(x))
    return results


def test_they_are_right_to_seven_digits(kernels: Library) -> None:
    small = np.logspace(-12, 0, 20_001)
    x = np.concatenate([np.linspace(-30, 30, 200_003), small, -small]).astype(np.float32)
    exact = x.astype(np.float64)
    tanh, logistic, exp = activations(kernels, x)
    assert np.abs(tanh - np.tanh(exact)).max() < 4e-7
    assert np.abs(tanh).max() <= 1
    near = np.abs(exact) < 1
    assert np.abs(tanh / np.where(exact == 0, 1, np.tanh(exact)) - 1)[near & (exact != 0)].max() < 4e-7
    assert np.abs(logistic - 1 / (1 + np.exp(-exact))).max() < 4e-7
    assert np.abs(exp / np.exp(exact) - 1).max() < 4e-7


def test_any_count_of_numbers(kernels: Library) -> None:
    for count in range(1, 40):
        x = np.linspace(-3, 3, count).astype(np.float32)
        assert np.allclose(activations(kernels, x)[0], np.tanh(x), atol=1e-6)


def test_the_ends_of_the_line_and_what_is_not_a_number(kernels: Library) -> None:
    tanh, logistic, exp = activations(kernels, np.array([np.inf, -np.inf, np.nan, -100, 88], dtype=np.float32))
    assert np.allclose(tanh, [1, -1, np.nan, -1, 1], atol=4e-7, equal_nan=True)
    assert np.allclose(logistic, [1, 0, np.nan, 0, 1], atol=4e-7, equal_nan=True)
    assert np.isnan(exp[2])
    assert exp[3] == 0
    assert exp[4] / np.exp(88.0) - 1 < 1e-6

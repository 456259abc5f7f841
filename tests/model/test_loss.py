"""The loss and its gradient in one pass, against PyTorch's in float64."""

import pytest
import torch
from torch.nn import functional
from torch.testing import assert_close

from charrnn.model.loss import cross_entropy

pytestmark = pytest.mark.usefixtures("kernels")


@pytest.mark.parametrize("symbols", [1, 3, 16, 65, 100, 257])
@pytest.mark.parametrize("spread", [0.1, 5, 200])
def test_loss_and_gradient_are_pytorchs(symbols: int, spread: float) -> None:
    torch.manual_seed(symbols)
    logits = (torch.randn(9, 4, symbols) * spread).requires_grad_()
    targets = torch.randint(symbols, (9, 4))
    exact = logits.detach().double().requires_grad_()
    found, wanted = cross_entropy(logits, targets), functional.cross_entropy(exact.flatten(0, 1), targets.flatten())
    assert_close(found.double(), wanted, atol=1e-6, rtol=1e-6)
    (found * 3).backward()
    (wanted * 3).backward()
    assert logits.grad is not None
    assert exact.grad is not None
    assert_close(logits.grad.double(), exact.grad, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_what_is_not_finite_shows(wrong: float) -> None:
    for place in (0, 17, 20):
        logits = torch.zeros(2, 21)
        logits[1, place] = wrong
        assert cross_entropy(logits, torch.zeros(2, dtype=torch.int64)).isnan()


def test_a_target_that_is_no_symbol_is_told() -> None:
    with pytest.raises(ValueError, match="5 symbols"):
        cross_entropy(torch.zeros(2, 5), torch.tensor([0, 5]))


def test_without_kernels_it_is_pytorchs(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, targets = torch.randn(6, 5), torch.randint(5, (6,))
    found = cross_entropy(logits, targets)
    monkeypatch.setenv("CHARRNN_NATIVE", "0")
    assert_close(cross_entropy(logits, targets), found)

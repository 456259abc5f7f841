"""The linear recurrence: both forms give what a loop gives, and so do its gradients."""

import pytest
import torch
from torch.testing import assert_close

from charrnn.model.scan import doubling, linear_recurrence, step_by_step

FORMS = [step_by_step, doubling]


@pytest.mark.parametrize("time", [1, 2, 3, 7, 64, 200])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_the_loop(form: object, time: int) -> None:
    torch.manual_seed(time)
    a, b, h = torch.rand(time, 2, 3).double(), torch.randn(time, 2, 3).double(), torch.randn(2, 3).double()
    wanted = []
    held = h
    for t in range(time):
        held = a[t] * held + b[t]
        wanted.append(held)
    assert_close(form(a, b, h), torch.stack(wanted), atol=1e-12, rtol=1e-12)  # type: ignore[operator]


@pytest.mark.parametrize("form", FORMS)
def test_factors_of_nothing_of_one_and_below_nothing_are_as_good_as_any(form: object) -> None:
    a = torch.tensor([0.0, 1.0, -1.0, 0.0, 1e-30, 1.0])[:, None]
    b = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])[:, None]
    found = form(a, b, torch.full((1,), 1e30))  # type: ignore[operator]
    assert found.flatten().tolist() == [1.0, 3.0, 0.0, 4.0, 5.0, 11.0]


@pytest.mark.parametrize("form", ["step_by_step", "doubling"])
def test_gradients_are_those_of_finite_differences(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charrnn.model.scan._scan", {"step_by_step": step_by_step, "doubling": doubling}[form])
    torch.manual_seed(1)
    arguments = [torch.rand(5, 2, 3), torch.randn(5, 2, 3), torch.randn(2, 3)]
    assert torch.autograd.gradcheck(linear_recurrence, [tensor.double().requires_grad_() for tensor in arguments])


def test_it_starts_from_zeros_and_counts_in_float32_at_least() -> None:
    a, b = torch.rand(4, 2).bfloat16(), torch.randn(4, 2).bfloat16()
    found = linear_recurrence(a, b)
    assert found.dtype == torch.float32
    assert torch.equal(found[0], b[0].float())
    assert linear_recurrence(a.double(), b.double()).dtype == torch.float64


def test_it_is_carried_on() -> None:
    torch.manual_seed(2)
    a, b = torch.rand(6, 2), torch.randn(6, 2)
    whole = linear_recurrence(a, b)
    first = linear_recurrence(a[:4], b[:4])
    assert_close(linear_recurrence(a[4:], b[4:], first[-1]), whole[4:])

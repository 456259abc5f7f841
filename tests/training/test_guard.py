"""When steps go wrong, the run goes back to where all was well, at a lower rate; always the same way."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from charrnn.text.vocabulary import Ids
from charrnn.training import guard as guards
from charrnn.training.guard import Guard, Return
from charrnn.training.trainer import Trainer
from tests.training.test_trainer import BRIEF, SMALL, same, trainer_of, weights


@contextmanager
def broken(trainer: Trainer) -> Iterator[None]:
    """No loss inside is a number."""
    hook = trainer.model.register_forward_hook(lambda _, __, out: (out[0] * math.nan, out[1]))
    yield
    hook.remove()


def steps(trainer: Trainer, guard: Guard, most: int) -> Return | None:
    """Until the guard acts, or so many steps were taken."""
    for _ in range(most):
        back = guard.watch(trainer.step())
        if back is not None:
            return back
    return None


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "EVERY", 20)


def test_while_all_is_well_the_guard_changes_nothing(ids: Ids) -> None:
    plain, guarded = trainer_of(ids, replace(SMALL, dropout=0.2)), trainer_of(ids, replace(SMALL, dropout=0.2))
    torch.manual_seed(5)
    results = [plain.step() for _ in range(50)]
    torch.manual_seed(5)
    guard = Guard(guarded)
    for result in results:
        taken = guarded.step()
        assert guard.watch(taken) is None
        assert taken == result
    assert same(weights(plain), weights(guarded))


def test_one_skipped_step_is_let_pass(ids: Ids) -> None:
    trainer = trainer_of(ids)
    guard = Guard(trainer)
    assert steps(trainer, guard, 30) is None
    with broken(trainer):
        assert steps(trainer, guard, guards.IN_A_ROW - 1) is None
    assert steps(trainer, guard, 30) is None
    assert trainer.stable_rate == BRIEF.lr


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_skipped_steps_in_a_row_lead_back_to_an_earlier_state_at_half_the_rate(ids: Ids, average: float) -> None:
    trainer = trainer_of(ids, training=replace(BRIEF, average=average))
    guard = Guard(trainer)
    states = {}
    for _ in range(63):
        assert guard.watch(trainer.step()) is None
        states[trainer.steps_done] = weights(trainer), list(trainer.evaluated_model.state_dict().values())
        states[trainer.steps_done] = tuple([t.clone() for t in part] for part in states[trainer.steps_done])
    with broken(trainer):
        back = steps(trainer, guard, 100)
    assert back == Return(63 + guards.IN_A_ROW, 40, BRIEF.lr / 2, exploded=False, stuck=False)
    assert same(weights(trainer), states[40][0])
    assert same(list(trainer.evaluated_model.state_dict().values()), states[40][1])
    assert trainer.steps_done == 63 + guards.IN_A_ROW  # the lost steps were taken all the same
    assert trainer.learning_rate == BRIEF.lr / 2
    assert trainer.step().finite


def test_the_newest_state_is_not_trusted_if_it_is_too_new(ids: Ids) -> None:
    trainer = trainer_of(ids)
    guard = Guard(trainer)
    assert steps(trainer, guard, 42) is None  # the newest snapshot is of step 40
    with broken(trainer):
        back = steps(trainer, guard, 100)
    assert back is not None
    assert back.to == 20


def test_steps_skipped_now_and_then_are_too_many_in_the_end(ids: Ids) -> None:
    trainer = trainer_of(ids)
    guard = Guard(trainer)
    for count in range(1, guards.OF_LATE + 1):
        assert steps(trainer, guard, 4) is None
        with broken(trainer):
            back = steps(trainer, guard, 1)
        assert (back is not None) == (count == guards.OF_LATE)


def test_a_loss_that_explodes_and_stays_finite_leads_back_too(ids: Ids) -> None:
    trainer = trainer_of(ids)
    guard = Guard(trainer)
    assert steps(trainer, guard, 28) is None
    returns = [guard.watch(replace(trainer.step(), loss=50.0)) for _ in range(guards.EXPLODED_FOR)]
    assert returns[:-1] == [None] * (guards.EXPLODED_FOR - 1)
    back = returns[-1]
    assert back is not None
    assert back.exploded
    assert back.to == 0  # that of step 20 is too near the first bad step


def test_a_rate_no_network_bears_is_halved_until_somebody_has_to_decide(ids: Ids) -> None:
    trainer = trainer_of(ids, training=replace(BRIEF, lr=1e4, clip=0.0))
    guard = Guard(trainer)
    returns = [steps(trainer, guard, 200) for _ in range(guards.PATIENCE)]
    assert [back and (back.to, back.rate, back.stuck) for back in returns] == [
        (0, 5e3, False),
        (0, 2.5e3, False),
        (0, 1.25e3, True),
    ]
    again = steps(trainer, guard, 200)
    assert again is not None
    assert not again.stuck  # somebody decided to go on: it tries again


def test_a_rate_that_was_raised_too_far_falls_back_to_what_it_was(ids: Ids) -> None:
    trainer = trainer_of(ids)
    guard = Guard(trainer)
    assert steps(trainer, guard, 45) is None
    trainer.set_learning_rate(1e4)
    back = steps(trainer, guard, 200)
    assert back is not None
    assert back.rate == BRIEF.lr
    assert steps(trainer, guard, 100) is None
    assert trainer.step().loss < 3


def test_a_return_goes_the_same_way_every_time(ids: Ids) -> None:
    runs = []
    for _ in range(2):
        trainer = trainer_of(ids, replace(SMALL, dropout=0.2))
        guard = Guard(trainer)
        steps(trainer, guard, 50)
        with broken(trainer):
            steps(trainer, guard, 10)
        steps(trainer, guard, 10)
        runs.append(weights(trainer))
    assert same(*runs)

"""The next character is chosen as a plain float64 reference would."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.native.library import Library
from charrnn.sampling.choose import Chooser, choose, draw, probabilities
from tests.thorough import examples

ANY_LOGITS = st.lists(st.floats(width=32), min_size=1, max_size=30)
USUAL_LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=30)
ANY_KNOBS = st.builds(
    Knobs,
    temperature=st.floats(),
    top_k=st.integers(-2, 40),
    top_p=st.floats(),
    min_p=st.floats(),
    greedy=st.booleans(),
)
USUAL_KNOBS = st.builds(
    Knobs,
    temperature=st.floats(0.1, 5),
    top_k=st.integers(0, 35),
    top_p=st.floats(0, 1),
    min_p=st.floats(0, 1),
)


def scaled(chances: dict[int, float]) -> dict[int, float]:
    total = math.fsum(chances.values())
    return {i: chance / total for i, chance in chances.items()}


def reference(logits: list[float], knobs: Knobs) -> dict[int, float]:
    """The characters that are left and their probabilities: the definitions, one after the other."""
    top = max(logits)
    chances = scaled({i: math.exp((logit - top) / knobs.temperature) for i, logit in enumerate(logits)})
    order = sorted(chances, key=lambda i: (-chances[i], i))
    if knobs.top_k:
        chances = scaled({i: chances[i] for i in order[: knobs.top_k]})
    if knobs.top_p < 1:
        kept, so_far = {}, 0.0
        for i in order[: len(chances)]:
            if kept and so_far >= knobs.top_p:
                break
            kept[i] = chances[i]
            so_far += chances[i]
        chances = scaled(kept)
    likeliest = max(chances.values())
    return scaled({i: chance for i, chance in chances.items() if chance >= knobs.min_p * likeliest})


def on_an_edge(logits: list[float], knobs: Knobs) -> bool:
    """Whether rounding alone decides if a character is left out."""
    apart = 1e-9
    ordered = sorted(logits)
    if any(0 < b - a < 1e-12 for a, b in pairwise(ordered)):  # equal chances, or not
        return True
    neighbours = [
        Knobs(temperature=knobs.temperature, top_k=knobs.top_k, top_p=knobs.top_p + p, min_p=max(0, knobs.min_p + m))
        for p in (-apart, apart)
        for m in (-apart, apart)
    ]
    return len({frozenset(reference(logits, near)) for near in neighbours}) > 1


@examples(400)
@given(USUAL_LOGITS, USUAL_KNOBS)
@example([1.0, 1.0, 1.0, 1.0], Knobs(temperature=1, top_k=2))
@example([3.0, 2.0, 1.0], Knobs(temperature=1, top_p=0.0))
@example([3.0, 2.0, 1.0], Knobs(temperature=1, top_p=0.7, min_p=0.3))
def test_any_usual_logits_and_knobs_agree_with_the_reference(logits: list[float], knobs: Knobs) -> None:
    if on_an_edge(logits, knobs):
        return
    found = probabilities(torch.tensor(logits, dtype=torch.float64), knobs)
    wanted = reference(logits, knobs)
    assert [i for i, chance in enumerate(found.tolist()) if chance > 0] == sorted(
        i for i, chance in wanted.items() if chance > 0
    )
    for i, chance in wanted.items():
        assert found[i].item() == pytest.approx(chance, rel=1e-9, abs=1e-300)


@examples(400)
@given(ANY_LOGITS, ANY_KNOBS)
@example([math.nan], Knobs())
@example([math.inf, math.inf, 0.0], Knobs())
@example([-math.inf, -math.inf], Knobs(greedy=True))
@example([3e38, -3e38], Knobs(temperature=1e-320))
def test_any_logits_and_any_knobs_give_probabilities_and_a_choice_among_them(logits: list[float], knobs: Knobs) -> None:
    chances = probabilities(torch.tensor(logits), knobs)
    assert chances.shape == (len(logits),)
    assert torch.isfinite(chances).all()
    assert (chances >= 0).all()
    assert chances.sum().item() == pytest.approx(1, abs=1e-12)
    chosen = choose(torch.tensor(logits), knobs, torch.Generator().manual_seed(0))
    assert chances[chosen] > 0
    possible = [i for i, logit in enumerate(logits) if not math.isnan(logit) and logit > -math.inf]
    assert chosen in possible or not possible


def test_the_order_is_temperature_top_k_top_p_min_p() -> None:
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64).log()
    # Of the two that top-k leaves the likelier has 4/7 > 0.55: alone it reaches top-p, which of all four it does not.
    both = probabilities(logits, Knobs(temperature=1, top_k=2, top_p=0.55))
    assert both.tolist() == [1, 0, 0, 0]
    assert (probabilities(logits, Knobs(temperature=1, top_p=0.55)) > 0).sum() == 2
    # At temperature 2 the third is over half as likely as the first, at temperature 1 only half at most.
    assert (probabilities(logits, Knobs(temperature=2, min_p=0.6)) > 0).sum() == 3
    assert (probabilities(logits, Knobs(temperature=1, min_p=0.6)) > 0).sum() == 2


def test_greedy_takes_the_first_of_the_likeliest_and_needs_no_luck() -> None:
    generator = torch.Generator().manual_seed(1)
    before = generator.get_state()
    assert choose(torch.tensor([1.0, 3.0, 3.0]), Knobs(greedy=True), generator) == 1
    assert torch.equal(generator.get_state(), before)


def test_temperature_zero_shares_among_the_likeliest() -> None:
    assert probabilities(torch.tensor([1.0, 3.0, 3.0]), Knobs(temperature=0)).tolist() == [0, 0.5, 0.5]
    assert probabilities(torch.tensor([1.0, 3.0, 3.0]), Knobs(temperature=math.inf)).tolist() == pytest.approx(
        [1 / 3] * 3
    )


def test_what_is_not_a_number_is_impossible() -> None:
    assert probabilities(torch.tensor([math.nan, 0.0, -math.inf]), Knobs()).tolist() == [0, 1, 0]
    assert probabilities(torch.tensor([math.inf, 0.0, math.nan]), Knobs()).tolist() == [1, 0, 0]
    assert probabilities(torch.tensor([math.nan, -math.inf]), Knobs()).tolist() == [0.5, 0.5]


def test_choices_come_as_often_as_their_probabilities_say() -> None:
    logits, knobs = torch.tensor([0.0, 1.0, 2.0, -1.0]), Knobs(temperature=1.3, top_k=3)
    generator = torch.Generator().manual_seed(5)
    draws = 20_000
    times = torch.bincount(torch.tensor([choose(logits, knobs, generator) for _ in range(draws)]), minlength=4)
    wanted = torch.tensor([reference(logits.tolist(), knobs).get(i, 0.0) for i in range(4)])
    assert times[3] == 0
    assert ((times / draws - wanted).abs() < 5 * (wanted * (1 - wanted) / draws).sqrt() + 1e-12).all()


def test_a_choice_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    choose(torch.zeros(5), Knobs(), torch.Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_chooser_draws_what_is_drawn_without_kernels(kernels: Library) -> None:
    for seed in range(300):
        torch.manual_seed(seed)
        logits = torch.randn(1 + seed % 60) * 4
        knobs = Knobs(
            temperature=0.2 + seed % 7, min_p=0.1 * (seed % 3), top_k=5 * (seed % 2), top_p=1 - 0.1 * (seed % 5)
        )
        both = [torch.Generator().manual_seed(seed) for _ in range(2)]
        chances = probabilities(logits, knobs)
        found = Chooser(len(logits)).choose(logits, knobs, both[0])
        assert found.symbol == draw(chances, knobs, both[1])
        assert found.probability == pytest.approx(chances[found.symbol].item(), rel=1e-12)
        assert found.finite
        assert torch.equal(both[0].get_state(), both[1].get_state())


@examples(300)
@given(ANY_LOGITS, ANY_KNOBS)
def test_a_chooser_takes_any_logits_and_knobs(logits: list[float], knobs: Knobs) -> None:
    generators = [torch.Generator().manual_seed(3) for _ in range(2)]
    found = Chooser(len(logits)).choose(torch.tensor(logits), knobs, generators[0])
    assert found.symbol == choose(torch.tensor(logits), knobs, generators[1])
    assert found.finite == all(map(math.isfinite, logits))
    assert 0 < found.probability <= 1 + 1e-12

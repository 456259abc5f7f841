"""Batches hold exactly the text, in order, and can be taken up again anywhere."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from charrnn.config import SamplingOfText, Tokens, TrainingConfig, UsageError
from charrnn.text.batches import (
    Batch,
    Batches,
    PortionsFrom,
    RandomPortions,
    StreamBatches,
    least_characters,
    make_batches,
)
from charrnn.text.vocabulary import Characters, vocabulary_of

KINDS = [StreamBatches, RandomPortions]
SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(0, 60), st.integers(0, 3))


def numbered(characters: int) -> np.ndarray:
    """Ids that say where they stand."""
    return np.arange(characters, dtype=np.uint32)


def one_pass(batches: Batches) -> list[Batch]:
    taken = [batches.next()]
    while batches.passes % 1 > 1e-9:
        taken.append(batches.next())
    return taken


@given(SHAPES)
def test_in_any_pass_every_next_character_is_a_target_and_few_are_twice(shape: tuple[int, int, int, int]) -> None:
    batch, length, more, seed = shape
    characters = least_characters(batch, length, "stream") + more
    batches = StreamBatches(numbered(characters), batch, length, seed)
    for _ in range(3):
        times = Counter(torch.cat([taken.targets.flatten() for taken in one_pass(batches)]).tolist())
        assert set(times) == set(range(1, characters))
        assert max(times.values()) <= 2
        assert sum(times.values()) - (characters - 1) < batch * length


def test_a_text_that_divides_evenly_is_met_exactly_once() -> None:
    batches = StreamBatches(numbered(3 * 5 * 4 + 1), 3, 5, seed=0)
    targets = torch.cat([taken.targets.flatten() for taken in one_pass(batches)])
    assert sorted(targets.tolist()) == list(range(1, 61))


@given(SHAPES, st.sampled_from(KINDS))
def test_any_target_is_the_character_after_its_input(
    shape: tuple[int, int, int, int], kind: type[StreamBatches] | type[RandomPortions]
) -> None:
    batch, length, more, seed = shape
    batches = kind(numbered(batch * length + 1 + more), batch, length, seed)
    for _ in range(10):
        taken = batches.next()
        assert taken.inputs.shape == taken.targets.shape == (length, batch)
        assert taken.inputs.dtype == taken.targets.dtype == torch.int64
        assert torch.equal(taken.targets, taken.inputs + 1)


@given(SHAPES)
def test_any_stream_goes_on_where_it_was_until_the_batch_is_fresh(shape: tuple[int, int, int, int]) -> None:
    batch, length, more, seed = shape
    pairs = batch * length + more
    batches = StreamBatches(numbered(pairs + 1), batch, length, seed)
    before = batches.next()
    assert before.fresh
    for _ in range(10):
        new_pass = batches.passes % 1 < 1e-9
        taken = batches.next()
        assert taken.fresh == new_pass
        if not taken.fresh:
            assert torch.equal(taken.inputs[0], before.targets[-1] % pairs)
        assert torch.equal(taken.inputs[1:] % pairs, taken.targets[:-1] % pairs)
        before = taken


def test_each_pass_begins_somewhere_else() -> None:
    batches = StreamBatches(numbered(1001), 2, 10, seed=1)
    beginnings = {one_pass(batches)[0].inputs[0, 0].item() for _ in range(10)}
    assert len(beginnings) > 5


def test_random_portions_are_always_fresh_and_begin_anywhere_alike() -> None:
    batches = RandomPortions(numbered(14), batch=100, length=4, seed=1)
    taken = [batches.next() for _ in range(100)]
    assert all(batch.fresh for batch in taken)
    times = torch.bincount(torch.cat([batch.inputs[0] for batch in taken]), minlength=10)
    assert len(times) == 10  # 0 … 9: the last portion's last target is the last character
    assert (times - 1000).abs().max() < 150  # five standard deviations
    assert batches.passes == pytest.approx(100 * 100 * 4 / 13)


@given(SHAPES, st.sampled_from(KINDS), st.integers(0, 20))
def test_any_place_can_be_taken_up_again(
    shape: tuple[int, int, int, int], kind: type[StreamBatches] | type[RandomPortions], steps: int
) -> None:
    batch, length, more, seed = shape
    ids = numbered(batch * length + 1 + more)
    batches = kind(ids, batch, length, seed)
    for _ in range(steps):
        batches.next()
    again = kind(ids, batch, length, seed + 1)
    again.load_state({key: tensor.clone() for key, tensor in batches.state().items()})
    for _ in range(25):
        assert again.passes == batches.passes
        one, other = batches.next(), again.next()
        assert torch.equal(one.inputs, other.inputs)
        assert one.fresh == other.fresh


@pytest.mark.parametrize("kind", KINDS)
def test_batches_leave_the_global_generator_alone(kind: type[StreamBatches] | type[RandomPortions]) -> None:
    before: Tensor = torch.get_rng_state()
    batches = kind(numbered(100), 2, 5, seed=3)
    for _ in range(30):
        batches.next()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("sampling", ["stream", "random"])
def test_the_shortest_text_works_and_one_character_less_is_told(sampling: SamplingOfText) -> None:
    least = least_characters(4, 8, sampling)
    config = TrainingConfig(batch=4, length=8, sampling_of_text=sampling)
    make_batches(numbered(least), config).next()
    with pytest.raises(UsageError, match=rf"has {least - 1} characters .* at least {least}; .*--length"):
        make_batches(numbered(least - 1), config)


@pytest.mark.parametrize(("batch", "length"), [(0, 5), (5, 0), (-1, 5)])
def test_a_step_of_nothing_is_told(batch: int, length: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        make_batches(numbered(100), TrainingConfig(batch=batch, length=length))


LINES = "".join(f"Line {number} of many. It has two sentences.\n" for number in range(100))


@pytest.mark.parametrize(("sampling", "words"), [("line", {"Line"}), ("sentence", {"Line", "It h"})])
@pytest.mark.parametrize("tokens", ["char", "byte", "word"])
def test_portions_begin_at_every_line_or_sentence_alike(
    sampling: SamplingOfText, words: set[str], tokens: Tokens
) -> None:
    vocabulary = vocabulary_of(tokens, [LINES])
    config = TrainingConfig(batch=50, length=12, sampling_of_text=sampling, seed=2)
    batches = make_batches(vocabulary.encode(LINES), config, vocabulary)
    beginnings: Counter[str] = Counter()
    for _ in range(40):
        taken = batches.next()
        assert taken.fresh
        assert taken.inputs.shape == taken.targets.shape == (12, 50)
        for row in range(50):
            text = vocabulary.decode(taken.inputs[:, row].numpy())
            assert text + vocabulary.decode(taken.targets[-1:, row].numpy()) in LINES
            beginnings[text.lstrip(" ")[:4]] += 1
    assert set(beginnings) == words
    assert max(beginnings.values()) - min(beginnings.values()) < 250  # of 2,000; five standard deviations are 112
    assert batches.passes == pytest.approx(40 * 50 * 12 / (len(vocabulary.encode(LINES)) - 1))


def test_the_last_start_is_the_last_that_a_portion_fits_behind() -> None:
    starts = np.array([0, 3, 6, 9], dtype=np.uint32)
    for characters, last in ((11, 6), (12, 6), (13, 9)):
        batches = PortionsFrom(numbered(characters), starts, "line", batch=64, length=3, seed=1)
        assert max(batches.next().inputs[0].tolist()) == last


@given(st.integers(0, 20), st.sampled_from(["line", "sentence"]))
def test_any_place_among_portions_from_lines_can_be_taken_up_again(steps: int, sampling: SamplingOfText) -> None:
    vocabulary = Characters.of_text(LINES)
    ids = vocabulary.encode(LINES)
    config = TrainingConfig(batch=3, length=9, sampling_of_text=sampling, seed=steps)
    batches, again = (make_batches(ids, config, vocabulary) for _ in range(2))
    for _ in range(steps):
        batches.next()
    again.next()
    again.load_state({key: tensor.clone() for key, tensor in batches.state().items()})
    for _ in range(5):
        assert torch.equal(batches.next().inputs, again.next().inputs)
        assert again.passes == batches.passes


@pytest.mark.parametrize(
    ("text", "sampling", "said"),
    [
        ("one line only " * 5, "line", "no line break"),
        ("\n" * 50, "line", "no line break"),
        ("a line at the very end of it\nx", "line", "no line break"),
        ("no stop, no sentence " * 5, "sentence", "no full stop"),
    ],
)
def test_a_text_without_such_places_is_told_what_to_do(text: str, sampling: SamplingOfText, said: str) -> None:
    vocabulary = Characters.of_text(text)
    config = TrainingConfig(batch=2, length=8, sampling_of_text=sampling)
    with pytest.raises(UsageError, match=f"{said}.*--sampling-of-text random"):
        make_batches(vocabulary.encode(text), config, vocabulary)


def test_a_text_that_is_too_short_is_measured_in_its_own_tokens() -> None:
    vocabulary = vocabulary_of("byte", ["é"])
    with pytest.raises(UsageError, match=r"has 2 bytes .* 4 streams of 8 bytes need at least 33"):
        make_batches(vocabulary.encode("é"), TrainingConfig(batch=4, length=8), vocabulary)


@given(SHAPES, st.integers(0, 12))
def test_the_places_are_where_the_streams_go_on(shape: tuple[int, int, int, int], steps: int) -> None:
    batch, length, more, seed = shape
    ids = numbered(batch * length + 1 + more)
    batches, share = (StreamBatches(ids, batch, length, seed, part) for part in (slice(None), slice(0, 1)))
    for _ in range(steps):
        batches.next()
        share.next()
    assert (batches.places == share.places).all()  # of all processes
    assert batches.places.shape == (batch,)
    told, following = batches.places, batches.next()
    if not following.fresh:
        assert following.inputs[0].tolist() == told.tolist()
    assert RandomPortions(ids, batch, length, seed).places is None

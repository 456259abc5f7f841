"""Portions of the text to learn from: long streams whose state is carried on, or portions from random places.

The one file of `charrnn.text` that needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charrnn.config import SamplingOfText, TrainingConfig, UsageError
from charrnn.text.starts import Places, Starts, find_starts
from charrnn.text.vocabulary import Ids, Vocabulary

ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Batch:
    """`inputs` and `targets`, both (time, batch) int64: each target is the token after its input.

    `fresh` says that the text does not continue the batch before: the state must be zero.
    """

    inputs: Tensor
    targets: Tensor
    fresh: bool


class Batches(Protocol):
    """An endless row of batches whose exact place can be saved."""

    @property
    def passes(self) -> float:
        """How many times through the text so far."""

    @property
    def places(self) -> NDArray[np.int64] | None:
        """The tokens at which the streams go on, shape (streams,), those of all processes; None: there are none."""

    def next(self) -> Batch:
        """The next batch."""

    def state(self) -> dict[str, Tensor]:
        """Everything that decides which batches follow."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on as the one whose `state()` this was."""


def least_characters(batch: int, length: int, sampling: SamplingOfText) -> int:
    """The fewest tokens of text that such batches can be made from: of characters, unless it has others."""
    return (batch * length if sampling == "stream" else length) + 1


def make_batches(ids: Ids, config: TrainingConfig, vocabulary: Vocabulary | None = None, share: slice = ALL) -> Batches:
    """The batches a configuration asks for; `line` and `sentence` need the vocabulary to tell where those begin.

    Or of each batch the streams in `share`: the others are some other process's. Raises UsageError for a text that is
    too short, or that has no such places.
    """
    sampling = config.sampling_of_text
    shape = config.batch, config.length, config.seed
    _check(ids, config.batch, config.length, sampling, "character" if vocabulary is None else vocabulary.unit)
    if sampling == "stream":
        return StreamBatches(ids, *shape, share)
    if sampling == "random":
        return RandomPortions(ids, *shape, share)
    if vocabulary is None:
        raise UsageError(f"Where a {sampling} begins is for a vocabulary to say, and none was given.")
    return PortionsFrom(ids, find_starts(ids, vocabulary, sampling), sampling, *shape, share)


class StreamBatches:
    """`batch` contiguous streams through the text, `length` tokens a step, for truncated back-propagation.

    In a pass, the text is a ring that is entered at a random place; the streams start at equal distances on it and each
    walks up to where the next one started. So every (token, next token) pair of the text is met in every pass;
    fewer than batch × length of them are met twice, where the last step reaches over. No pair joins the text's end to
    its beginning: there only the state is carried over. `fresh` is set at each pass's start.
    """

    def __init__(self, ids: Ids, batch: int, length: int, seed: int, share: slice = ALL) -> None:
        """Ids of shape (tokens,). Raises UsageError for a text shorter than `least_characters`."""
        _check(ids, batch, length, "stream")
        self._ids, self._length = ids, length
        self._pairs = len(ids) - 1
        self._all_starts = np.arange(batch, dtype=np.int64) * self._pairs // batch
        self._starts = self._all_starts[share]
        stride = -(-self._pairs // batch)
        self._steps_a_pass = -(-stride // length)
        self._generator = torch.Generator().manual_seed(seed)
        self._finished = 0  # passes
        self._step = 0  # within the pass
        self._entry = self._draw_entry()

    @property
    def passes(self) -> float:
        """How many times through the text so far."""
        return self._finished + self._step / self._steps_a_pass

    @property
    def places(self) -> NDArray[np.int64]:
        """The tokens at which the streams go on, shape (streams,), those of all processes."""
        return (self._entry + self._step * self._length + self._all_starts) % self._pairs

    def next(self) -> Batch:
        """The next `length` tokens of every stream."""
        if self._step == self._steps_a_pass:
            self._finished, self._step, self._entry = self._finished + 1, 0, self._draw_entry()
        first = self._entry + self._step * self._length + self._starts
        at = (first[None, :] + np.arange(self._length)[:, None]) % self._pairs
        self._step += 1
        return _batch(self._ids, at, fresh=self._step == 1)

    def state(self) -> dict[str, Tensor]:
        """The random generator's state and the place in the pass."""
        place = torch.tensor([self._finished, self._step, self._entry], dtype=torch.int64)
        return {"generator": self._generator.get_state(), "place": place}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on as the one whose `state()` this was."""
        self._generator.set_state(state["generator"])
        self._finished, self._step, self._entry = (int(number) for number in state["place"])

    def _draw_entry(self) -> int:
        return int(torch.randint(self._pairs, (), generator=self._generator))


class RandomPortions:
    """Portions of `length` tokens from anywhere in the text, each place as likely: the lecture's way.

    Every batch is `fresh`. With batch 1 this is its `portion[:-1]` → `portion[1:]` of length + 1.
    """

    def __init__(self, ids: Ids, batch: int, length: int, seed: int, share: slice = ALL) -> None:
        """Ids of shape (tokens,). Raises UsageError for a text shorter than `least_characters`."""
        _check(ids, batch, length, "random")
        self._ids, self._batch, self._length, self._share = ids, batch, length, share
        self._generator = torch.Generator().manual_seed(seed)
        self._drawn = 0  # batches

    @property
    def passes(self) -> float:
        """How many tokens were drawn for each one of the text."""
        return self._drawn * self._batch * self._length / (len(self._ids) - 1)

    @property
    def places(self) -> None:
        """None: where the next ones are from is not drawn yet."""
        return

    def next(self) -> Batch:
        """`batch` portions, each from a place of its own."""
        first = self._draw()[self._share]
        self._drawn += 1
        return _batch(self._ids, first[None, :] + np.arange(self._length)[:, None], fresh=True)

    def state(self) -> dict[str, Tensor]:
        """The random generator's state and the number of batches drawn."""
        return {"generator": self._generator.get_state(), "drawn": torch.tensor(self._drawn)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on as the one whose `state()` this was."""
        self._generator.set_state(state["generator"])
        self._drawn = int(state["drawn"])

    def _draw(self) -> NDArray[np.int64]:
        """The place at which each portion begins, shape (batch,)."""
        return self._below(len(self._ids) - self._length)

    def _below(self, number: int) -> NDArray[np.int64]:
        drawn: NDArray[np.int64] = torch.randint(number, (self._batch,), generator=self._generator).numpy()
        return drawn


class PortionsFrom(RandomPortions):
    """Random portions that begin at one of the `starts`, a line's or a sentence's, each as likely as any other.

    A portion ends after its `length` tokens, wherever that is, so portions overlap where sentences are short, and what
    stands far inside a long one is seen less often than its beginning.
    """

    def __init__(
        self, ids: Ids, starts: Places, kind: Starts, batch: int, length: int, seed: int, share: slice = ALL
    ) -> None:
        """Ids (tokens,) and rising places in them. Raises UsageError where none but the first lies early enough."""
        super().__init__(ids, batch, length, seed, share)
        self._starts = starts[: np.searchsorted(starts, len(ids) - length)]
        if len(self._starts) == 0 or (len(self._starts) == 1 and self._starts[0] == 0):
            after = "line break" if kind == "line" else "full stop with a space after it, or empty line,"
            raise UsageError(
                f"The text has no {after} that portions of {length:,} could begin behind; "
                f"give --sampling-of-text random or stream, or a smaller --length."
            )

    def _draw(self) -> NDArray[np.int64]:
        return self._starts[self._below(len(self._starts))].astype(np.int64)


def _batch(ids: Ids, at: NDArray[np.int64], *, fresh: bool) -> Batch:
    """The tokens at these places, shape (time, batch), and the ones after them."""
    inputs = torch.from_numpy(ids[at].astype(np.int64))
    return Batch(inputs, torch.from_numpy(ids[at + 1].astype(np.int64)), fresh)


def _check(ids: Ids, batch: int, length: int, sampling: SamplingOfText, unit: str = "character") -> None:
    if batch < 1 or length < 1:
        raise UsageError(f"A batch of {batch} and a length of {length} make no step; give at least 1 for each.")
    least = least_characters(batch, length, sampling)
    if len(ids) >= least:
        return
    options = "a smaller --length or --batch" if sampling == "stream" else "a smaller --length"
    what = f"{batch:,} streams of {length:,} {unit}s" if sampling == "stream" else f"portions of {length:,}"
    raise UsageError(
        f"The text has {len(ids):,} {unit}s to learn from, and {what} need at least {least:,}; "
        f"give a longer text, or {options}."
    )

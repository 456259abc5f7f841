"""Batches some of whose inputs were replaced, so that a network does not rely on any one character before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charrnn.config import TrainingConfig
from charrnn.text.batches import ALL, Batch, Batches
from charrnn.text.vocabulary import Ids


class NoisyBatches:
    """Other batches, with a share of what is read, never of what is predicted, replaced by tokens drawn from the text.

    The unigram noise of Xie et al., "Data noising as smoothing in neural network language models" (2017),
    arXiv:1703.02573. Without it, a network that is trained on a short text for long learns the text by heart.
    """

    def __init__(self, batches: Batches, ids: Ids, config: TrainingConfig, share: slice = ALL) -> None:
        """Around batches of `config`, or their streams in `share`; what replaces is from anywhere in ids (tokens,)."""
        self._batches, self._ids, self._noise = batches, ids, config.noise
        self._shape, self._share = (config.length, config.batch), share
        self._generator = torch.Generator().manual_seed(config.seed + 0x5EED)

    @property
    def passes(self) -> float:
        """How many times through the text so far."""
        return self._batches.passes

    @property
    def places(self) -> NDArray[np.int64] | None:
        """The tokens at which the streams go on, if there are streams."""
        return self._batches.places

    def next(self) -> Batch:
        """The next batch, its inputs a copy."""
        batch = self._batches.next()
        inputs = batch.inputs.clone()
        # drawn for all streams, whoever has them
        replaced = (torch.rand(self._shape, generator=self._generator) < self._noise)[:, self._share]
        places = torch.randint(len(self._ids), self._shape, generator=self._generator)[:, self._share][replaced]
        inputs[replaced] = torch.from_numpy(self._ids[places.numpy()].astype(np.int64))
        return replace(batch, inputs=inputs)

    def state(self) -> dict[str, Tensor]:
        """Everything that decides which batches follow."""
        return {**self._batches.state(), "noise": self._generator.get_state()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on as the one whose `state()` this was."""
        self._batches.load_state({name: tensor for name, tensor in state.items() if name != "noise"})
        if "noise" in state:
            self._generator.set_state(state["noise"])

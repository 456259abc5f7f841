"""The newest weights once more, for what clients want to know of the model. No torch before the first question.

It has its own copy of the network, so that the stream never waits for an answer and no answer sees weights change in
the middle. The work is done a piece at a time, with rests (`turns.py`), on one thread of torch's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from charrnn.engine.sampler import Model
from charrnn.engine.turns import RESTS, Turns

if TYPE_CHECKING:
    from charrnn.engine.weights import SharedWeights
    from charrnn.model.language_model import LanguageModel
    from charrnn.text.vocabulary import Vocabulary

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Examined:
    """A network with the weights of training step `step`; nobody else changes them while a piece of work lasts."""

    network: LanguageModel
    vocabulary: Vocabulary
    step: int


class Examiner:
    """Answers wait until there is a model, which `use_model` brings."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._there = asyncio.Event()
        self._turns = Turns()
        self._network: LanguageModel | None = None
        self._shared: SharedWeights | None = None
        self._step = 0

    def use_model(self, model: Model) -> None:
        """Questions are about this model from now on."""
        self._model, self._network = model, None
        self._there.set()

    async def work(self, piece: Callable[[Examined], Result], rests: float = RESTS) -> Result:
        """What `piece` makes of the newest weights, in a thread, when it is its turn."""
        await self._there.wait()
        return await self._turns.work(lambda: piece(self._newest()), rests)

    def _newest(self) -> Examined:
        import torch

        from charrnn.engine.weights import SharedWeights
        from charrnn.model.language_model import LanguageModel

        torch.set_num_threads(1)
        model = self._model
        assert model is not None
        if self._network is None or self._shared is None:
            self._network = LanguageModel(len(model.vocabulary), model.config).eval()
            self._shared = SharedWeights(model.weights, self._network.state_dict(keep_vars=True), create=False)
        newer = self._shared.refresh()
        self._step = self._step if newer is None else newer
        return Examined(self._network, model.vocabulary, self._step)

"""The training loop's one step, its evaluation, and everything needed to go on from exactly here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from charrnn.config import Device, RunConfig, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.batches import make_batches
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Ids, Vocabulary
from charrnn.training import optimiser as optimisers
from charrnn.training.evaluation import stream_loss
from charrnn.training.memory import require_memory
from charrnn.training.shards import Shards

_SEGMENT_AT_LEAST = 2048  # tokens: below it, the live evaluation's warm-up would cost more than it saves
_SEGMENTS_AT_MOST = 64


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: its loss (nats per character), the gradients' global norm before clipping, and whether it counted.

    The loss is that of the step's own targets: a sum over tokens, divided by the characters that they spell.
    Where `finite` is False, the loss or a gradient was not, and the weights are as they were. The norm is None where
    the loss was not finite, for then there are no gradients.
    """

    loss: float
    gradient_norm: float | None
    finite: bool


def resolve_device(name: Device) -> torch.device:
    """The device of that name; "auto" is a CUDA GPU if there is one, else the CPU. UsageError if it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, False):
        raise UsageError(f"There is no device {name!r} here; give --device cpu, or auto.")
    return torch.device(name)


def build(config: RunConfig, corpus: Corpus) -> Trainer:
    """A new trainer with a new model, whose weights come from the training's seed. Raises UsageError, one sentence."""
    device = resolve_device(config.training.device)
    require_memory(corpus.vocabulary, config, device)
    torch.manual_seed(config.training.seed)
    model = LanguageModel(len(corpus.vocabulary), config.model)
    return Trainer(model, corpus.train_ids, corpus.held_out_ids, config.training, device, corpus.vocabulary)


class Trainer:
    """Trains a model on ids, a step a call. It looks at no clock and at nobody who watches."""

    def __init__(
        self,
        model: LanguageModel,
        train_ids: Ids,
        held_out_ids: Ids,
        config: TrainingConfig,
        device: torch.device | str = "cpu",
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Moves the model to the device. Raises UsageError for a text too short or a setting that is none.

        Without a vocabulary, each id is a character.
        """
        self.device = torch.device(device)
        self.model = model.to(self.device).train()
        self.config = config
        self._held_out = held_out_ids
        self._batches = make_batches(train_ids, config, vocabulary)
        self._characters_in = np.size if vocabulary is None else vocabulary.characters_in
        self._optimiser = optimisers.make_optimiser(self.model, config)
        self._shards = Shards(self.model, config.batch, self._shard_count(), config.seed)
        self._hidden: State | None = None
        self.steps_done = 0
        self.chars_done = 0
        self.skipped = 0  # steps whose loss or gradients were not finite

    @property
    def passes(self) -> float:
        """How many times through the training text so far."""
        return self._batches.passes

    @property
    def learning_rate(self) -> float:
        """The rate the next step is taken with."""
        return optimisers.learning_rate(self._optimiser)

    def set_learning_rate(self, rate: float) -> None:
        """From the next step on. Raises UsageError for a rate that is none."""
        optimisers.set_learning_rate(self._optimiser, rate)

    def step(self) -> StepResult:
        """Take one optimiser step on the next batch, the state carried on unless the batch is fresh.

        A loss or gradient that is not finite never reaches the weights: the step is counted (in `steps_done` and in
        `skipped`), its text is past, and the next one starts from a zero state.
        """
        batch = self._batches.next()
        inputs, targets = batch.inputs.to(self.device), batch.targets.to(self.device)
        loss, hidden = self._shards.gradients(inputs, targets, None if batch.fresh else self._hidden)
        characters = self._characters_in(batch.targets.numpy())
        result = self._learn(loss * (inputs.numel() / max(1, characters)))
        carried_on = result.finite and self.config.sampling_of_text == "stream"
        self._hidden = hidden if carried_on else None
        self.steps_done += 1
        self.chars_done += characters
        self.skipped += not result.finite
        return result

    def _learn(self, loss: float) -> StepResult:
        """Steps along the gradients that are there, if they and the loss are finite."""
        if not math.isfinite(loss):
            return StepResult(loss, None, False)
        norm = optimisers.clip_gradients(self.model.parameters(), self.config.clip).item()
        if not math.isfinite(norm):
            return StepResult(loss, norm, False)
        self._optimiser.step()
        return StepResult(loss, norm, True)

    def _shard_count(self) -> int:
        """Threads share out the streams on a CPU, but not the lecture's loop, which is Python and holds its lock."""
        if self.device.type != "cpu" or self.model.config.cell == "lstmcell":
            return 1
        return self.config.threads or 1

    def evaluate(self) -> float | None:
        """The held-out loss (protocol `stream`, in parallel segments), nats per character; None if nothing is held out.

        Changes nothing: not the weights, the state, nor any random generator.
        """
        if len(self._held_out) < 2:
            return None
        segments = min(max(1, len(self._held_out) // _SEGMENT_AT_LEAST), _SEGMENTS_AT_MOST)
        return stream_loss(self.model, self._held_out, segments=segments, characters_in=self._characters_in)

    def state(self) -> dict[str, Tensor]:
        """Everything that decides the steps to come but the model's weights: copies, on the CPU.

        Also PyTorch's own random generators, which dropout draws from. Numbers are tensors, so that safetensors holds
        them.
        """
        counters = torch.tensor([self.steps_done, self.chars_done, self.skipped], dtype=torch.int64)
        rate = torch.tensor(self.learning_rate, dtype=torch.float64)
        tensors = {"counters": counters, "learning_rate": rate, "random/cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self.device)
        tensors |= {f"random/shard/{index}": g.get_state() for index, g in enumerate(self._shards.generators)}
        for index, entry in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{key}": value for key, value in entry.items()}
        tensors |= {f"batches/{key}": value for key, value in self._batches.state().items()}
        for index, layer in enumerate(self._hidden or []):
            tensors |= {f"hidden/{index}/{part}": value for part, value in enumerate(layer)}
        return {key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Go on as the trainer whose `state()` this was, given the same weights, text and configuration.

        Raises UsageError for a state that is not of such a trainer; the trainer is then of no more use.
        """
        try:
            self._load_state(tensors)
        except (LookupError, ValueError, RuntimeError, TypeError) as error:
            raise UsageError(
                f"The checkpoint's training state does not fit this run ({type(error).__name__}: {error}); "
                "open another checkpoint, or start a new run."
            ) from error

    def _load_state(self, tensors: dict[str, Tensor]) -> None:
        self.steps_done, self.chars_done, self.skipped = (int(number) for number in tensors["counters"])
        entries: dict[int, dict[str, Tensor]] = {}
        for name, index, key in _split(tensors, "optimiser"):
            entries.setdefault(index, {})[key] = tensors[name].clone()
        self._check_fits(entries)
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": entries, "param_groups": groups})
        self.set_learning_rate(tensors["learning_rate"].item())
        prefix = "batches/"
        self._batches.load_state({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
        layers: dict[int, dict[str, Tensor]] = {}
        for name, index, part in _split(tensors, "hidden"):
            layers.setdefault(index, {})[part] = tensors[name].to(self.device)
        self._hidden = [tuple(layers[i][part] for part in sorted(layers[i])) for i in sorted(layers)] or None
        if any(tensor.shape[0] != self.config.batch for layer in self._hidden or [] for tensor in layer):
            raise ValueError(f"its hidden state is not that of {self.config.batch} streams")
        torch.set_rng_state(tensors["random/cpu"])
        for index, generator in enumerate(self._shards.generators):
            if f"random/shard/{index}" in tensors:  # a run that goes on with other threads draws anew
                generator.set_state(tensors[f"random/shard/{index}"])
        if self.device.type == "cuda" and "random/cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random/cuda"], self.device)

    def _check_fits(self, entries: dict[int, dict[str, Tensor]]) -> None:
        """The optimiser itself would take moments of any shape, and fail at its next step."""
        parameters = [parameter for group in self._optimiser.param_groups for parameter in group["params"]]
        if entries and len(entries) != len(parameters):
            raise ValueError(f"it knows {len(entries)} parameters, the model has {len(parameters)}")
        for index, entry in entries.items():
            if entry["exp_avg"].shape != parameters[index].shape:
                raise ValueError(f"parameter {index} has another shape")


def _split(tensors: dict[str, Tensor], kind: str) -> list[tuple[str, int, str]]:
    """The names "kind/index/key", each with its index and key."""
    parts = [(name, *name.split("/")) for name in tensors if name.startswith(f"{kind}/")]
    return [(name, int(index), key) for name, _, index, key in parts]

"""The training loop's one step, its evaluation, and everything needed to go on from exactly here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from charrnn.config import Device, RunConfig, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.batches import make_batches
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Ids
from charrnn.training import optimiser as optimisers
from charrnn.training.evaluation import stream_loss
from charrnn.training.ranks import ALONE, Ranks

_SEGMENT_AT_LEAST = 2048  # characters: below it, the live evaluation's warm-up would cost more than it saves
_SEGMENTS_AT_MOST = 64


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step: its mean loss (nats per character), the gradients' global norm before clipping, and whether it counted.

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


def build(config: RunConfig, corpus: Corpus, ranks: Ranks = ALONE) -> Trainer:
    """A new trainer with a new model, whose weights come from the training's seed. Raises UsageError, one sentence."""
    torch.manual_seed(config.training.seed)
    model = LanguageModel(len(corpus.vocabulary), config.model)
    device = resolve_device(config.training.device)
    return Trainer(model, corpus.train_ids, corpus.held_out_ids, config.training, device, ranks)


class Trainer:
    """Trains a model on ids, a step a call. It looks at no clock and at nobody who watches."""

    def __init__(
        self,
        model: LanguageModel,
        train_ids: Ids,
        held_out_ids: Ids,
        config: TrainingConfig,
        device: torch.device | str = "cpu",
        ranks: Ranks = ALONE,
    ) -> None:
        """Moves the model to the device. `config.batch` counts the streams of all ranks together.

        Raises UsageError for a text too short or a setting that is none.
        """
        self.device = torch.device(device)
        self.model = model.to(self.device).train()
        self.config = config
        self._held_out = held_out_ids
        self._ranks = ranks
        self._share = ranks.share(config.batch)
        self._batches = make_batches(train_ids, config, self._share)
        self._optimiser = optimisers.make_optimiser(self.model, config)
        streams = self._share.stop - self._share.start
        self._shards = ranks.shards(self.model, streams, self._shard_count(), config.seed)
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
        result = self._learn(loss)
        carried_on = result.finite and self.config.sampling_of_text == "stream"
        self._hidden = hidden if carried_on else None
        self.steps_done += 1
        self.chars_done += inputs.numel() * self._ranks.size
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
        return self._ranks.of_first(lambda: stream_loss(self.model, self._held_out, segments=segments))

    def state(self) -> dict[str, Tensor]:
        """Everything that decides the steps to come but the model's weights: copies, on the CPU.

        Also PyTorch's own random generators, which dropout draws from. Numbers are tensors, so that safetensors holds
        them. It is the same on every rank, holds the streams and generators of all, and fits any number of ranks.
        """
        counters = torch.tensor([self.steps_done, self.chars_done, self.skipped], dtype=torch.int64)
        rate = torch.tensor(self.learning_rate, dtype=torch.float64)
        tensors = {"counters": counters, "learning_rate": rate, **self._ranks.named_by_rank(self._random_states())}
        for index, entry in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{key}": value for key, value in entry.items()}
        tensors |= {f"batches/{key}": value for key, value in self._batches.state().items()}
        for index, layer in enumerate(self._hidden or []):
            tensors |= {f"hidden/{index}/{part}": self._ranks.joined(value) for part, value in enumerate(layer)}
        return {key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}

    def _random_states(self) -> dict[str, Tensor]:
        states = {"random/cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["random/cuda"] = torch.cuda.get_rng_state(self.device)
        return states | {f"random/shard/{index}": g.get_state() for index, g in enumerate(self._shards.generators)}

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
        if self._hidden is not None:
            self._hidden = [tuple(tensor[self._share] for tensor in layer) for layer in self._hidden]
        self._load_random_states(self._ranks.own_of(tensors))

    def _load_random_states(self, states: dict[str, Tensor]) -> None:
        """A run that goes on with other threads, or other ranks, draws anew where it has no state."""
        if self._ranks.rank == 0 or "random/cpu" in states:
            torch.set_rng_state(states["random/cpu"])
        for index, generator in enumerate(self._shards.generators):
            if f"random/shard/{index}" in states:
                generator.set_state(states[f"random/shard/{index}"])
        if self.device.type == "cuda" and "random/cuda" in states:
            torch.cuda.set_rng_state(states["random/cuda"], self.device)

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

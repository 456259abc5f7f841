"""The training loop's one step, its evaluation, and everything needed to go on from exactly here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charrnn.config import Device, RunConfig, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.batches import Batches, make_batches
from charrnn.text.corpus import Corpus
from charrnn.text.noise import NoisyBatches
from charrnn.text.vocabulary import Ids, Vocabulary
from charrnn.training import optimiser as optimisers
from charrnn.training.averaging import AveragedModel
from charrnn.training.evaluation import stream_loss
from charrnn.training.memory import require_memory
from charrnn.training.precision import autocast_dtype
from charrnn.training.randomness import load_random_states, random_states
from charrnn.training.ranks import ALONE, RankLostError, Ranks
from charrnn.training.reading import InShares, Reader, in_one_piece
from charrnn.training.schedule import Cooldown, Schedule
from charrnn.training.snapshot import Snapshot, copied, copied_to, part, split

_SEGMENT_AT_LEAST = 4096  # tokens: below it, the live evaluation's warm-up would cost more than it saves
_SEGMENTS_AT_MOST = 64
_CHUNK = 64  # tokens of each segment: what is read at once stays in the cache


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


@contextmanager
def fits() -> Iterator[None]:
    """What is wrong with a state that is loaded inside becomes a UsageError."""
    try:
        yield
    except RankLostError:
        raise
    except (LookupError, ValueError, RuntimeError, TypeError) as error:
        raise UsageError(
            f"The checkpoint's training state does not fit this run ({type(error).__name__}: {error}); "
            "open another checkpoint, or start a new run."
        ) from error


def build(config: RunConfig, corpus: Corpus, ranks: Ranks = ALONE) -> Trainer:
    """A new trainer with a new model, whose weights come from the training's seed. Raises UsageError, one sentence."""
    device = resolve_device(config.training.device)
    require_memory(corpus.vocabulary, config, device)
    torch.manual_seed(config.training.seed)
    model = LanguageModel(len(corpus.vocabulary), config.model)
    return Trainer(model, corpus.train_ids, corpus.held_out_ids, config.training, device, corpus.vocabulary, ranks)


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
        ranks: Ranks = ALONE,
    ) -> None:
        """Moves the model to the device. `config.batch` counts the streams of all ranks together.

        Without a vocabulary, each id is a character. Raises UsageError for a text too short or a setting that is none.
        """
        self.device = torch.device(device)
        self.model = model.to(self.device).train()
        self.config = config
        self._held_out = held_out_ids
        self._ranks = ranks
        self._share = ranks.share(config.batch)
        self._batches: Batches = make_batches(train_ids, config, vocabulary, self._share)
        if config.noise:
            self._batches = NoisyBatches(self._batches, train_ids, config, self._share)
        self._count = np.size if vocabulary is None else vocabulary.characters_in
        self._each_a_character = vocabulary is None or vocabulary.unit == "character"
        self._parameters = list(self.model.parameters())
        self._optimiser = optimisers.make_optimiser(self.model, config)
        dtype = autocast_dtype(self.device, config.precision, self.model.config.cell)
        self._read: Reader = InShares(self._threads(), dtype) if self.device.type == "cpu" else in_one_piece
        streams = self._share.stop - self._share.start
        self._shards = ranks.shards(self.model, streams, self._shard_count(), config.seed, dtype)
        self._schedule = Schedule(config.lr, config.warmup)
        self._average = AveragedModel(self.model, config.average) if config.average else None
        self._hidden: State | None = None
        self.steps_done = 0
        self.chars_done = 0
        self.skipped = 0  # steps whose loss or gradients were not finite

    @property
    def passes(self) -> float:
        """How many times through the training text so far."""
        return self._batches.passes

    @property
    def places(self) -> NDArray[np.int64] | None:
        """The tokens at which the streams of all ranks go on, shape (streams,); None where portions are random."""
        return self._batches.places

    @property
    def in_shares(self) -> bool:
        """Whether threads share out the streams of a step."""
        return self._shard_count() > 1

    @property
    def evaluated_model(self) -> LanguageModel:
        """The model to evaluate, to sample from and to save: the averaged one, or without averaging the one trained."""
        return self.model if self._average is None else self._average.model

    @property
    def learning_rate(self) -> float:
        """The rate the next step is taken with: the stable one, less in a warm-up or a cool-down."""
        return self._schedule.learning_rate(self.steps_done)

    @property
    def stable_rate(self) -> float:
        """The learning rate outside of warm-up and cool-down."""
        return self._schedule.rate

    @property
    def warming_up(self) -> bool:
        """Whether the next step belongs to the warm-up."""
        return self._schedule.warming(self.steps_done)

    @property
    def cooldown(self) -> Cooldown | None:
        """The cool-down that the next step belongs to, if it does to one."""
        return self._schedule.cooling(self.steps_done)

    def set_learning_rate(self, rate: float) -> None:
        """The stable rate from the next step on; what remains of a warm-up or cool-down keeps its proportion.

        Raises UsageError for a rate that is none.
        """
        optimisers.set_learning_rate(self._optimiser, rate)
        self._schedule = self._schedule.at_rate(rate)

    def cool_down(self, steps: int) -> None:
        """From the next step on, over so many steps. After them the stable rate holds again."""
        self._schedule = self._schedule.cooled_down(self.steps_done, steps)

    def end_cooldown(self) -> None:
        """Call a cool-down off: the next step has the stable rate."""
        self._schedule = self._schedule.without_cooldown()

    def step(self) -> StepResult:
        """Take one optimiser step on the next batch, the state carried on unless the batch is fresh.

        A loss or gradient that is not finite never reaches the weights: the step is counted (in `steps_done` and in
        `skipped`), its text is past, and the next one starts from a zero state.
        """
        batch = self._batches.next()
        inputs, targets = batch.inputs.to(self.device), batch.targets.to(self.device)
        loss, hidden = self._shards.gradients(inputs, targets, None if batch.fresh else self._hidden)
        tokens, characters = self._tokens_and_characters(batch.targets)
        result = self._learn(loss * (tokens / max(1, characters)))
        carried_on = result.finite and self.config.sampling_of_text == "stream"
        self._hidden = hidden if carried_on else None
        self.steps_done += 1
        self.chars_done += characters
        self.skipped += not result.finite
        if self._average is not None:
            self._average.after_step(self.steps_done)
        return result

    def _tokens_and_characters(self, targets: Tensor) -> tuple[int, int]:
        """How many a step has, over all ranks, of whose targets (time, streams) these are this rank's."""
        tokens = targets.numel() * self._ranks.size
        return tokens, tokens if self._each_a_character else self._ranks.total(self._count(targets.numpy()))

    def _learn(self, loss: float) -> StepResult:
        """Steps along the gradients that are there, if they and the loss are finite."""
        if not math.isfinite(loss):
            return StepResult(loss, None, False)
        norm = optimisers.clip_gradients(self._parameters, self.config.clip).item()
        if not math.isfinite(norm):
            return StepResult(loss, norm, False)
        optimisers.set_learning_rate(self._optimiser, self.learning_rate)
        self._optimiser.step()
        return StepResult(loss, norm, True)

    def _shard_count(self) -> int:
        """Threads share out the streams on a CPU, but not the lecture's loop, which is Python and holds its lock."""
        return 1 if self.device.type != "cpu" or self.model.config.cell == "lstmcell" else self._threads()

    def _threads(self) -> int:
        return self.config.threads or 1

    def evaluate(self) -> float | None:
        """The held-out loss (protocol `stream`, in parallel segments), nats per character; None if nothing is held out.

        Changes nothing: not the weights, the state, nor any random generator.
        """
        if len(self._held_out) < 2:
            return None
        segments = min(max(1, len(self._held_out) // _SEGMENT_AT_LEAST), _SEGMENTS_AT_MOST)
        model = self.evaluated_model

        def loss() -> float:
            return stream_loss(
                model, self._held_out, segments=segments, chunk=_CHUNK, characters_in=self._count, read=self._read
            )

        return self._ranks.of_first(loss)

    def state(self) -> dict[str, Tensor]:
        """Everything that decides the steps to come but `evaluated_model`'s weights: copies, on the CPU.

        Also PyTorch's own random generators, which dropout draws from. Numbers are tensors, so that safetensors holds
        them. It is the same on every rank, holds the streams and generators of all, and fits any number of ranks. Where
        weights are averaged, those that are trained are here too ("raw/…").
        """
        tensors = self._state()
        if self._average is not None:
            tensors |= {f"raw/{name}": tensor for name, tensor in self.model.state_dict().items()}
        return {key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}

    def _state(self) -> dict[str, Tensor]:
        """The state as it lies in memory, without any weights."""
        counters = torch.tensor([self.steps_done, self.chars_done, self.skipped], dtype=torch.int64)
        rate = torch.tensor(self.stable_rate, dtype=torch.float64)
        random = random_states(self.device, self._shards.generators)
        tensors = {"counters": counters, "learning_rate": rate, **self._ranks.named_by_rank(random)}
        cooldown = self._schedule.cooldown
        if cooldown is not None:
            numbers = [cooldown.start, cooldown.length, cooldown.top]
            tensors["cooldown"] = torch.tensor(numbers, dtype=torch.float64)
        if self._average is not None:
            tensors["average/updates"] = torch.tensor(self._average.updates)
        for index, entry in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{key}": value for key, value in entry.items()}
        tensors |= {f"batches/{key}": value for key, value in self._batches.state().items()}
        for index, layer in enumerate(self._hidden or []):
            tensors |= {f"hidden/{index}/{place}": self._ranks.joined(value) for place, value in enumerate(layer)}
        return tensors

    def snapshot(self) -> Snapshot:
        """A copy of all of it on the trainer's own device, for `go_back`."""
        weights = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        if self._average is not None:
            weights |= {f"average/{name}": tensor for name, tensor in self._average.model.state_dict().items()}
        return Snapshot(self.steps_done, self.stable_rate, copied(weights), copied(self._state()))

    def go_back(self, snapshot: Snapshot) -> None:
        """To the weights, optimiser, streams and random generators of a snapshot of this trainer.

        What is counted or scheduled by steps (steps, characters, learning rate, cool-down) goes on as it is: the steps
        since then were taken, and are lost.
        """
        self.model.load_state_dict(part(snapshot.weights, "model/"))
        if self._average is not None:
            self._average.model.load_state_dict(part(snapshot.weights, "average/"))
            self._average.updates = int(snapshot.state["average/updates"])
        self._load_streams(snapshot.state)

    def load_state(self, tensors: dict[str, Tensor], *, new_text: bool = False) -> None:
        """Go on as the trainer whose `state()` this was, given the same text and configuration.

        With `new_text` the text is another one, whose streams begin at their beginning. On another kind of device, and
        where there are more threads or ranks than there were, dropout draws from a seed made of the run's and the step.
        `model` must hold the weights that were `evaluated_model`'s. Raises UsageError for a state that is not of such a
        trainer; the trainer is then of no more use.
        """
        with fits():
            self._load_state(tensors, new_text)

    def _load_state(self, tensors: dict[str, Tensor], new_text: bool) -> None:
        self.steps_done, self.chars_done, self.skipped = (int(number) for number in tensors["counters"])
        start, length, top = tensors["cooldown"].tolist() if "cooldown" in tensors else (0, 0, 0.0)
        cooldown = Cooldown(int(start), int(length), top) if length else None
        self.set_learning_rate(tensors["learning_rate"].item())
        self._schedule = Schedule(self.stable_rate, self.config.warmup, cooldown)
        raw = part(tensors, "raw/")
        if self._average is not None:
            self._average.model.load_state_dict(self.model.state_dict())
            self._average.updates = int(tensors.get("average/updates", torch.tensor(0)))
        if raw:
            self.model.load_state_dict(raw)
        self._load_streams(tensors, new_text)

    def _load_streams(self, tensors: dict[str, Tensor], new_text: bool = False) -> None:
        """Everything but weights, counters and schedule: optimiser, batches, hidden state, random generators."""
        entries: dict[int, dict[str, Tensor]] = {}
        for name, index, key in split(tensors, "optimiser"):
            entries.setdefault(index, {})[key] = tensors[name].clone()
        self._check_fits(entries)
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": entries, "param_groups": groups})
        seed = (self.config.seed * 1_000_003 + self.steps_done * 65_537) % 2**62
        own = self._ranks.own_of(tensors)
        load_random_states(own, self.device, self._shards.generators, self._ranks.rank, seed)
        self._hidden = None
        if not new_text:
            self._batches.load_state(part(tensors, "batches/"))
            self._load_hidden(tensors)

    def _load_hidden(self, tensors: dict[str, Tensor]) -> None:
        layers: dict[int, dict[str, Tensor]] = {}
        for name, index, place in split(tensors, "hidden"):
            layers.setdefault(index, {})[place] = tensors[name]
        self._hidden = [tuple(layers[i][place] for place in sorted(layers[i])) for i in sorted(layers)] or None
        if any(tensor.shape[0] != self.config.batch for layer in self._hidden or [] for tensor in layer):
            raise ValueError(f"its hidden state is not that of {self.config.batch} streams")
        of_layers, units = len(self._hidden or []), self.model.config.hidden
        if of_layers not in (0, self.model.config.layers) or any(
            tensor.shape[-1] != units for layer in self._hidden or [] for tensor in layer
        ):
            raise ValueError(f"its hidden state is not that of {self.model.config.layers} layers of {units}")
        if self._hidden is not None:
            # copies of their own: how memory is aligned may decide a last bit
            self._hidden = [tuple(copied_to(t[self._share], self.device) for t in layer) for layer in self._hidden]

    def _check_fits(self, entries: dict[int, dict[str, Tensor]]) -> None:
        """The optimiser itself would take moments of any shape, and fail at its next step."""
        parameters = [parameter for group in self._optimiser.param_groups for parameter in group["params"]]
        if entries and len(entries) != len(parameters):
            raise ValueError(f"it knows {len(entries)} parameters, the model has {len(parameters)}")
        for index, entry in entries.items():
            whole = parameters[index].shape
            if entry["exp_avg"].shape != whole or any(tensor.shape not in ((), whole) for tensor in entry.values()):
                raise ValueError(f"parameter {index} has another shape")

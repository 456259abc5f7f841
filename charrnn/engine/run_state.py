"""A run as it stands beyond its trainer: time trained, held-out losses, its ending. Saved with the trainer's state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from charrnn.config import RunConfig, TrainingConfig, UsageError
from charrnn.engine.checkpoint_writer import Snapshot
from charrnn.engine.circumstances import changed_settings, differences, training_then
from charrnn.engine.ending import Ending
from charrnn.engine.held_out import HeldOut
from charrnn.engine.journal import Journal, bytes_tensor, tensor_bytes
from charrnn.engine.trainer_messages import Progress, Resumed
from charrnn.runs.checkpoint import load_tensors
from charrnn.runs.manifest import MODEL, STATE
from charrnn.runs.saved import Saved, read_manifest
from charrnn.training.ranks import ALONE, Ranks
from charrnn.training.snapshot import part
from charrnn.training.trainer import Trainer

SECONDS = "run.seconds"
"""Of state.safetensors, what holds time: the run's and its latest loss points'. All else is the same in two runs that
are the same bit for bit."""
_PARTS = ("guard", "steps")


class RunState:
    """`seconds` counts training alone, over restarts, without pauses.

    `parts` are what the guard and the record of steps are to go on from, for those who make them. `manifest` is that of
    the checkpoint that the run goes on from, `planned` the settings it had then. `replanned`: it was to cool down to
    another end. `called_off`: it was about to.
    """

    def __init__(self, trainer: Trainer, config: RunConfig, ranks: Ranks = ALONE) -> None:
        """Of a run that begins."""
        self._ranks = ranks
        self._corpus, self._training = config.corpus.sha256, config.training
        self.trainer = trainer
        self.seconds = 0.0
        self.held_out = HeldOut(config.training.patience)
        self.ending = Ending(config.training)
        self.journal = Journal()
        self.out_of_patience = False
        self.parts: dict[str, dict[str, Tensor]] = {}
        self.manifest: dict[str, Any] = {}
        self.planned = config.training
        self.replanned = self.called_off = False

    @property
    def goes_on(self) -> bool:
        """Whether it goes on from a checkpoint."""
        return bool(self.manifest)

    def restore(self, path: Path, planned: TrainingConfig) -> None:
        """Goes on from the checkpoint at `path`; `planned` is what the run was last told. Raises UsageError."""
        checkpoint = Saved(path, 0, None)
        self.trainer.model.load_state_dict(self._ranks.tensors_of_first(lambda: load_tensors(checkpoint, MODEL)))
        state = self._ranks.tensors_of_first(lambda: _with_manifest(checkpoint))
        self.manifest = json.loads(tensor_bytes(state.pop("run.manifest")))
        try:
            self.planned = training_then(self.manifest, planned)
        except msgspec.ValidationError as error:
            raise UsageError(f"The checkpoint {path} has settings that are none: {error}.") from None
        self.seconds, *seconds = state.pop(SECONDS).reshape(-1).tolist()
        self.ending.last = bool(state.pop("run.last_cooldown", torch.tensor(False)))
        self.held_out.load_state(state)
        ended = bool(state.pop("run.out_of_patience", torch.tensor(True)))  # older checkpoints do not say
        if self.held_out.exhausted and (ended or self.planned.patience != self.trainer.config.patience):
            self.held_out.since_best = 0  # it ended for that, and is wanted to go on all the same
        self.journal.load_state(state, seconds)
        self.parts = {kind: part(state, f"{kind}/") for kind in _PARTS}
        new_text = self.manifest.get("corpus_sha256") not in (None, self._corpus)
        if new_text:
            self.parts.pop("guard")
            self.held_out.forget()
        self.trainer.load_state(state, new_text=new_text)
        self.replanned = Ending(self.planned).same_as != self.ending.same_as
        if self.replanned and self.ending.last:
            self.ending.last = False
            self.trainer.end_cooldown()
            self.called_off = True

    def resumed(self, facts: Mapping[str, Any], *, again: int) -> Resumed:
        """What the record needs to know of a run that goes on; `facts` are what it goes on under."""
        return Resumed(
            step=self.trainer.steps_done,
            again=again,
            settings=changed_settings(self.planned, self._training),
            differs=differences(self.manifest, facts),
            points=self.journal.points,
            changes=self.journal.changes,
        )

    def progress(self, rate: float, *, stuck: bool) -> Progress:
        """What there is to tell of it: `rate` in characters a second; `stuck`, if it waits because it diverged."""
        trainer, cooldown = self.trainer, self.trainer.cooldown
        step, warmup = trainer.steps_done, trainer.config.warmup
        phase, phase_step, phase_steps = ("warm-up", step, warmup) if trainer.warming_up else ("", 0, 0)
        if cooldown is not None:
            phase, phase_step, phase_steps = "cool-down", step - cooldown.start, cooldown.length
        if stuck:
            phase, phase_step, phase_steps = "diverged", 0, 0
        return Progress(
            step=step,
            chars=trainer.chars_done,
            seconds=self.seconds,
            rate=rate,
            passes=trainer.passes,
            learning_rate=trainer.stable_rate,
            current_rate=trainer.learning_rate,
            best_val_loss=self.held_out.best,
            best_step=self.held_out.best_step,
            phase=phase,
            phase_step=phase_step,
            phase_steps=phase_steps,
        )

    def snapshot(self, parts: Mapping[str, dict[str, Tensor]], *, asked: bool) -> Snapshot:
        """All of it, copied, on its way to the disk, with the state of the other `parts`; `asked`: somebody waits."""
        trainer = self.trainer
        weights = trainer.evaluated_model.state_dict()
        own: dict[str, Tensor] = {
            SECONDS: torch.tensor([self.seconds, *self.journal.seconds], dtype=torch.float64),
            "run.last_cooldown": torch.tensor(self.ending.last),
            "run.out_of_patience": torch.tensor(self.out_of_patience),
            **self.journal.state(),
            **{f"{kind}/{name}": tensor for kind, tensors in parts.items() for name, tensor in tensors.items()},
        }
        return Snapshot(
            trainer.steps_done,
            {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()},
            {**trainer.state(), **own, **self.held_out.state()},
            self.held_out.at(trainer.steps_done),
            asked,
        )


def _with_manifest(checkpoint: Saved) -> dict[str, Tensor]:
    """The state, with the manifest as one tensor more: so it reaches every rank."""
    return {
        **load_tensors(checkpoint, STATE),
        "run.manifest": bytes_tensor(json.dumps(read_manifest(checkpoint.path).circumstances()).encode()),
    }

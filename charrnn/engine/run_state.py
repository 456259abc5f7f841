"""A run as it stands beyond its trainer: time trained, held-out losses, its ending. Saved with the trainer's state."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from charrnn.config import TrainingConfig
from charrnn.engine.checkpoint_writer import Snapshot
from charrnn.engine.ending import Ending
from charrnn.engine.held_out import HeldOut
from charrnn.engine.trainer_messages import Progress
from charrnn.runs.checkpoint import load_tensors
from charrnn.runs.manifest import MODEL, STATE
from charrnn.runs.saved import Saved
from charrnn.training.ranks import ALONE, Ranks
from charrnn.training.trainer import Trainer


class RunState:
    """`seconds` counts training alone, over restarts, without pauses."""

    def __init__(self, trainer: Trainer, config: TrainingConfig, ranks: Ranks = ALONE) -> None:
        """Of a run that begins."""
        self._ranks = ranks
        self.trainer = trainer
        self.seconds = 0.0
        self.held_out = HeldOut(config.patience)
        self.ending = Ending(config)

    def restore(self, path: Path, planned: TrainingConfig) -> bool:
        """Goes on from the checkpoint at `path`; `planned` is what the run was told when it was written.

        Whether a last cool-down was called off, because the run is now to end elsewhere. Raises UsageError.
        """
        checkpoint = Saved(path, 0, None)
        self.trainer.model.load_state_dict(self._ranks.tensors_of_first(lambda: load_tensors(checkpoint, MODEL)))
        state = self._ranks.tensors_of_first(lambda: load_tensors(checkpoint, STATE))
        self.seconds = float(state.pop("run.seconds"))
        self.ending.last = bool(state.pop("run.last_cooldown", torch.tensor(False)))
        self.held_out.load_state(state)
        if self.held_out.exhausted:  # it ended for that, and is wanted to go on all the same
            self.held_out.since_best = 0
        self.trainer.load_state(state)
        if not self.ending.last or Ending(planned).same_as == self.ending.same_as:
            return False
        self.ending.last = False
        self.trainer.end_cooldown()
        return True

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

    def snapshot(self, *, asked: bool) -> Snapshot:
        """All of it, copied, on its way to the disk; `asked`: somebody waits for the news."""
        trainer = self.trainer
        weights = trainer.evaluated_model.state_dict()
        own: dict[str, Tensor] = {
            "run.seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "run.last_cooldown": torch.tensor(self.ending.last),
        }
        return Snapshot(
            trainer.steps_done,
            {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()},
            {**trainer.state(), **own, **self.held_out.state()},
            self.held_out.at(trainer.steps_done),
            asked,
        )

"""What happened in training, as a sentence for whoever watches. No torch here."""

from __future__ import annotations

from pathlib import Path

from charrnn.engine import trainer_messages as trainer
from charrnn.engine.death import Death
from charrnn.engine.messages import Notice, Status


def of_cooldown(applied: trainer.Applied, status: Status) -> Notice:
    """A cool-down has begun, is done, or was called off."""
    steps, rate = int(applied.value), f"{status.learning_rate:.3g}"
    end = applied.step + steps
    if applied.event == "last_cooldown":
        return Notice("info", f"The last cool-down has begun: over {steps:,} steps, to the run's end at step {end:,}.")
    if applied.event == "cooled":
        words = f"Cooled down and saved at step {applied.step:,}; training waits"
        return Notice("info", f"{words}: space trains on at the stable rate {rate}, q leaves.")
    if not steps:
        return Notice("info", f"The cool-down was called off: the learning rate is {rate} again.")
    if status.state == "paused":
        return Notice("info", f"When training goes on (space), it cools down over {steps:,} steps; c calls it off.")
    return Notice("info", f"Cooling down over {steps:,} steps, to step {end:,}; c calls it off.")


def of_skipped(skipped: trainer.Skipped) -> Notice:
    """Steps without a finite loss."""
    words = f"{skipped.count:,} steps up to step {skipped.step:,} had no finite loss and changed no weights"
    return Notice("warning", f"{words}; a lower learning rate (,) helps.")


def of_return(back: trainer.WentBack) -> Notice:
    """The run went back to an earlier state."""
    why = "exploded" if back.exploded else "was not finite"
    words = f"The loss {why} at step {back.step:,}: back to the state of step {back.to:,}"
    if back.stuck:
        return Notice(
            "error",
            f"{words}, again and again, so training waits: space tries once more with the learning rate "
            f"{back.rate:.3g}, which , lowers.",
        )
    return Notice("warning", f"{words}, with the learning rate {back.rate:.3g} from here on.")


def of_stall(stalled: trainer.Stalled) -> Notice:
    """The held-out loss has not fallen for long."""
    words = f"The held-out loss has not fallen for {stalled.evaluations:,} evaluations"
    return Notice("info", f"{words}{_best(stalled.best, stalled.best_step)}; a cool-down (c) may help, q stops.")


def of_end(done: trainer.Done) -> Notice:
    """Training has ended by itself, or somebody ended the trainer."""
    words = {"asked": "was ended from outside", "patience": "has stopped, for the held-out loss no longer falls"}
    what = words.get(done.reason, "is done")
    return Notice(
        "info", f"Training {what}: {done.step:,} steps, checkpoint written{_best(done.best, done.best_step)}."
    )


def sentence(words: str) -> str:
    """A clause as a sentence."""
    return f"{words[0].upper()}{words[1:]}."


def of_restart(death: Death, step: int, start: int) -> Notice:
    """The trainer died after `step` steps, and another one goes on after step `start`."""
    place = f"from the checkpoint of step {start:,}" if start else "from the beginning, for there was no checkpoint yet"
    return Notice("error", f"{sentence(death.words)} That was after step {step:,}; it starts again {place}.")


def of_failure(death: Death, step: int, start: int, restarts: int, run: Path, attended: bool) -> Notice:
    """It died, and is not started again by itself."""
    often = f" (it was started again {restarts} times of late)" if death.again and restarts else ""
    place = f"step {start:,}" if start else "the beginning"
    way = f"space starts it again from {place}, q leaves" if attended else f"the run goes on from {place} when opened"
    return Notice(
        "error", f"Training stopped after step {step:,}: {death.words}{often}; {way}; {run}/engine.log has more."
    )


def _best(loss: float | None, step: int | None) -> str:
    if loss is None:
        return ""
    return f"; the best was {loss:.3f}" + (f" at step {step:,}" if step is not None else "")

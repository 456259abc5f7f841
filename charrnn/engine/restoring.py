"""A checkpoint whose content is not that of its run is refused with a sentence, wherever it first shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from charrnn.config import UsageError
from charrnn.runs.saved import step_of
from charrnn.training.ranks import RankLostError


@contextmanager
def said_of(checkpoint: str) -> Iterator[None]:
    """Raises UsageError for what goes wrong while the state of the checkpoint in this folder is taken up."""
    try:
        yield
    except RankLostError:
        raise
    except (LookupError, ValueError, TypeError, RuntimeError, OverflowError) as error:
        first = next(iter(str(error).splitlines()), "")
        raise _misfit(checkpoint, f"{type(error).__name__}: {first}") from error


def require_step(checkpoint: str, step: int) -> None:
    """Raises UsageError unless the state that was taken up is of the step that the folder is named after."""
    named = step_of(Path(checkpoint))
    if step != named:
        raise _misfit(checkpoint, f"its state is of step {step:,}")


def _misfit(checkpoint: str, why: str) -> UsageError:
    return UsageError(
        f"The checkpoint {checkpoint} does not fit this run ({why}); move it away to go on from the one before, or "
        "start a new run."
    )

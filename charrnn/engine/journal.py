"""What a run has told of late, saved with its state: a record that lacks some of it gets it when the run goes on.

The engine may die, or be refused by the disk, between hearing of a step and writing it down, and the trainer's last
checkpoint is then ahead of the record. It also says which of the changes at the checkpoint's own step it has in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec
import torch
from torch import Tensor

from charrnn.config import UsageError
from charrnn.engine.messages import LossPoint
from charrnn.runs.events import Change

POINTS, LATEST_CHANGES = 1024, 256


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    points: list[LossPoint]
    changes: list[Change]


class Journal:
    """The last POINTS loss points and LATEST_CHANGES changes of a run, oldest first."""

    def __init__(self) -> None:
        self._points: deque[LossPoint] = deque(maxlen=POINTS)
        self._changes: deque[Change] = deque(maxlen=LATEST_CHANGES)

    @property
    def points(self) -> list[LossPoint]:
        return list(self._points)

    @property
    def changes(self) -> list[Change]:
        return list(self._changes)

    def add(self, points: Iterable[LossPoint] = (), changes: Iterable[Change] = ()) -> None:
        """What was told now; partial points are not for here."""
        self._points.extend(point for point in points if not point.partial)
        self._changes.extend(changes)

    @property
    def seconds(self) -> list[float]:
        """The points' seconds. They are saved apart: all else is the same in every run of the same record."""
        return [point.seconds for point in self._points]

    def state(self) -> dict[str, Tensor]:
        """For state.safetensors: bytes of msgpack; the points without their seconds."""
        points = [msgspec.structs.replace(point, seconds=0.0) for point in self._points]
        return {"run.journal": bytes_tensor(msgspec.msgpack.encode(_Kept(points, self.changes)))}

    def load_state(self, state: dict[str, Tensor], seconds: list[float]) -> None:
        """Takes what is its own out of `state`; older checkpoints have nothing. Raises UsageError."""
        packed = state.pop("run.journal", None)
        if packed is None:
            return
        try:
            kept = msgspec.msgpack.decode(tensor_bytes(packed), type=_Kept)
            timed = zip(kept.points, seconds, strict=True)
            self.add([msgspec.structs.replace(point, seconds=s) for point, s in timed], kept.changes)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise UsageError(
                f"The checkpoint's journal cannot be read ({error}); open another checkpoint, or start a new run."
            ) from None


def bytes_tensor(data: bytes) -> Tensor:
    """Bytes as a tensor of them, shape (bytes,)."""
    return torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.zeros(0, dtype=torch.uint8)


def tensor_bytes(tensor: Tensor) -> bytes:
    """The bytes of such a tensor. Raises TypeError for any other."""
    if tensor.dtype != torch.uint8 or tensor.dim() != 1:
        raise TypeError(f"bytes are no {tensor.dtype} of shape {tuple(tensor.shape)}")
    return tensor.numpy().tobytes()

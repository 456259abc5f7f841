"""The shared-memory hand-over of weights: the trainer writes, the sampler reads, and neither ever waits.

Two slots and a sequence number for each (a seqlock): the trainer fills the slot that is not the newest, with its
number odd while it writes, then names it the newest. A reader copies the newest and takes the copy only if the
slot's number was even and did not change. The memory is an unlinked file, so nothing is left behind by a crash.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping

import torch

_HEADER = 64
_NEWEST, _SEQUENCE, _STEP = 0, 1, 3


class SharedWeights:
    """Both ends of the hand-over, over a descriptor of `memory.open_memory`.

    `parameters` are the tensors of a model's state_dict, in its order; they go over as float32. Both ends must be
    built from models of the same shape. `create` is the writer's end; one that takes over from a writer that died takes
    the memory as it is. Raises ValueError if it was made for a model of another shape.
    """

    def __init__(self, descriptor: int, parameters: Mapping[str, torch.Tensor], *, create: bool) -> None:
        self._parameters = list(parameters.values())
        count = sum(p.numel() for p in self._parameters)
        size = _HEADER + 2 * 4 * count
        if create:
            if os.fstat(descriptor).st_size not in (0, size):  # a reader has it mapped: it must not shrink
                raise ValueError("the shared memory belongs to a model of another shape")
            os.ftruncate(descriptor, size)
        self._memory = mmap.mmap(descriptor, size)
        self._header = torch.frombuffer(self._memory, dtype=torch.int64, count=_HEADER // 8)
        both = torch.frombuffer(self._memory, dtype=torch.float32, offset=_HEADER, count=2 * count)
        self._slots = [self._views(both[:count]), self._views(both[count:])]
        self._read_version, self._read = 0, (0, 0)
        if create:  # who wrote before may have died in the middle of it
            for slot in range(2):
                self._header[_SEQUENCE + slot] += self._header[_SEQUENCE + slot] % 2

    def _views(self, slot: torch.Tensor) -> list[torch.Tensor]:
        sizes = [p.numel() for p in self._parameters]
        return [part.view(p.shape) for part, p in zip(torch.split(slot, sizes), self._parameters, strict=True)]

    @torch.no_grad()
    def publish(self, step: int) -> None:
        """Writes the weights as they are now; `step` is the training step that made them."""
        version = int(self._header[_NEWEST]) + 1
        slot = version % 2
        self._header[_SEQUENCE + slot] += 1
        for view, parameter in zip(self._slots[slot], self._parameters, strict=True):
            view.copy_(parameter)
        self._header[_STEP + slot] = step
        self._header[_SEQUENCE + slot] += 1
        self._header[_NEWEST] = version

    @torch.no_grad()
    def refresh(self) -> int | None:
        """Copies newer weights, if there are any, into this end's tensors; the step that made them, else None.

        A copy that was torn by the writer is thrown away and tried again from the slot that is then the newest.
        """
        for _ in range(8):
            version = int(self._header[_NEWEST])
            if version == self._read_version:
                return None
            slot = version % 2
            sequence = int(self._header[_SEQUENCE + slot])
            if sequence % 2:
                continue
            if (slot, sequence) == self._read:  # it was read already, when the header still named the set before it
                self._read_version = version
                return None
            copies = [view.clone() for view in self._slots[slot]]
            step = int(self._header[_STEP + slot])
            if int(self._header[_SEQUENCE + slot]) != sequence:
                continue
            for parameter, copy in zip(self._parameters, copies, strict=True):
                parameter.copy_(copy)
            self._read_version, self._read = version, (slot, sequence)
            return step
        return None

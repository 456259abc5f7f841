from __future__ import annotations

import os
import threading

import torch

from charrnn.engine.memory import open_memory
from charrnn.engine.weights import SharedWeights


def shapes(value: float) -> dict[str, torch.Tensor]:
    return {"a": torch.full((300, 70), value), "b": torch.full((11,), value), "scalar": torch.tensor(value)}


def test_weights_go_over_whole_and_only_when_they_are_new() -> None:
    memory = open_memory()
    written, read = shapes(0.0), shapes(-1.0)
    writer = SharedWeights(memory, written, create=True)
    reader = SharedWeights(memory, read, create=False)
    assert reader.refresh() is None
    written["a"].copy_(torch.arange(21000.0).view(300, 70))
    writer.publish(17)
    assert reader.refresh() == 17
    assert all(torch.equal(read[name], written[name]) for name in written)
    assert reader.refresh() is None
    os.close(memory)


def test_a_reader_never_sees_a_half_written_set() -> None:
    memory = open_memory()
    written, read = shapes(0.0), shapes(0.0)
    writer = SharedWeights(memory, written, create=True)
    reader = SharedWeights(memory, read, create=False)
    enough = threading.Event()

    def write() -> None:
        for step in range(1, 3000):
            for tensor in written.values():
                tensor.fill_(step)
            writer.publish(step)
            if enough.is_set():
                return

    thread = threading.Thread(target=write)
    thread.start()
    seen: list[int] = []
    while thread.is_alive() and len(seen) < 400:
        step = reader.refresh()
        if step is not None:
            assert all(bool((tensor == step).all()) for tensor in read.values())
            seen.append(step)
    enough.set()
    thread.join()
    assert seen == sorted(set(seen))
    assert seen
    os.close(memory)


def test_the_memory_has_no_name_that_a_crash_could_leave_behind() -> None:
    memory = open_memory(b"abc")
    assert os.fstat(memory).st_nlink == 0
    assert os.pread(memory, 10, 0) == b"abc"
    os.close(memory)

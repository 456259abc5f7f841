from __future__ import annotations

import os
import threading

import pytest
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


def test_a_set_that_came_while_the_one_before_was_looked_up_is_read_once() -> None:
    memory = open_memory()
    writer = SharedWeights(memory, shapes(0.0), create=True)
    reader = SharedWeights(memory, shapes(-1.0), create=False)
    for step in (1, 2, 3):
        writer.publish(step)
    newest = int(reader._header[0])
    reader._header[0] = newest - 2  # what a reader had seen that was interrupted there
    assert reader.refresh() == 3
    reader._header[0] = newest
    assert reader.refresh() is None
    writer.publish(4)
    assert reader.refresh() == 4
    os.close(memory)


def test_the_memory_has_no_name_that_a_crash_could_leave_behind() -> None:
    memory = open_memory(b"abc")
    assert os.fstat(memory).st_nlink == 0
    assert os.pread(memory, 10, 0) == b"abc"
    os.close(memory)


def test_a_writer_that_died_while_it_wrote_is_followed_by_another() -> None:
    memory = open_memory()
    read = shapes(-1.0)
    first = SharedWeights(memory, shapes(1.0), create=True)
    first.publish(10)
    reader = SharedWeights(memory, read, create=False)
    assert reader.refresh() == 10
    first._header[1 + 0] += 1  # it died in the middle of the other slot
    second = SharedWeights(memory, shapes(2.0), create=True)
    assert reader.refresh() is None
    second.publish(0)
    assert reader.refresh() == 0
    assert float(read["b"][0]) == 2.0
    for step in (1, 2, 3):
        second.publish(step)
        assert reader.refresh() == step
    os.close(memory)


def test_memory_of_another_shape_is_never_cut_under_its_reader() -> None:
    memory = open_memory()
    SharedWeights(memory, shapes(1.0), create=True)
    size = os.fstat(memory).st_size
    with pytest.raises(ValueError, match="another shape"):
        SharedWeights(memory, {"a": torch.zeros(3)}, create=True)
    assert os.fstat(memory).st_size == size
    os.close(memory)

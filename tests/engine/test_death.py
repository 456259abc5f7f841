"""How a trainer ended, in words: what real processes leave behind, and what the kernel counts."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

from charrnn.engine.death import Death, MemoryKills, death_of, fitting_batch, memory_kills, where

NONE = MemoryKills(0, 0)


def ended(code: str) -> tuple[int, str]:
    """The exit status and the last words of a Python process."""
    script = "import faulthandler, signal, sys\nfaulthandler.enable()\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_signal_is_named_with_the_place_where_it_struck() -> None:
    death = death_of(*ended("import os\ndef step():\n    os.kill(os.getpid(), signal.SIGSEGV)\nstep()"), 8, NONE, NONE)
    assert death == Death("the trainer was ended by SIGSEGV", "in <string>, line 5 (step)")
    assert death.words == "the trainer was ended by SIGSEGV, in <string>, line 5 (step)"


def test_an_exception_is_told_with_the_last_place_that_is_ours() -> None:
    code = """
    from charrnn.text.sources import require_target
    require_target(7)
    """
    death = death_of(*ended(code), 8, NONE, NONE)
    assert death.what.startswith("the trainer failed: AttributeError: ")
    assert death.where.startswith("in charrnn/text/")
    assert death.where.endswith(")")


def test_an_exception_of_many_lines_is_told_by_its_first() -> None:
    status, said = ended("raise RuntimeError('CUDA error: unspecified launch failure\\nCompile with something')")
    assert death_of(status, said, 8, NONE, NONE).what == (
        "the trainer failed: RuntimeError: CUDA error: unspecified launch failure"
    )


def test_without_any_words_the_status_is_told() -> None:
    assert death_of(3, "", 8, NONE, NONE).words == "the trainer ended with status 3"


def test_memory_that_ran_out_names_the_batch_that_would_fit() -> None:
    code = """
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
    kept = bytearray(2**30)
    """
    death = death_of(*ended(code), 32, NONE, NONE)
    assert death.what == "the trainer ran out of memory"
    assert death.advice == "a new run with --batch 16 instead of 32 needs less"


def test_the_words_of_torch_for_want_of_memory_are_understood() -> None:
    cuda = (
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 8.00 GiB. GPU 0 has a total capacity of 15.00 "
        "GiB of which 1.50 GiB is free. Process 1 has 13.00 GiB memory in use."
    )
    death = death_of(1, f"Traceback (most recent call last):\n{cuda}\n", 64, NONE, NONE)
    assert death.what == "the trainer ran out of memory (it asked for 8.00 GiB more)"
    assert "--batch 8 instead of 64" in death.advice
    cpu = "RuntimeError: [enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried to"
    assert (
        death_of(1, cpu, 1, NONE, NONE).advice == "a new run with a smaller --length, --hidden or --layers needs less"
    )


@pytest.mark.parametrize(
    ("batch", "tried", "free", "fits"),
    [(32, None, None, 16), (32, 8.0, 8.0, 16), (32, 8.0, 1.0, 4), (32, 64.0, 1.0, 0), (1, None, None, 0), (5, 5, 2, 2)],
)
def test_the_batch_that_fits(batch: int, tried: float | None, free: float | None, fits: int) -> None:
    assert fitting_batch(batch, tried, free) == fits


@pytest.mark.parametrize(
    ("before", "now", "words", "advised"),
    [
        (MemoryKills(2, 5), MemoryKills(3, 6), "the kernel ended the trainer (SIGKILL), for memory had run out", True),
        (MemoryKills(2, 5), MemoryKills(2, 6), "SIGKILL, most likely by the kernel for want of memory", True),
        (MemoryKills(None, None), MemoryKills(None, None), "SIGKILL (out of memory, most likely)", True),
        (MemoryKills(2, 5), MemoryKills(2, 5), "SIGKILL, by somebody or something outside", False),
    ],
)
def test_sigkill_is_the_kernels_where_its_counts_say_so(
    before: MemoryKills, now: MemoryKills, words: str, advised: bool
) -> None:
    death = death_of(-signal.SIGKILL, "", 8, before, now)
    assert words in death.what
    assert bool(death.advice) == advised


def test_the_kernels_counts_only_grow() -> None:
    first, second = memory_kills(), memory_kills()
    for before, after in ((first.group, second.group), (first.machine, second.machine)):
        assert (before is None) == (after is None)
        assert before is None or after is None or after >= before


def test_a_dump_that_was_asked_for_says_where_the_process_is() -> None:
    _, said = ended("def wait():\n    faulthandler.dump_traceback()\nwait()")
    assert where("some words before\n" + said) == "in <string>, line 4 (wait)"
    assert where("nothing of the kind") == ""

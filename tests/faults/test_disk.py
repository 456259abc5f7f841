"""A run outlives its disk: really full, really read-only, its folder really removed; and is whole when that is over."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.faults.promise import Outcome, Promise

ROOT = Path(__file__).parents[2]
KINDS = ("full", "read-only", "vanished")
AT_ONCE = 3
ENOUGH = 300.0  # seconds, for one try on a very busy machine


@cache
def namespace() -> tuple[str, ...]:
    """What a command is begun with to have mounts of its own; nothing where the system does not allow it."""
    words = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which(words[0]) is None:
        return ()
    tried = subprocess.run(
        [*words, "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"], capture_output=True, check=False
    )
    return words if tried.returncode == 0 else ()


def one_try(number: int, folder: Path, seed: int) -> dict[str, Any]:
    """One run with one fault, in a process group of its own."""
    kind = KINDS[number % len(KINDS)]
    words = [sys.executable, "-m", "tests.faults.disk_inside", kind, str(folder / str(number)), str(seed + number)]
    process = subprocess.Popen(
        [*namespace(), *words, "mounted" if namespace() else "limited"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=ENOUGH)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        out, err = process.communicate()
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        last = (err.strip().splitlines() or ["nothing was said"])[-1]
        found = {"broken": [f"the try ended with status {process.returncode}: {last}"]}
    return {**found, "kind": kind, "seed": seed + number}


def keep(times: int, folder: Path, seed: int) -> Outcome:
    with ThreadPoolExecutor(AT_ONCE) as several:
        tries = list(several.map(lambda number: one_try(number, folder, seed), range(times)))
    measured = []
    for name, words in (("told", "banner after {:.1f} s"), ("over", "gone {:.1f} s after it was over")):
        seconds = sorted(one[name] for one in tries if name in one)
        if seconds:
            measured.append(f"{words.format(statistics.median(seconds))} (at most {seconds[-1]:.1f})")
    if not namespace():
        measured.append("no mount namespace here, so a limit of file sizes stood for the full and the read-only disk")
    broken = [f"{one['kind']} (seed {one['seed']}): {'; '.join(one['broken'])}" for one in tries if one["broken"]]
    return Outcome(times, ", ".join(measured), tuple(broken))


PROMISES = (
    Promise(
        row=13,
        name="full disk, read-only disk, vanished folder",
        figure="training goes on, old checkpoints whole, a banner while it lasts, nothing lost",
        often=30,
        few=3,
        keep=keep,
    ),
)


def inside(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A script in a namespace of its own, where `$disk` is a mount of 8 MB and `$charrnn` the command.

    The test is skipped where the system allows no such thing.
    """
    if not namespace():
        pytest.skip("this system allows no mount namespaces")
    begin = f'charrnn="{sys.executable} -m charrnn"; disk="$1/disk"; mkdir "$disk"; mount -t tmpfs -o size=8m t "$disk"'
    words = [*namespace(), "bash", "-euc", f"{begin}\n{script}", "bash", str(folder)]
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=200)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever of it is left
    return subprocess.CompletedProcess(words, process.returncode, out, err)


TRAIN = "--hidden 16 --embedding 8 --batch 4 --length 16 --threads 1"


def test_a_run_on_a_read_only_or_full_disk_is_read_and_not_trained(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a run that nobody may write to any more " * 100)
    done = inside(
        tmp_path,
        f'''at="--runs-folder $disk"
        $charrnn train "$1/text" {TRAIN} --steps 3 --run kept $at 2> "$1/log"
        find "$disk" | sort > "$1/before"
        mount --bind "$disk" "$disk"; mount -o remount,bind,ro "$disk"
        $charrnn runs $at
        $charrnn sample kept $at --length 5 --seed 1 > /dev/null
        $charrnn evaluate kept $at
        $charrnn export kept $at -o "$1/kept.csv"
        status=0; $charrnn train kept $at --steps 6 || status=$?; echo "read-only, kept: $status"
        status=0; $charrnn train "$1/text" $at || status=$?; echo "read-only, new: $status"
        umount "$disk"
        status=0; $charrnn train "$1/text" --cell lstm --hidden 600 $at || status=$?; echo "little room, new: $status"
        head -c 7500000 /dev/zero > "$disk/filler"
        status=0; $charrnn train kept $at --steps 6 || status=$?; echo "little room, kept: $status"
        rm "$disk/filler"; find "$disk" | sort | cmp - "$1/before"''',
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for case in ("read-only, kept", "read-only, new", "little room, new", "little room, kept"):
        assert f"{case}: 2" in done.stdout.splitlines()
    refusals = [line for line in done.stderr.splitlines() if line.startswith("charrnn train")]
    assert len(refusals) == 4
    assert refusals[0].endswith("is on a read-only disk; make it writable again to train on.")
    assert refusals[1].endswith("is on a read-only disk; choose another place with --runs-folder.")
    assert all("The run needs about" in line and "MB are free; make room there" in line for line in refusals[2:])
    assert (tmp_path / "kept.csv").read_text().count("\n") == 4


def test_a_run_that_is_stopped_while_the_disk_refuses_says_what_is_not_on_it(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("the end comes while the disk is full " * 100)
    done = inside(
        tmp_path,
        f"""$charrnn train "$1/text" {TRAIN} --run cut --runs-folder "$disk" 2> "$1/log" & engine=$!
        until test -s "$disk/cut/metrics.jsonl"; do sleep 0.1; done
        cat /dev/zero > "$disk/filler" 2> /dev/null || true
        until grep -q "^trouble" "$1/log"; do sleep 0.1; done
        kill -TERM $engine; status=0; wait $engine || status=$?; echo "stopped: $status"; cat "$1/log" >&2""",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stopped: 143" in done.stdout
    (end,) = [line for line in done.stderr.splitlines() if line.startswith("end ")]
    assert "not all of it is on disk" in end
    assert "No space left on device" in end

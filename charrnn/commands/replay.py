"""`charrnn train RUN --replay`: the run is made again from its record, and its weights are compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from msgspec.structs import replace

from charrnn.commands.train import train
from charrnn.config import UsageError
from charrnn.engine.circumstances import differences
from charrnn.engine.messages import RunRequest
from charrnn.engine.replay import read_replay, replay_name
from charrnn.runs import directory
from charrnn.runs.checkpoint import load_tensors
from charrnn.runs.events import read_events
from charrnn.runs.manifest import MODEL
from charrnn.runs.saved import Saved, choose_checkpoint, read_manifest


def replay(request: RunRequest) -> int:
    """Trains the replay and prints whether it is the run; 0 if it is bit for bit, 1 if not. Raises UsageError.

    The status of the training where that did not come to its end.
    """
    folder = directory.runs_folder(request.runs_folder)
    run = directory.find_run(request.target, folder)
    if run is None:
        raise UsageError(f"There is no run {request.target!r} in {folder}; `charrnn runs` lists what there is.")
    until = read_replay(run, request.options).until
    recorded = choose_checkpoint(run, str(until))
    facts, wanted = read_manifest(recorded.path).circumstances(), weights_digest(recorded)  # a live run may drop it
    place = directory.new_place(run.name, request.run or replay_name(run, folder), folder)
    status = train(replace(request, run=str(place)))
    if status:
        return status
    made = choose_checkpoint(place, str(until))
    found = weights_digest(made)
    if found == wanted:
        print(f"the same, bit for bit: the weights after step {until:,} (sha256 {wanted})")
        return 0
    why = (
        differences(facts, read_manifest(made.path).circumstances())
        or _broken(run, until)
        or "for no reason that the record knows"
    )
    print(f"differs: {why} (sha256 {wanted} then, {found} now, of the weights after step {until:,})")
    return 1


def weights_digest(checkpoint: Saved) -> str:
    """sha256 over the name, type, shape and numbers of every tensor of a checkpoint's model. Raises UsageError."""
    digest = hashlib.sha256()
    for name, tensor in sorted(load_tensors(checkpoint, MODEL).items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _broken(run: Path, until: int) -> str:
    """Where the run itself went on in other circumstances than before."""
    for event in read_events(run):
        differs = event.value.get("differs") if event.event == "resumed" and isinstance(event.value, dict) else ""
        if differs and event.step < until:
            return f"the run went on at step {event.step:,} in other circumstances ({differs})"
    return ""

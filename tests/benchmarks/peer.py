"""Ours and nanoGPT's character-level recipe on the same text and machine, in one run: who learns faster.

    git clone https://github.com/karpathy/nanoGPT
    python -m tests.benchmarks.peer CORPUS --peer nanoGPT [--seeds 3] [--long | --only-long] [--gpu]

The peer's recipe is its README's for a computer without a GPU, as it stands there; with `--gpu` the one for a GPU. The
last tenth of the text is held out from both. Every time is that of a whole command, from its start to its end, imports
and evaluations and all. A loss is taken from the finished run by its last checkpoint, over all of the held-out text:
`window:64` (each window of 64 characters from nothing, which is all that the peer's model can see), or `stream`.

Ours are three commands: so few steps that the peer's loss is just reached, fixed beforehand (`--first-steps`); the
peer's own wall time (`--minutes` less what starting and ending take); and with `--long` ten minutes of training.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

CPU_RECIPE = [
    *("--device=cpu", "--compile=False", "--eval_iters=20", "--log_interval=1", "--block_size=64", "--batch_size=12"),
    *("--n_layer=4", "--n_head=4", "--n_embd=128", "--max_iters=2000", "--lr_decay_iters=2000", "--dropout=0.0"),
]
START_AND_END = 10.0
"""Seconds that our command takes beyond its training, generously: it must not take longer than the peer."""


@dataclass(frozen=True)
class Figure:
    """One finished command."""

    seconds: float
    losses: dict[str, float]


class Peer:
    """A copy of the peer's repository with our text in it."""

    def __init__(self, repository: Path, folder: Path, ids: np.ndarray, held_out_at: int, symbols: str) -> None:
        self.folder = folder / "peer"
        shutil.copytree(repository, self.folder, ignore=shutil.ignore_patterns(".git"))
        data = self.folder / "data" / "shakespeare_char"
        ids[:held_out_at].astype(np.uint16).tofile(data / "train.bin")
        ids[held_out_at:].astype(np.uint16).tofile(data / "val.bin")
        with (data / "meta.pkl").open("wb") as file:  # the format that the peer reads
            pickle.dump({"vocab_size": len(symbols)}, file)
        self.held_out = torch.from_numpy(ids[held_out_at:].astype(np.int64))

    def run(self, seed: int, recipe: list[str], window: int) -> Figure:
        """Its recipe with another seed: the wall time, and its loss in windows of so many characters."""
        out = self.folder / f"out-{seed}"
        script = self.folder / "train.py"
        text = script.read_text(encoding="utf-8")
        (self.folder / "train_seeded.py").write_text(
            text.replace("torch.manual_seed(1337 +", f"torch.manual_seed({1336 + seed} +"), encoding="utf-8"
        )
        options = ["config/train_shakespeare_char.py", *recipe, f"--out_dir={out}"]
        if recipe:
            options.append("--always_save_checkpoint=True")  # its final loss, not that of a lucky estimate
        seconds = timed([sys.executable, "train_seeded.py", *options], self.folder)
        return Figure(seconds, {f"window:{window}": self._loss(out / "ckpt.pt", window)})

    def _loss(self, checkpoint: Path, window: int) -> float:
        spec = importlib.util.spec_from_file_location("peer_model", self.folder / "model.py")
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        sys.modules["peer_model"] = module
        spec.loader.exec_module(module)
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model = module.GPT(module.GPTConfig(**saved["model_args"]))
        model.load_state_dict({name.removeprefix("_orig_mod."): t for name, t in saved["model"].items()})
        model.eval()
        total, pairs = 0.0, len(self.held_out) - 1
        with torch.inference_mode():
            whole = pairs // window
            inputs = self.held_out[: whole * window].view(whole, window)
            targets = self.held_out[1 : whole * window + 1].view(whole, window)
            for x, y in zip(inputs.split(64), targets.split(64), strict=True):
                total += model(x, y)[1].item() * y.numel()
            if pairs > whole * window:
                x, y = self.held_out[None, whole * window : -1], self.held_out[None, whole * window + 1 :]
                total += model(x, y)[1].item() * y.numel()
        return total / pairs


def timed(command: list[str], folder: Path) -> float:
    """Wall seconds of a whole command; what it says is only shown if it fails."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def ours(corpus: Path, folder: Path, name: str, options: list[str], protocols: list[str]) -> Figure:
    """`charrnn train` as a user starts it, and the losses of its last checkpoint."""
    place = folder / name
    charrnn = [sys.executable, "-m", "charrnn"]
    seconds = timed([*charrnn, "train", str(corpus), "--run", str(place), *options], folder)
    losses = {}
    for protocol in protocols:
        command = [*charrnn, "evaluate", str(place), "--checkpoint", "last", "--protocol", protocol, "--json"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        losses[protocol] = float(json.loads(said)["nats_per_char"])
    return Figure(seconds, losses)


def row(name: str, figures: list[Figure]) -> None:
    """The median, and from the least to the most."""

    def span(values: list[float], digits: int) -> str:
        return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"

    losses = "   ".join(f"{p} {span([f.losses[p] for f in figures], 4)}" for p in figures[0].losses)
    print(f"{name:28} {span([f.seconds for f in figures], 1):>22} s   {losses}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--peer", type=Path, required=True, help="a checkout of github.com/karpathy/nanoGPT")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-steps", type=int, default=200)
    parser.add_argument("--long", action="store_true", help="also ten minutes of training, for each seed")
    parser.add_argument("--only-long", action="store_true", help="nothing else")
    parser.add_argument("--gpu", action="store_true", help="the peer's recipe for a GPU, and ours on the same one")
    parser.add_argument("--options", default="", help="more options for our commands, in one string")
    arguments = parser.parse_args()
    corpus, more = arguments.corpus.absolute(), arguments.options.split()
    text = corpus.read_text(encoding="utf-8")
    symbols = "".join(sorted(set(text)))
    ids = np.array([symbols.index(character) for character in text], dtype=np.uint16)
    window = 256 if arguments.gpu else 64
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        peer = Peer(arguments.peer, folder, ids, len(ids) - len(ids) // 10, symbols)
        figures: dict[str, list[Figure]] = {}

        def add(name: str, figure: Figure) -> None:
            figures.setdefault(name, []).append(figure)
            row(f"  seed {len(figures[name])}: {name}", [figure])

        protocols = [f"window:{window}", "stream"]
        for seed in range(1, arguments.seeds + 1):
            own = ["--seed", str(seed), *(["--device", "cuda"] if arguments.gpu else []), *more]
            if not arguments.only_long:
                add("nanoGPT", peer.run(seed, [] if arguments.gpu else CPU_RECIPE, window))
                first = ["--steps", str(arguments.first_steps), *own]
                add("ours, first steps", ours(corpus, folder, f"first-{seed}", first, protocols))
                minutes = max(0.1, (figures["nanoGPT"][-1].seconds - START_AND_END) / 60)
                same = ["--minutes", f"{minutes:.3f}", *own]
                add("ours, the same time", ours(corpus, folder, f"same-{seed}", same, protocols))
            if arguments.long or arguments.only_long:
                add("ours, ten minutes", ours(corpus, folder, f"long-{seed}", ["--minutes", "10", *own], protocols))
        print(f"\n{arguments.seeds} seeds: the median (least-most)")
        for name, found in figures.items():
            row(name, found)
        if not arguments.only_long:
            times = zip(figures["nanoGPT"], figures["ours, first steps"], strict=True)
            print(f"times as fast to its loss: {statistics.median(p.seconds / o.seconds for p, o in times):.1f}")


if __name__ == "__main__":
    main()

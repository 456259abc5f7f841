"""Makes the README's pictures and its recording from a real run in a real pseudo-terminal.

    python -m tests.pictures [FOLDER] [--quick]

FOLDER is `docs` by default. It takes some three minutes, for the pictures show what a minute of learning has led to;
`--quick` waits for next to nothing, as the test of this script does. The recording is in asciinema's format, version 2
(docs.asciinema.org): `asciinema play docs/charrnn.cast`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.pictures.scenes import PICTURES, RECORDING, Scene
from tests.pictures.svg import svg_of
from tests.terminal.pseudo_terminal import Terminal

PAUSES_AT_MOST = 1.0
"""Seconds for which a recording may stand still."""


class Stage(Terminal):
    """A workbench that is recorded."""

    def __init__(self, scene: Scene, command: list[str], **environment: str) -> None:
        self.frames: list[tuple[float, bytes]] = []
        super().__init__(command, scene.size, **environment)

    def read(self, seconds: float) -> bool:
        before = len(self.raw)
        alive = super().read(seconds)
        if len(self.raw) > before:
            self.frames.append((time.monotonic(), bytes(self.raw[before:])))
        return alive

    def play(self, scene: Scene, quick: float) -> str:
        """Acts the scene out; the picture of its end."""
        self.shows("● training", seconds=120)
        for act in scene.acts:
            self.wait(act.seconds * quick)
            self.press(act.keys)
            if act.shows:
                self.shows(act.shows, seconds=30)
        self.wait(scene.rest * quick)
        return svg_of(self.screen, scene.title, scene.name)

    def come_back(self) -> None:
        """To the run's own screen."""
        for _ in range(10):
            if any("Stream" in row for row in self.screen.display):
                return
            self.press("\x1b")
            self.wait(1.0)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(min(left, 0.05))


def recording(frames: list[tuple[float, bytes]], scene: Scene) -> str:
    """The frames in asciinema's format: a header, then a line for each with its second."""
    columns, rows = scene.size
    lines = [json.dumps({"version": 2, "width": columns, "height": rows, "title": scene.title})]
    at, before, rest = 0.0, frames[0][0], b""
    for moment, data in frames:
        at += min(moment - before, PAUSES_AT_MOST)
        before, data = moment, rest + data
        text = data.decode("utf-8", "ignore")  # a character that a read has cut in two waits for its rest
        rest = data[len(text.encode()) :] if len(data) - len(text.encode()) < 4 else b""
        lines.append(json.dumps([round(at, 3), "o", text], ensure_ascii=False))
    return "\n".join(lines) + "\n"


def make(folder: Path, work: Path, quick: float) -> None:
    """Writes every picture and the recording into `folder`, of runs in `work`, under the usual settings."""
    runs, settings = work / "runs", work / "settings.toml"
    settings.touch()
    environment = {
        "CHARRNN_RUNS": str(runs),
        "CHARRNN_CACHE": str(work / "cache"),
        "CHARRNN_STATE": str(work / "state"),
        "CHARRNN_SETTINGS": str(settings),
        "LC_ALL": "C.UTF-8",
        "SSH_TTY": "",
        "NO_COLOR": "",
    }
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for scene in (*PICTURES, RECORDING):
            run = runs / scene.run
            target = [str(run)] if run.exists() else ["python-docs", "--run", scene.run]
            stage = Stage(scene, [sys.executable, "-m", "tui", *target], **environment)
            try:
                picture = stage.play(scene, quick)
                if scene is RECORDING:
                    (folder / f"{scene.name}.cast").write_text(recording(stage.frames, scene), encoding="utf-8")
                else:
                    (folder / f"{scene.name}.svg").write_text(picture, encoding="utf-8")
                    stage.come_back()
                    stage.press("q" if scene is PICTURES[-1] else "d")
                stage.end(60)
            finally:
                stage.close()
            print(f"{scene.name}: {scene.title}", flush=True)
    finally:
        subprocess.run(
            [sys.executable, "-m", "charrnn", "stop", "--all", "--runs-folder", str(runs)],
            capture_output=True,
            check=False,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default="docs", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        make(arguments.folder, Path(work), 0.02 if arguments.quick else 1.0)


if __name__ == "__main__":
    main()

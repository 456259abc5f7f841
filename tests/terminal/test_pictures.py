"""The README's pictures and its recording can be made again, from a real run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.pictures.scenes import PICTURES, RECORDING

ROOT = Path(__file__).parents[2]


def test_the_script_makes_every_picture_and_the_recording(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.pictures", str(tmp_path), "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {f"{one.name}.svg" for one in PICTURES} | {"charrnn.cast"}
    for scene in PICTURES:
        root = ElementTree.parse(tmp_path / f"{scene.name}.svg").getroot()
        words = "".join(root.itertext()).replace("\u00a0", " ")
        assert "python-docs" in words
        assert ("Runs" if scene.name == "choosing" else "training") in words
    header, *frames = map(json.loads, (tmp_path / "charrnn.cast").read_text(encoding="utf-8").splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, *RECORDING.size)
    assert [frame[0] for frame in frames] == sorted(frame[0] for frame in frames)
    assert "The class" in "".join(frame[2] for frame in frames)


def test_the_readme_shows_pictures_that_are_there_and_that_the_script_makes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for scene in PICTURES:
        assert (ROOT / "docs" / f"{scene.name}.svg").exists()
    shown = set(re.findall(r"docs/([\w.]+)", readme))
    assert shown >= {"workbench.svg", "charrnn.cast"}
    assert shown <= {f"{scene.name}.svg" for scene in PICTURES} | {"charrnn.cast"}

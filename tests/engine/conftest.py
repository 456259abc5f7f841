"""No engine of these tests writes where another test looks."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def runs_of_its_own(runs_folder: Path) -> Path:
    """Every test has a folder for runs."""
    return runs_folder

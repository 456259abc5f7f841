from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from charrnn.config import ModelConfig, TrainingConfig
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.training.room import checkpoint_bytes

"""How many examples a property test tries: few in the tests' command, many where HYPOTHESIS_PROFILE=thorough."""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = 30 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1


def examples(number: int) -> settings:
    """For a property that takes its time: `number` examples in the tests' command."""
    return settings(max_examples=number * TIMES)

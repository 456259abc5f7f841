"""Every promise, a few times in the tests' command and as often as it says with `-m long`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.promise import Promise, promises


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise.name)
def test_a_promise_is_kept_a_few_times(promise: Promise, tmp_path: Path) -> None:
    outcome = promise.keep(promise.few, tmp_path, 1)
    assert not outcome.broken, outcome.broken
    assert outcome.tried >= promise.few


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise.name)
def test_a_promise_is_kept_as_often_as_it_says(promise: Promise, tmp_path: Path) -> None:
    outcome = promise.keep(promise.often, tmp_path, 1)
    print(f"{promise.name}: tried {outcome.tried:,}, kept {outcome.kept:,}; {outcome.measured}", flush=True)
    assert not outcome.broken, outcome.broken
    assert outcome.tried >= promise.often

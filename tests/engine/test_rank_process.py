"""What several processes are told to train, before they meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from charrnn.config import CorpusConfig, UsageError
from charrnn.engine.rank_process import decided
from charrnn.engine.trainer_messages import Build
from charrnn.text.vocabulary import Characters


def build(**options: Any) -> Build:
    corpus = CorpusConfig(source="/text", name="text")
    return Build(
        options={"device": "cpu", **options},
        corpus=corpus,
        vocabulary=Characters("abc").facts(),
        dtype="uint8",
        ids=10_000,
        held_out_at=8_000,
    )


def test_a_batch_that_nobody_asked_for_comes_out_even() -> None:
    alone = decided(build(), 1, 2).recorded
    among = decided(build(), 3, 2).recorded
    assert alone is not None
    assert among is not None
    assert alone.training.batch == 31
    assert among.training.batch == 30
    assert "30 streams" in among.reason


@pytest.mark.parametrize("options", [{"batch": 31}, {"preset": "lecture"}])
def test_a_batch_that_was_asked_for_is_refused_where_it_does_not(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="dealt out evenly to 2 processes"):
        decided(build(**options), 2, 2)


def test_no_rank_takes_more_threads_than_its_part_of_the_cores_unless_it_is_told_to() -> None:
    fresh = decided(build(), 2, 3).recorded
    assert fresh is not None
    assert fresh.training.threads == 3
    begun_alone = replace(fresh, training=replace(fresh.training, threads=16, batch=8))
    for options, threads in (({}, 3), ({"threads": 5}, 5)):
        goes_on = msgspec.structs.replace(build(**options), recorded=begun_alone)
        recorded = decided(goes_on, 2, 3).recorded
        assert recorded is not None
        assert recorded.training.threads == threads
        assert recorded.training.batch == 8

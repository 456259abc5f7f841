"""What happened in training, in one sentence."""

from __future__ import annotations

import pytest

from charrnn.engine import notices
from charrnn.engine.messages import Notice, Status
from charrnn.engine.trainer_messages import Applied, Done, Skipped, Stalled, WentBack

TRAINING, PAUSED = Status(state="training", learning_rate=0.003), Status(state="paused", learning_rate=0.003)


@pytest.mark.parametrize(
    ("notice", "level", "words"),
    [
        (
            notices.of_cooldown(Applied("cooldown", 400, 1000), TRAINING),
            "info",
            "over 400 steps, to step 1,400; c calls",
        ),
        (notices.of_cooldown(Applied("cooldown", 400, 1000), PAUSED), "info", "When training goes on (space)"),
        (notices.of_cooldown(Applied("cooldown", 0, 1000), TRAINING), "info", "called off: the learning rate is 0.003"),
        (notices.of_cooldown(Applied("last_cooldown", 400, 1000), TRAINING), "info", "the run's end at step 1,400"),
        (notices.of_cooldown(Applied("cooled", 400, 1400), PAUSED), "info", "space trains on at the stable rate 0.003"),
        (notices.of_skipped(Skipped(1200, 3)), "warning", "3 steps up to step 1,200"),
        (notices.of_return(WentBack(1205, 1000, 0.0015, False, False)), "warning", "back to the state of step 1,000"),
        (notices.of_return(WentBack(1205, 1000, 0.0015, True, False)), "warning", "exploded at step 1,205"),
        (notices.of_return(WentBack(1205, 1000, 0.0015, True, True)), "error", "space tries once more"),
        (notices.of_stall(Stalled(4000, 20, 1.4321, 2000)), "info", "20 evaluations; the best was 1.432 at step 2,000"),
        (notices.of_end(Done("patience", 4000, 1.4321, 2000)), "info", "no longer falls: 4,000 steps"),
        (notices.of_end(Done("patience", 4000, 1.4321, 2000)), "info", "the best was 1.432 at step 2,000."),
        (notices.of_end(Done("steps", 4000)), "info", "Training is done: 4,000 steps, checkpoint written."),
    ],
)
def test_it_is_one_sentence_that_says(notice: Notice, level: str, words: str) -> None:
    assert notice.level == level
    assert words in notice.text
    assert notice.text[0] == notice.text[0].upper()
    assert notice.text.endswith(".")
    assert ". " not in notice.text

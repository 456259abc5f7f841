"""Text that comes in bulk stands there as if it had come piece by piece, its end first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.messages import Generated, Status
from tests.tui.test_session_and_prime import session
from tui.backlog import AT_ONCE, FLOWING, LONGEST_WAIT, SLICE, Backlog
from tui.session import PATIENCE
from tui.transcript import Transcript

KNOBS = (Knobs(), Knobs(temperature=1.2))


class Clock:
    """Time goes on by a little whenever somebody looks."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 100.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def pieces(lengths: list[int], stream: int = 3) -> list[Generated]:
    """Pieces of lines, every third under other knobs, the last quarter in the next stream."""
    found, position = [], 4000
    for number, length in enumerate(lengths):
        text = "".join(f"{n % 10}" if n % 37 else " é\n" for n in range(position, position + length))
        here = stream + (number >= len(lengths) * 3 // 4)
        found.append(Generated(position, text, KNOBS[number % 3 == 0], here, here, False, 1))
        position += len(text)
    return found


def rows(transcript: Transcript) -> list[str]:
    return ["".join(text for text, _ in transcript.row(number)) for number in range(len(transcript.index))]


def directly(some: list[Generated]) -> Transcript:
    transcript = Transcript(60)
    for piece in some:
        transcript.add(piece)
    return transcript


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4096), min_size=1, max_size=20), st.sampled_from([1e-5, SLICE / 3]))
def test_a_history_that_comes_at_once_reads_as_if_it_had_been_there_all_the_time(
    lengths: list[int], tick: float
) -> None:
    some, transcript, clock = pieces(lengths), Transcript(60), Clock(tick)
    backlog = Backlog(transcript, clock)
    for begin in range(0, len(some), 4):
        backlog.add(some[begin : begin + 4])
    clock.now += FLOWING
    first = not transcript.characters  # else the screen has text already, which is gone on with
    while backlog.work():
        if first:
            newest = some[-1].text.splitlines()[-1]
            assert rows(transcript)[-1].endswith(newest[-20:])
        first = False
    assert rows(transcript) == rows(directly(some))
    assert transcript.said() == directly(some).said()
    assert transcript.characters == sum(len(one.text) + 1 for one in transcript.paragraphs) - 1
    transcript.rewrap(40)
    expected = directly(some)
    expected.rewrap(40)
    assert rows(transcript) == rows(expected)


def test_while_text_pours_in_its_end_is_waited_for_but_not_for_long() -> None:
    transcript, clock = Transcript(60), Clock(0.0)
    backlog = Backlog(transcript, clock)
    some = pieces([4096] * 12)
    begun = clock.now
    while clock.now - begun < LONGEST_WAIT - 0.001:
        backlog.add(some[:3])
        assert backlog.work()
        assert not transcript.characters
        clock.now += FLOWING / 2
    backlog.add(some[:1])
    backlog.work()
    assert transcript.characters


def test_the_first_words_of_a_run_and_what_follows_are_there_at_once() -> None:
    transcript = Transcript(60)
    backlog = Backlog(transcript, Clock(1.0))
    backlog.add([Generated(0, "The", Knobs(), 1, 1, True, 1)])
    backlog.add([Generated(3, " fox", Knobs(), 1, 1, False, 1)])
    assert rows(transcript) == ["── seed 1 ──", "The fox"]
    assert not backlog.work()


def test_after_a_stall_much_text_is_taken_in_slices_and_in_order() -> None:
    some = pieces([900, *[4096] * 30])
    transcript = Transcript(60)
    backlog = Backlog(transcript, Clock(SLICE / 2))
    backlog.add(some[:1])
    backlog.add(some[1:])
    assert sum(len(piece.text) for piece in some[1:]) > AT_ONCE
    calls = 1
    while backlog.work():
        calls += 1
    assert calls > 10
    assert rows(transcript) == rows(directly(some))


def test_a_change_by_another_workbench_right_after_ones_own_is_taken_over() -> None:
    """Also when the engine has nothing more to say: it told of the other's only, and for good."""
    one, _, clock = session()
    one.receive(Status(state="training", knobs=Knobs(temperature=0.8), pace=30.0))
    one.step_temperature(1)
    one.step_pace(1)
    one.receive(Status(state="training", knobs=Knobs(temperature=0.3), pace=200.0))
    assert (one.knobs.temperature, one.pace) == (0.85, 50.0)
    clock.now += PATIENCE
    assert (one.knobs.temperature, one.pace) == (0.3, 200.0)
    one.step_temperature(1)
    assert one.knobs.temperature == 0.35

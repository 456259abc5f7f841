from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.history import LossHistory, TextHistory
from charrnn.engine.messages import Generated, LossPoint


def piece(text: str, *, stream: int = 1, temperature: float = 0.8) -> Generated:
    return Generated(0, text, Knobs(temperature=temperature), stream, 1, False, 5)


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=9), st.integers(1, 2), st.sampled_from([0.5, 0.8])), max_size=30),
    st.integers(0, 300),
    st.integers(1, 60),
)
def test_a_reader_at_any_place_gets_exactly_what_follows_that_is_still_kept(
    parts: list[tuple[str, int, float]], place: int, kept: int
) -> None:
    history = TextHistory(kept)
    whole = ""
    for text, stream, temperature in parts:
        history.add(piece(text, stream=stream, temperature=temperature))
        whole += text
    found = history.since(place)
    told = "".join(p.text for p in found)
    assert history.end == len(whole)
    assert whole.endswith(told)
    assert len(told) >= min(kept, len(whole) - place, len(whole))
    assert all(whole[p.position : p.position + len(p.text)] == p.text for p in found)


def test_characters_under_the_same_knobs_are_one_piece_and_others_are_not() -> None:
    history = TextHistory()
    for text, stream, temperature in (("a", 1, 0.8), ("b", 1, 0.8), ("c", 1, 0.9), ("d", 2, 0.9)):
        history.add(piece(text, stream=stream, temperature=temperature))
    assert [p.text for p in history.since(0)] == ["ab", "c", "d"]


def test_the_memory_of_text_is_bounded() -> None:
    history = TextHistory(kept=1000)
    for _ in range(5000):
        history.add(piece("x" * 10))
    assert 1000 <= sum(len(p.text) for p in history.since(0)) <= 1000 + 4096 + 10


def test_a_step_recorded_again_takes_the_place_of_it_and_all_later_ones() -> None:
    history = LossHistory()
    for step in (1, 2, 3, 4, 3):
        history.add([LossPoint(step, step, 0.0, float(step), None, 0.1)])
    assert [p.step for p in history.points] == [1, 2, 3]
    assert history.rewinds == 2

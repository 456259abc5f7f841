"""The stream goes back: the text on the screen, the text that is copied, and the tree of what was left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.branches import Branches
from charrnn.engine.history import TextHistory
from charrnn.engine.messages import Generated
from tests.thorough import examples
from tui.backlog import Backlog
from tui.panes.generation import StreamText
from tui.transcript import Transcript

WARM, COLD = Knobs(temperature=0.85), Knobs(temperature=0.8)
STEPS = st.lists(
    st.tuples(st.text("ab é漢\n\t\u0301", min_size=1, max_size=9), st.sampled_from([COLD, WARM]), st.integers(0, 60)),
    max_size=25,
)


def pieces_of(steps: list[tuple[str, Knobs, int]]) -> tuple[list[Generated], str]:
    """A stream that goes back now and then, and its text."""
    pieces = [Generated(0, "prime", COLD, 1, 7, True, 0)]
    text = list(range(5))
    characters = "prime"
    for words, knobs, back in steps:
        position, after = len(characters), None
        if back % 3 == 0 and len(text) > 5:
            keep = 5 + back % (len(text) - 5)
            text = text[:keep]
            after = text[-1] + 1
        pieces.append(Generated(position, words, knobs, 1, 7 + (after or 0), False, 0, after))
        characters += words
        text += range(position, position + len(words))
    return pieces, "".join(characters[position] for position in text)


def shown(transcript: Transcript) -> str:
    """The stream's own characters, by the positions on the screen, in their order."""
    positions: list[int] = []
    for number in range(len(transcript.index)):
        positions += [position for position in transcript.positions(number) if position >= 0]
    assert positions == sorted(positions)
    return "".join(transcript.branches.text(position, position + 1) for position in dict.fromkeys(positions))


def rows(transcript: Transcript) -> list[str]:
    return ["".join(text for text, _ in transcript.row(number)) for number in range(len(transcript.index))]


@examples(150)
@given(STEPS, st.integers(4, 30), st.booleans())
def test_the_screen_has_the_present_text(steps: list[tuple[str, Knobs, int]], columns: int, turning: bool) -> None:
    pieces, text = pieces_of(steps)
    transcript = Transcript(columns)
    for piece in pieces:
        if turning:
            transcript.want(piece.knobs)
        transcript.add(piece)
    assert transcript.said() == text
    assert shown(transcript) == text.replace("\n", "")
    assert transcript.characters == sum(len(one.text) + 1 for one in transcript.paragraphs) - 1
    before = rows(transcript)
    transcript.rewrap(columns)
    assert rows(transcript) == before


@examples(60)
@given(STEPS, st.integers(0, 200), st.integers(1, 50))
def test_a_client_that_comes_late_has_the_same_text(
    steps: list[tuple[str, Knobs, int]], position: int, most: int
) -> None:
    pieces, text = pieces_of(steps)
    history, late, whole = TextHistory(), Branches(), Branches()
    for piece in pieces:
        history.add(piece)
        whole.add(piece)
        if history.end <= position:
            late.add(piece)
    while late.end < history.end:
        for piece in history.since(late.end, most):
            late.add(piece)
    assert late.said() == whole.said() == text
    assert late.tree() == whole.tree()
    assert "".join(piece.text for piece in whole.line()) == text


def test_a_long_history_with_branches_comes_at_once() -> None:
    pieces = [Generated(0, "prime", COLD, 1, 7, True, 0)]
    end = 5
    for number in range(60):
        words = f"line {number} " + "x" * 600 + "\n"
        after = end - 300 if number % 5 == 4 else None
        pieces.append(Generated(end, words, COLD, 1, number, False, 0, after))
        end += len(words)
    transcript, plain = Transcript(), Transcript()
    backlog = Backlog(transcript, clock=iter(range(1000)).__next__)
    backlog.add(pieces[:40])
    backlog.add(pieces[40:])
    while backlog.work():
        pass
    for piece in pieces:
        plain.add(piece)
    assert transcript.said() == plain.said()
    assert shown(transcript) == shown(plain) == plain.said().replace("\n", "")
    assert "not shown" not in "".join(rows(transcript))


def test_returning_to_a_branch_brings_its_text_back() -> None:
    transcript = Transcript()
    for piece in (
        Generated(0, "to be or not", COLD, 1, 1, False, 0),
        Generated(12, "at all", COLD, 1, 2, False, 0, 6),
        Generated(18, "t", COLD, 1, 1, False, 0, 11),
        Generated(19, " to be", COLD, 1, 1, False, 0),
    ):
        transcript.add(piece)
    assert rows(transcript)[-1] == "to be or not to be"
    first, second = transcript.branches.tree()
    assert ([part.position for part in first.parts], first.depth, first.present) == ([0, 18], 0, True)
    assert ([part.position for part in second.parts], second.depth, second.present) == ([12], 1, False)
    transcript.add(Generated(25, "l", COLD, 1, 2, False, 0, 17))
    assert rows(transcript)[-1] == "to be ⟨←⟩at all"
    assert [twig.present for twig in transcript.branches.tree()] == [False, True]


def test_where_it_goes_back_to_what_is_shown_no_more_the_text_is_shown_anew() -> None:
    transcript = Transcript(limit=5000)
    words = "some words in a line\n" * 400
    transcript.add(Generated(0, words, COLD, 1, 1, False, 0))
    end = len(words)
    transcript.add(Generated(end, "end", COLD, 1, 2, False, 0, end - 5000))
    assert rows(transcript)[-1].endswith("end")
    assert transcript.said().endswith("end")


@examples(40)
@given(STEPS, st.integers(4, 30))
def test_every_character_is_found_where_it_is_shown(steps: list[tuple[str, Knobs, int]], columns: int) -> None:
    pieces, _ = pieces_of(steps)
    text = StreamText()
    text.transcript = Transcript(columns)
    for piece in pieces:
        text.transcript.add(piece)
    for number in range(len(text.transcript.index)):
        for position in text.transcript.positions(number):
            if position >= 0:
                row, column = text.find(position)
                assert text.transcript.positions(row)[column] == position


def test_another_engine_begins_with_its_own_positions() -> None:
    transcript = Transcript()
    transcript.add(Generated(0, "before", COLD, 1, 1, False, 0))
    transcript.begin_again()
    assert transcript.said() == "before"
    transcript.add(Generated(0, "after", COLD, 1, 1, False, 0))
    assert transcript.said() == "after"
    assert any("before" in row for row in rows(transcript))

"""What the sampler's thread writes with: a stream that can go back, and where in all of its text each place stands.

Text is only ever added to: what is written after going back comes as new characters, which say after which they stand.
No torch here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from charrnn.config import Knobs, UsageError
from charrnn.engine.choice_messages import GoToEnd, StepStream, StreamOrder, TakeInstead, UndoGoingBack
from charrnn.engine.messages import Generated
from charrnn.engine.questions.choice import AskChoice, CandidateTold, ChoiceTold, as_byte

if TYPE_CHECKING:
    from charrnn.insight.choices import Candidate
    from charrnn.sampling.stream import TextStream

MOST_BRANCHES = 1000
"""Goings-back that can be undone."""
GONE = "That place has left the window of the last 10,000; choose a newer one."
BEFORE = "That was given to the stream as its prime, so there was no choice; move on to what the model wrote."


@dataclass(slots=True)
class Branch:
    """What was written in a row from its first place and position on. `after` is the position that it stands after."""

    place: int
    position: int
    after: int | None
    seed: int
    generator: Any = None  # its state when the branch was left, to go on as if nothing had happened


class Writing:
    """One model's stream. `emit` gets each piece, with its position, and whether somebody waits for it.

    The positions go on from `position`, the streams' numbers from `streams`.
    """

    def __init__(
        self, stream: TextStream, emit: Callable[[Generated, bool], None], *, position: int = 0, streams: int = 0
    ) -> None:
        self.stream = stream
        self.places = stream.remember()
        self.streams = streams
        self.end = position
        self.step = 0
        self.surprised = False
        self._emit = emit
        self._prime_end = position
        self._branches: list[Branch] = []
        self._went_back = 0
        self._undo: list[int] = []
        self._redo: list[int] = []
        self._settings: list[tuple[int, Knobs, int]] = []  # from which place on which knobs and step

    # ---- writing ---------------------------------------------------------------------------------------------

    def restart(self, prime: str, seed: int) -> None:
        """Begins another stream."""
        self.stream.restart(prime, seed)
        self.streams += 1
        self._went_back = 0
        self._undo, self._redo, self._settings = [], [], []
        begins = self.end
        self._prime_end = self.end = begins + len(self.stream.prime)
        self._branches = [Branch(0, self._prime_end, None, seed)]
        if self.stream.prime:
            self._tell(self.stream.prime, begins, prime=True)

    @property
    def begun(self) -> bool:
        """Whether there is a stream."""
        return bool(self._branches)

    def write(self, wanted: int, urgent: bool, enough: Callable[[], bool] = lambda: False) -> int:
        """Writes so many characters, or fewer once it is `enough`, at least one; how many it were."""
        first = self.places.end
        self._note_settings()
        made = self.stream.next()
        while len(made) < wanted and not enough():
            made += self.stream.next()
        self._give(made, first, urgent=urgent)
        return len(made)

    def _note_settings(self) -> None:
        knobs, step = self.stream.knobs, self.step
        if not self._settings or self._settings[-1][1:] != (knobs, step):
            self._settings.append((self.places.end, knobs, step))
            while len(self._settings) > 1 and self._settings[1][0] <= self.places.first:
                del self._settings[0]

    def _give(self, text: str, first: int, *, urgent: bool, after: int | None = None) -> None:
        begins = self.end
        self.end += len(text)
        surprise = self._surprise(first, self.places.end)[-len(text) :] if self.surprised and text else b""
        self._tell(text, begins, urgent=urgent, after=after, surprise=surprise)

    def _tell(
        self,
        text: str,
        position: int,
        *,
        urgent: bool = True,
        prime: bool = False,
        after: int | None = None,
        surprise: bytes = b"",
    ) -> None:
        piece = Generated(
            position=position,
            text=text,
            knobs=self.stream.knobs,
            stream=self.streams,
            seed=self._branches[-1].seed,
            prime=prime,
            step=self.step,
            after=after,
            surprise=surprise,
        )
        self._emit(piece, urgent)

    # ---- surprise --------------------------------------------------------------------------------------------

    def _surprise(self, first: int, end: int) -> bytes:
        """A byte for each character that the tokens at the places from `first` up to `end` complete."""
        found = bytearray()
        waiting = 0.0
        starts = [self.places.start(place) for place in range(first, end)] + [self.stream.made]
        for nats, start, after in zip(self.places.nats(first, end).tolist(), starts, starts[1:], strict=False):
            waiting += nats
            if after > start:
                found += bytes([as_byte(max(0.0, waiting) if waiting == waiting else waiting)]) * (after - start)
                waiting = 0.0
        return bytes(found)

    def known_surprise(self, characters: int) -> tuple[int, bytes]:
        """The surprise of the newest characters, so many at most, and the position from which on they stand."""
        if not self.places.end:
            return self.end, b""
        oldest = max(self.places.first, self.places.end - characters)
        found = self._surprise(oldest, self.places.end)[-characters:]
        return self._prime_end + self.stream.made - len(found), found

    # ---- going back ------------------------------------------------------------------------------------------

    def obey(self, order: StreamOrder) -> None:
        """Does what a client wants of the stream. Raises UsageError with a sentence for what cannot be."""
        self._note_settings()
        match order:
            case TakeInstead(position, token):
                self._take(position, token)
            case StepStream():
                self.write(1, True)
            case GoToEnd(position):
                place = self._place_of(position)
                here = self.places.end - 1
                self._return_to(place)
                self._remember(here)
            case UndoGoingBack(redo):
                self._undo_or_redo(redo)

    def _take(self, position: int, token: int) -> None:
        if not 0 <= token < self.stream.model.vocabulary_size:
            raise UsageError(f"The model has no token {token}; take one of those that are listed.")
        if position == self.end:
            first = self.places.end
            text = self.stream.take_token(token)
            self._whole(text, first, None)
            return
        place = self.places.begin_of(self._place_of(position))
        here = self.places.end - 1
        self._begin_branch(place, token, self._new_seed())
        self._remember(here)

    def _remember(self, left: int) -> None:
        self._undo = [*self._undo, left][-MOST_BRANCHES:]
        self._redo = []

    def _undo_or_redo(self, redo: bool) -> None:
        some, other = (self._redo, self._undo) if redo else (self._undo, self._redo)
        if not some:
            raise UsageError(f"There is nothing to {'redo' if redo else 'undo'}: the stream has not gone back.")
        here = self.places.end - 1
        self._return_to(some[-1])
        some.pop()
        other.append(here)

    def _return_to(self, place: int) -> None:
        """On from the end of the branch in which a place is: its last token is taken again."""
        number = self._branch_of(place)
        branch = self._branches[number]
        last = self._branches[number + 1].place - 1 if number + 1 < len(self._branches) else self.places.end - 1
        if last < self.places.first:
            raise UsageError(GONE)
        self._begin_branch(last, self.places.token(last), branch.seed)
        self.stream.reseed(branch.generator)

    def _begin_branch(self, place: int, token: int, seed: int) -> None:
        from charrnn.sampling.places import GoneError

        after = self._after(place)
        left, first = self._branches[-1], self.places.end
        generator = self.stream.generator_state()
        try:
            text = self.stream.go_back(place, token)
        except GoneError:
            raise UsageError(GONE) from None
        left.generator = generator
        self._branches.append(Branch(first, self.end, after, seed))
        self._went_back += 1
        self.stream.reseed(seed)
        while len(self._branches) > 2 * MOST_BRANCHES or (
            len(self._branches) > 1 and self._branches[1].place <= self.places.first
        ):
            del self._branches[0]
        self._whole(text, first, after)

    def _whole(self, text: str, first: int, after: int | None) -> None:
        """Emits what was completed, which is at least one character: the bytes that a first one still needs follow."""
        if not text:
            text = self.stream.next()
        self._give(text, first, urgent=True, after=after)

    def _after(self, place: int) -> int:
        """The position after which the text before a place ends."""
        branch = self._branches[self._branch_of(place)]
        here = self._position_of(place)
        return branch.after if here == branch.position and branch.after is not None else here

    def _new_seed(self) -> int:
        return (self.stream.seed + self._went_back + 1) % 2**63

    # ---- where things are ------------------------------------------------------------------------------------

    def _position_of(self, place: int) -> int:
        return self._prime_end + self.places.start(place)

    def _place_of(self, position: int) -> int:
        """The place whose token completes the character at a position. Raises UsageError with a sentence."""
        from charrnn.sampling.places import GoneError

        if not self.begun or position > self.end:
            raise UsageError("The stream has not written that as yet; choose a place in its text.")
        try:
            if position >= self._prime_end and self.places.end:
                return self.places.at(position - self._prime_end)
        except GoneError:
            pass
        raise UsageError(BEFORE if position < self._prime_end and not self.places.first else GONE)

    def _branch_of(self, place: int) -> int:
        found = bisect_right([branch.place for branch in self._branches], place) - 1
        if found < 0:
            raise UsageError(GONE)
        return found

    # ---- the choice behind a character -----------------------------------------------------------------------

    def choice(self, question: AskChoice) -> ChoiceTold:
        """What is told of the choice behind a character, or of the next one."""
        try:
            return self._choice(question)
        except UsageError as error:
            return ChoiceTold(number=question.number, position=question.position, problem=str(error))

    def _choice(self, question: AskChoice) -> ChoiceTold:
        from charrnn.insight.choices import choice
        from charrnn.sampling.places import GoneError

        places, stream, position = self.places, self.stream, question.position
        now, knobs, step = False, stream.knobs, self.step
        if self.begun and position == self.end:
            logits, taken, first, end, place = stream.look().numpy(), None, position, position, places.end
        else:
            place = places.begin_of(self._place_of(position))
            first = self._position_of(place)
            end = next(
                (self._position_of(one) for one in range(place + 1, places.end) if self._position_of(one) > first),
                self.end,
            )
            taken, kept = places.token(place), places.logits(place)
            settings = self._settings[bisect_right([one[0] for one in self._settings], place) - 1]
            knobs, step = settings[1:]
            try:
                logits = stream.logits_at(place).numpy() if kept is None else kept
            except GoneError:
                raise UsageError(GONE) from None
            now, step = (True, self.step) if kept is None else (False, step)
        found = choice(logits, knobs, taken, top=min(max(0, question.top), 50))
        return ChoiceTold(
            number=question.number,
            position=position,
            first=first,
            end=end,
            place=place + 1,
            candidates=[self._told(one) for one in found.candidates],
            taken=None if found.taken is None else self._told(found.taken),
            entropy_before=found.entropy_before,
            entropy_after=found.entropy_after,
            left=found.left,
            known=len(found.before),
            knobs=knobs,
            step=step,
            now=now,
        )

    def _told(self, one: Candidate) -> CandidateTold:
        vocabulary = self.stream.vocabulary
        text = vocabulary.texts[one.token]
        if vocabulary.unit == "byte" and one.token >= 0x80:
            text = f"\\x{one.token:02x}"
        return CandidateTold(one.token, text, one.rank, one.before, one.after, one.removed)

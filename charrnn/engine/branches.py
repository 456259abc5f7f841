"""The stream's text with its branches, as a client puts it together from what it is told. No torch here.

What was written is only ever added to, by position. Where the stream went back, a branch begins: it says after which
position it stands. The text up to a position is found by going from branch to branch towards the stream's beginning.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from msgspec.structs import replace

from charrnn.engine.history import cut_off, joined
from charrnn.engine.messages import Generated

_LONGEST_PIECE = 4096
Range = tuple[int, int]


@dataclass(slots=True)
class Branch:
    """The characters from `position` up to `end`, which stand after the one before `after`; None: nothing before."""

    position: int
    end: int
    after: int | None
    stream: int
    seed: int


@dataclass(slots=True)
class Twig:
    """A branch as one sees it: `parts` are those that go on where the one before ended; `depth` from 0."""

    parts: list[Branch]
    depth: int = 0
    present: bool = False

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self.parts[-1].end


class Branches:
    """The newest `kept` characters, whether they are part of the present text or not."""

    def __init__(self, kept: int = 1_000_000) -> None:
        self._kept = kept
        self._over = False
        self._clear()

    def _clear(self) -> None:
        self.end = 0
        self._pieces: list[Generated] = []
        self._length = 0
        self._branches: list[Branch] = []

    def begin_again(self) -> None:
        """What comes next is from another engine, which counts positions from its own beginning."""
        self._over = True

    def add(self, piece: Generated) -> None:
        """Takes in what the engine sent; what is known already is passed over."""
        if self._over:
            self._clear()
            self._over = False
        end = piece.position + len(piece.text)
        if not piece.text or (self._pieces and end <= self.end):
            return
        if self._pieces and piece.position < self.end:
            piece = cut_off(piece, self.end - piece.position)
        last = self._pieces[-1] if self._pieces else None
        branch = self._branches[-1] if self._branches else None
        gap = last is not None and piece.position > self.end
        if branch is None or piece.after is not None or piece.stream != branch.stream or gap:
            same = branch is not None and piece.stream == branch.stream
            after = self.end if gap and same and piece.after is None else piece.after
            self._branches.append(Branch(piece.position, end, after, piece.stream, piece.seed))
        else:
            branch.end = end
        self.end = end
        self._length += len(piece.text)
        if (
            last is not None
            and not gap
            and piece.after is None
            and (last.stream, last.prime, last.knobs) == (piece.stream, piece.prime, piece.knobs)
            and len(last.text) + len(piece.text) <= _LONGEST_PIECE
        ):
            self._pieces[-1] = joined(last, piece)
        else:
            self._pieces.append(piece)
        self._forget()

    def _forget(self) -> None:
        while self._length > self._kept:
            oldest, excess = self._pieces[0], self._length - self._kept
            if len(oldest.text) <= excess:
                self._length -= len(oldest.text)
                del self._pieces[0]
            else:
                self._length -= excess
                self._pieces[0] = cut_off(oldest, excess)
        first = self.first
        while self._branches and self._branches[0].end <= first:
            del self._branches[0]

    @property
    def first(self) -> int:
        """The oldest position that is kept."""
        return self._pieces[0].position if self._pieces else 0

    # ---- texts -----------------------------------------------------------------------------------------------

    def branch_at(self, position: int) -> Branch | None:
        """The branch in which the character at a position was written."""
        number = bisect_right(self._branches, position, key=lambda branch: branch.position) - 1
        return self._branches[number] if number >= 0 and position < self._branches[number].end else None

    def path(self, end: int | None = None) -> list[Range]:
        """The positions that make up the text up to `end` (None: the present one), from its stream's beginning."""
        end = self.end if end is None else end
        found: list[Range] = []
        branch = self.branch_at(end - 1)
        stream = branch.stream if branch else 0
        while branch is not None and branch.stream == stream:
            found.append((max(branch.position, self.first), end))
            if branch.after is None or branch.position < self.first:
                break
            end = branch.after
            branch = self.branch_at(end - 1)
        return found[::-1]

    def pieces(self, first: int, end: int) -> list[Generated]:
        """What was told of the positions from `first` up to `end`."""
        found = []
        number = max(0, bisect_right(self._pieces, first, key=lambda piece: piece.position) - 1)
        for piece in self._pieces[number:]:
            if piece.position >= end:
                break
            if piece.position + len(piece.text) <= first:
                continue
            part = cut_off(piece, max(0, first - piece.position))
            over = part.position + len(part.text) - end
            if over > 0:
                part = cut_short(part, len(part.text) - over)
            found.append(part)
        return found

    def text(self, first: int, end: int) -> str:
        """The characters of these positions, whatever branches they are of."""
        return "".join(piece.text for piece in self.pieces(first, end))

    def said(self) -> str:
        """The present text of the newest stream, its prime included."""
        return "".join(self.text(*some) for some in self.path())

    def line(self) -> list[Generated]:
        """All streams that are kept, each with its last text only, as pieces that can be shown one after the other."""
        ends = [
            branch.end
            for branch, then in zip(self._branches, [*self._branches[1:], None], strict=True)
            if then is None or then.stream != branch.stream
        ]
        return [piece for end in ends for some in self.path(end) for piece in self.pieces(*some)]

    # ---- the tree --------------------------------------------------------------------------------------------

    def resumes(self, branch: Branch) -> bool:
        """Whether a branch only goes on where another ended: its first characters are that one's last once more."""
        if branch.after is None:
            return False
        parent = self.branch_at(branch.after)
        if parent is None or parent.stream != branch.stream or parent.position >= branch.position:
            return False
        tail = self.text(branch.after, parent.end)
        return self.text(branch.position, min(branch.end, branch.position + len(tail))) == tail

    def tree(self) -> list[Twig]:
        """The newest stream's branches, each after the one that it left, the oldest first."""
        stream = self._branches[-1].stream if self._branches else 0
        twigs: list[Twig] = []
        of: dict[int, Twig] = {}  # by the position at which a branch begins
        parents: dict[int, Twig | None] = {}
        for branch in self._branches:
            if branch.stream != stream:
                continue
            parent = None
            if branch.after is not None:
                # A branch from the very place at which another begins stands beside it, after what both follow.
                at = self.branch_at(branch.after - 1)
                parent = of.get(at.position) if at is not None else None
                resumed = self.branch_at(branch.after)
                if resumed is not None and self.resumes(branch) and of[resumed.position].end == resumed.end:
                    of[resumed.position].parts.append(branch)
                    of[branch.position] = of[resumed.position]
                    continue
            twig = Twig([branch])
            of[branch.position] = twig
            twigs.append(twig)
            parents[id(twig)] = parent
        if self._branches and twigs:
            of[self._branches[-1].position].present = True
        ordered: list[Twig] = []

        def put(parent: Twig | None, depth: int) -> None:
            for twig in twigs:
                if parents[id(twig)] is parent:
                    twig.depth = depth
                    ordered.append(twig)
                    put(twig, depth + 1)

        put(None, 0)
        return ordered


def cut_short(piece: Generated, characters: int) -> Generated:
    """The first so many characters of a piece."""
    return replace(piece, text=piece.text[:characters], surprise=piece.surprise[:characters])

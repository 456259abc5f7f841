"""Where a stream has been: the network's state, what it was unsure between and what was taken, for the newest places.

A place is where a token is chosen. Places are numbered in the order in which they came, over every going back: the
number only grows. A place that took another's stead (a joint) has that one's state.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charrnn.model.language_model import State

WINDOW = 10_000
"""Places to which a stream can go back."""
STATES_ROOM, LOGITS_ROOM = 64_000_000, 16_000_000
"""Bytes at most. Where states need more, only some are kept; where logits need more, only the newest."""
_BLOCK = 256
_SPARE = 64  # rows for the states of joints, which are kept beside every k-th


class GoneError(LookupError):
    """The place has left the window, or is none."""


class Places:
    """The newest `window` places. Memory is taken as it is needed, and kept for the streams that follow."""

    def __init__(
        self,
        symbols: int,
        *,
        window: int = WINDOW,
        states_room: int = STATES_ROOM,
        logits_room: int = LOGITS_ROOM,
    ) -> None:
        """For a vocabulary of so many symbols."""
        self.window = window
        self._states_room = states_room
        self._symbols = symbols
        self._logits_rows = max(1, min(window, logits_room // (4 * symbols)))
        self._states: list[NDArray[np.float32]] = []
        self._logits: list[NDArray[np.float32]] = []
        self.every = 1
        self.clear()

    def clear(self) -> None:
        """A new stream of the same model begins: no place is left."""
        self.end = 0
        self._first = 0
        self._tokens: list[int] = []
        self._starts: list[int] = []
        self._joints: dict[int, int] = {}
        self._lost: set[int] = set()
        self._without: set[int] = set()
        self._shapes: list[list[torch.Size]] = []
        self._slots: dict[int, int] = {}
        self._held: list[int] = []  # which place each slot is of
        self._kept = 0
        self._newest_kept = -1
        self._state_seen: State | None = None
        self._logits_seen: Tensor | None = None
        self._views: list[NDArray[np.float32]] = []
        self._view: NDArray[np.float32] = np.empty(0, np.float32)

    # ---- keeping ---------------------------------------------------------------------------------------------

    def keep(
        self,
        state: State,
        logits: Tensor | None,
        token: int,
        start: int,
        *,
        finite: bool = True,
        joint: int | None = None,
    ) -> None:
        """The next place: the state before its token, the logits (vocabulary,) on the CPU, the token.

        `start` is how many characters of the stream's text were complete before the token. `finite`: whether all the
        logits were. `joint` is the place whose stead this one takes.
        """
        number = self.end
        self.end = number + 1
        self._tokens.append(token)
        self._starts.append(start)
        if joint is not None:
            self._joints[number] = joint
        if not finite:
            self._lost.add(number)
        if logits is None:
            self._without.add(number)
        else:
            if logits is not self._logits_seen:
                self._logits_seen, self._view = logits, logits.detach().numpy()
            self._row(self._logits, number % self._logits_rows, self._symbols)[:] = self._view
        if joint is not None or number >= self._newest_kept + self.every or self._newest_kept < 0:
            self._keep_state(number, state)
        if len(self._tokens) > 2 * self.window + self.every:
            self._forget()

    def _keep_state(self, number: int, state: State) -> None:
        if state is not self._state_seen:
            self._state_seen = state
            self._views = [part.detach().cpu().float().numpy().reshape(-1) for layer in state for part in layer]
            if not self._shapes:
                self._measure(state)
        slot = self._kept % self._rows
        if slot < len(self._held):
            del self._slots[self._held[slot]]
            self._held[slot] = number
        else:
            self._held.append(number)
        self._slots[number] = slot
        self._kept += 1
        self._newest_kept = number
        np.concatenate(self._views, out=self._row(self._states, slot, self._width))

    def _measure(self, state: State) -> None:
        self._shapes = [[part.shape for part in layer] for layer in state]
        self._width = sum(part.numel() for layer in state for part in layer)
        self.every = max(1, math.ceil(4 * self._width * (self.window + _SPARE) / self._states_room))
        self._rows = self.window // self.every + _SPARE

    @staticmethod
    def _row(blocks: list[NDArray[np.float32]], slot: int, width: int) -> NDArray[np.float32]:
        block, row = divmod(slot, _BLOCK)
        while block >= len(blocks):
            blocks.append(np.empty((_BLOCK, width), np.float32))
        found: NDArray[np.float32] = blocks[block][row]
        return found

    def _forget(self) -> None:
        count = len(self._tokens) - self.window - self.every
        del self._tokens[:count], self._starts[:count]
        self._first += count
        self._joints = {number: joint for number, joint in self._joints.items() if number >= self._first}
        self._lost = {number for number in self._lost if number >= self._first}
        self._without = {number for number in self._without if number >= self._first}

    # ---- what is known of a place ----------------------------------------------------------------------------

    @property
    def first(self) -> int:
        """The oldest place that can be gone back to."""
        return max(self._first, self.end - self.window, 0)

    def token(self, number: int) -> int:
        """What was taken there. Raises GoneError."""
        if not self._first <= number < self.end:
            raise GoneError(number)
        return self._tokens[number - self._first]

    def start(self, number: int) -> int:
        """How many characters were complete before it. Raises GoneError."""
        if not self._first <= number < self.end:
            raise GoneError(number)
        return self._starts[number - self._first]

    def at(self, character: int) -> int:
        """The place whose token completes the stream's character of that number. Raises GoneError."""
        number = self._first + bisect_right(self._starts, character) - 1
        if number < self.first:
            raise GoneError(character)
        return number

    def begin_of(self, number: int) -> int:
        """The first place of those that together make the characters which the token there completes."""
        number = max(number, self.first)
        before = self._first + bisect_left(self._starts, self.start(number))
        joint = max((one for one in self._joints if one <= number), default=0) if self._joints else 0
        return max(before, joint, self.first)

    def joint(self, number: int) -> int | None:
        """The place whose stead this one took, if it did."""
        return self._joints.get(number)

    def before(self, number: int) -> int:
        """The place before in the text; −1 before the first. Raises GoneError for one that is not known any more."""
        while number in self._joints:
            number = self._joints[number]
        if number > 0 and number <= self._first:
            raise GoneError(number)
        return number - 1

    def lost(self, number: int) -> bool:
        """Whether the network's numbers were lost there, so that it began again from a zero state."""
        return number in self._lost

    def logits(self, number: int) -> NDArray[np.float32] | None:
        """Those that were chosen from there, (vocabulary,), a copy; None where they are not kept."""
        while self._first <= number < self.end and number in self._without and number in self._joints:
            number = self._joints[number]
        if number in self._without or not max(self._first, self.end - self._logits_rows) <= number < self.end:
            return None
        return self._row(self._logits, number % self._logits_rows, self._symbols).copy()

    def way_to(self, number: int) -> tuple[int, State, list[int]]:
        """From where to go to have the state before the token there: a place with its state, and the tokens from it on.

        The state is the caller's. Raises GoneError for a place that has left the window.
        """
        if not self.first <= number < self.end:
            raise GoneError(number)
        tokens: list[int] = []
        while number not in self._slots:
            if number in self._joints:
                number = self._joints[number]
            else:
                number -= 1
                tokens.append(self.token(number))
        row = torch.from_numpy(self._row(self._states, self._slots[number], self._width).copy())
        parts = iter(torch.split(row, [size.numel() for layer in self._shapes for size in layer]))
        # Each in memory of its own, as the network makes them.
        state: State = [tuple(next(parts).clone().view(size) for size in layer) for layer in self._shapes]
        return number, state, tokens[::-1]

    def nats(self, first: int, end: int) -> NDArray[np.float64]:
        """The surprise −log p, before any knobs, of the token at each place from `first` up to `end`.

        NaN where the logits are not kept, or not finite.
        """
        found = np.full(max(0, end - first), np.nan)
        rows = [number for number in range(first, end) if self.logits_kept(number)]
        for begin in range(0, len(rows), _BLOCK):
            part = rows[begin : begin + _BLOCK]
            logits = np.array(
                [self._row(self._logits, number % self._logits_rows, self._symbols) for number in part], np.float64
            )
            with np.errstate(invalid="ignore", over="ignore"):
                top = logits.max(1, keepdims=True)
                taken = logits[np.arange(len(part)), [self._tokens[number - self._first] for number in part]]
                nats = np.log(np.exp(logits - top).sum(1)) + top[:, 0] - taken
            found[[number - first for number in part]] = nats
        return found

    def logits_kept(self, number: int) -> bool:
        """Whether the place has its own logits still."""
        return max(self._first, self.end - self._logits_rows) <= number < self.end and number not in self._without

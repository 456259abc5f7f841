"""The line of time travel in which another prime, seed or length is typed."""

from __future__ import annotations

from tui.panes.prime import PrimeInput


class TravelInput(PrimeInput):
    """As the prime's; posts messages of its own. `what` is asked for: the prime, the seed, the length."""

    class Applied(PrimeInput.Applied):
        pass

    class Left(PrimeInput.Left):
        pass

    class Unknown(PrimeInput.Unknown):
        pass

    def __init__(self) -> None:
        super().__init__("", "travel-input")
        self.what = "prime"

    def ask(self, what: str, value: str) -> None:
        """Opens with what it is now."""
        self.what = what
        self.placeholder = {"prime": "the prime (\\n is a new line)", "seed": "a seed"}.get(what, "characters")
        self.open(value)

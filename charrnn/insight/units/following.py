"""One unit read over a text that comes in pieces, a byte for each character: what is drawn of it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from charrnn.insight.units.naming import Unit, middle_and_scale
from charrnn.insight.units.recording import look_inside
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Vocabulary

MIDDLE = 127
"""The byte of a unit that says neither yes nor no; 0 and 254 are as far as it goes to either side."""
UNREAD = 255
"""The byte of a character that the vocabulary lacks."""
_OUTER = 99.0
"""The percentile of what it says that counts as as far as it goes, where nothing bounds it."""


class Following:
    """Goes on from piece to piece with its own state. `scale` is how far the unit goes from its middle."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.scale: float | None = None
        self._state: State | None = None

    def begin_again(self) -> None:
        """What comes next is a text of its own."""
        self._state = None

    def read(self, model: LanguageModel, vocabulary: Vocabulary, text: str) -> bytes:
        """A byte for each character of `text`, by the model's weights as they are now."""
        known = vocabulary.known(text)
        ids = vocabulary.encode(known).astype(np.int64)
        if not len(ids):
            return bytes([UNREAD]) * len(text)
        device = model.output.weight.device
        seen, self._state = look_inside(model, torch.from_numpy(ids).to(device)[:, None], self._state)
        values = seen[self.unit.layer - 1].kind(self.unit.kind)[:, 0, self.unit.number - 1].float().cpu().numpy()
        middle, scale = middle_and_scale(self.unit, model.config)
        if scale is None:
            scale = self.scale or (float(np.percentile(np.abs(values - middle), _OUTER)) or 1.0)
        self.scale = scale
        decoder = vocabulary.decoder()
        whole = over_characters([decoder.feed(token) for token in ids.tolist()], values, len(known))
        made = quantised(whole, middle, scale)
        if len(known) == len(text):
            return made.tobytes()
        missing = set(vocabulary.unknown(text))
        every = np.full(len(text), UNREAD, np.uint8)
        every[np.array([character not in missing for character in text], dtype=bool)] = made
        return every.tobytes()


def over_characters(tokens: list[str], values: NDArray[np.float32], characters: int) -> NDArray[np.float32]:
    """What tokens (tokens,) say, for each of the characters that they complete."""
    found = np.repeat(values, [len(token) for token in tokens])
    if len(found) < characters:  # the bytes of a last character that is not whole
        found = np.append(found, np.full(characters - len(found), values[-1]))
    return found[:characters]


def quantised(values: NDArray[np.float32], middle: float, scale: float) -> NDArray[np.uint8]:
    """Activations as bytes around MIDDLE."""
    share = np.clip((np.nan_to_num(values) - middle) / (scale or 1.0), -1.0, 1.0)
    found: NDArray[np.uint8] = (MIDDLE + np.rint(MIDDLE * share)).astype(np.uint8)
    return found

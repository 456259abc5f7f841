"""What there is to tell of a run, in sentences."""

from __future__ import annotations

import math

from charrnn.engine.messages import CorpusInfo
from charrnn.text.baselines import in_words
from tui.session import Session


def corpus_words(corpus: CorpusInfo) -> str:
    """What is learnt from, as a sentence."""
    held_out = corpus.characters - corpus.held_out_at
    part = f", of which the last {held_out:,} are held out" if held_out else ", and nothing is held out"
    note = f" {corpus.note.rstrip('.')}." if corpus.note else ""
    return f"The corpus is {corpus.name}: {corpus.characters:,} characters, {corpus.symbols}{part}.{note}"


def status_words(session: Session) -> str:
    """How it stands, as a sentence."""
    status = session.status
    if status.reading is not None:
        return status.reading.words()[:1].upper() + status.reading.words()[1:] + "."
    of = f" of {status.steps_target:,}" if status.steps_target else ""
    words = [session.state[:1].upper() + session.state[1:], f"step {status.step:,}{of}"]
    words += [status.phase_text] if status.phase else []
    words += [f"{name} loss {value:.3f}" for name, value in _losses(session)]
    if session.state == "training" and status.characters_per_second:
        words.append(f"{status.characters_per_second:,.0f} characters a second")
    return ", ".join(words) + "."


def _losses(session: Session) -> list[tuple[str, float]]:
    found = []
    for name, field in (("training", "train_loss"), ("held-out", "val_loss")):
        values = (getattr(point, field) for point in reversed(session.points))
        value = next((value for value in values if value is not None), None)
        found += [(name, value)] if value is not None else []
    return found


def loss_words(session: Session) -> str:
    """The losses in every unit, and what they are to be measured against."""
    told = [
        f"The {name} loss is {value:.3f} nats per character: "
        f"{value / math.log(2):.3f} bits, perplexity {math.exp(min(value, 700)):.2f}."
        for name, value in _losses(session)
    ]
    if session.status.best_val_loss is not None:
        told.append(
            f"The best held-out loss was {session.status.best_val_loss:.3f}, at step {session.status.best_step:,}."
        )
    if session.baselines is not None and session.baselines.figures is not None:
        told.append(f"To beat: {in_words(session.baselines.figures)}.")
    return " ".join(told) or "No loss has been measured yet."


def knob_words(session: Session) -> str:
    """How the next character is chosen, as a sentence."""
    knobs = session.knobs
    words = ["Always the likeliest character"] if knobs.greedy else [f"Temperature {knobs.temperature:.2f}"]
    words += [f"top-k {knobs.top_k or 'off'}", f"min-p {knobs.min_p or 'off'}"]
    words += [f"top-p {knobs.top_p if knobs.top_p < 1 else 'off'}"]
    return ", ".join(words) + "."

"""How large a network is, from its settings alone. No torch here: a screen can tell before anything is made."""

from __future__ import annotations

from charrnn.config import ModelConfig, RunConfig

_TAPS = 4  # of mingru's convolution
_GATES = {"rnn": 1, "gru": 3, "lstm": 4, "lstmcell": 4}
_FLOAT = 4  # bytes
_COPIES = {"adam": 7, "muon": 6}
"""Weights, gradients, the optimiser's moments, the sampler's weights, and two copies on their way to a checkpoint."""
_PROCESSES = 510_000_000
"""Bytes that a trainer and an engine take before they hold a model (measured: torch 2.13 on Linux, CPU)."""


def parameters(model: ModelConfig, symbols: int) -> int:
    """How many numbers the network learns, for a vocabulary of so many symbols."""
    hidden = model.hidden
    residual = model.residual or model.cell == "mingru"
    features = model.embedding or symbols
    count = symbols * model.embedding
    if residual and features != hidden:
        count += features * hidden
    for layer in range(model.layers):
        if model.cell == "mingru":
            recurrent = hidden + _TAPS * hidden + 3 * hidden * (hidden + 1) + hidden * hidden
            count += recurrent + hidden + 2 * 4 * hidden * hidden
        else:
            reads = hidden if residual or layer else features
            count += _GATES[model.cell] * hidden * (reads + hidden + 2) + (hidden if residual else 0)
    if residual:
        count += hidden
    count += hidden * symbols + symbols
    return count - (symbols * hidden if model.tie and model.embedding else 0)


def training_bytes(config: RunConfig, symbols: int) -> int:
    """About how much memory training takes, engine and trainer together.

    What each weight needs, what each layer keeps of a batch for the way back, the logits, and the two processes.
    """
    model, training = config.model, config.training
    kept = {"mingru": 18, "rnn": 3, "gru": 8}.get(model.cell, 12)  # numbers a unit and character
    tokens = training.batch * training.length
    activations = tokens * (model.layers * kept * model.hidden + 3 * symbols)
    weights = _COPIES[training.optimiser] + (training.average > 0)
    return _PROCESSES + _FLOAT * (weights * parameters(model, symbols) + activations)

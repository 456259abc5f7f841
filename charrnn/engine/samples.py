"""The lecture's habit: a sample every so many steps, from the prime, with a generator of its own."""

from __future__ import annotations

from charrnn.config import StreamConfig
from charrnn.engine.trainer_messages import SampleMade
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.trainer import Trainer

CHARACTERS = 200


def sample_of(trainer: Trainer, vocabulary: Vocabulary, config: StreamConfig) -> SampleMade:
    """What the model writes after this step; training goes on as if it had not been asked."""
    model, step = trainer.evaluated_model, trainer.steps_done
    training = model.training
    stream = TextStream(model, vocabulary, prime=config.prime, seed=config.seed + step, knobs=config.knobs)
    text = stream.prime + stream.take(CHARACTERS)
    model.train(training)  # the stream has put it into evaluation mode, where dropout does nothing
    return SampleMade(step, text)

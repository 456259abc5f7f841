"""A text that small networks learn quickly, on one thread."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from charrnn.text.vocabulary import Characters, Ids


@pytest.fixture(scope="session")
def text() -> str:
    """Sentences from a small grammar, the same every time: 20,000 characters."""
    words = np.random.default_rng(1)
    subjects, verbs, objects = (
        ["the cat", "a bird", "my dog"],
        ["sees", "hears"],
        ["a man", "the sea", "it"],
    )
    sentences = (f"{words.choice(subjects)} {words.choice(verbs)} {words.choice(objects)}.\n" for _ in range(2000))
    return "".join(sentences)[:20_000]


@pytest.fixture(scope="session")
def vocabulary(text: str) -> Characters:
    return Characters.of_text(text)


@pytest.fixture(scope="session")
def ids(text: str, vocabulary: Characters) -> Ids:
    return vocabulary.encode(text)


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Networks this small gain nothing from a second thread, and lose much where others use the machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)

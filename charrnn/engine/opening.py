"""From what the user asked for to a run that can begin: its place, its corpus, what it goes on from. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from charrnn.config import RunConfig, StreamConfig, UsageError
from charrnn.engine.messages import CorpusInfo, RunRequest
from charrnn.presets import corpus_config, stream_config
from charrnn.runs import directory
from charrnn.text.corpus import Corpus, load_corpus
from charrnn.text.sources import BUILT_IN, DEFAULT, require_target

PREVIEW_CHARACTERS = 40_000
STDIN_COPY = "corpus.txt"


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the run lives, what it was recorded as (None for a new run), and how its stream starts."""

    place: Path
    source: str
    name: str
    stream: StreamConfig
    recorded: RunConfig | None


def open_request(request: RunRequest) -> Opened:
    """Finds or chooses the run's place; reads settings, writes nothing. Raises UsageError."""
    folder = directory.runs_folder(request.runs_folder)
    target = request.target or DEFAULT
    if target not in BUILT_IN and target != "-":
        place = directory.find_run(target, folder)
        if place is not None:
            recorded = directory.read_config(place)
            stream = stream_config(request.options, recorded.stream)
            return Opened(place, recorded.corpus.source, recorded.corpus.name, stream, recorded)
        require_target(target)
    name = "stdin" if target == "-" else Path(target).name
    source = target if target in BUILT_IN or target == "-" else str(Path(target).expanduser().absolute())
    place = directory.new_place(name, request.run, folder)
    if target == "-":
        source = str(place / STDIN_COPY)
    return Opened(place, source, name, stream_config(request.options), None)


def read_corpus(opened: Opened, request: RunRequest) -> Corpus:
    """The corpus of a run that is about to begin or go on. Raises UsageError, also if it has changed."""
    if opened.recorded is None:
        config = corpus_config(request.options, source=opened.source, name=opened.name)
        if request.stdin_text is not None:
            config = replace(config, source="-")
        return load_corpus(config, stdin_text=request.stdin_text)
    corpus = load_corpus(opened.recorded.corpus)
    if corpus.sha256 != opened.recorded.corpus.sha256:
        raise UsageError(
            f"The corpus {opened.source} is not the one that the run {opened.place.name} was trained on; "
            "put the old text back, or start a new run with the new one."
        )
    return corpus


def preview(corpus: Corpus) -> CorpusInfo:
    """What the workbench shows of a corpus."""
    return CorpusInfo(
        name=corpus.name,
        characters=corpus.characters,
        symbols=corpus.vocabulary.summary,
        alphabet=corpus.vocabulary.alphabet,
        held_out_at=corpus.train_characters,
        head=corpus.head(PREVIEW_CHARACTERS),
        held_out_head=corpus.held_out_head(PREVIEW_CHARACTERS),
        note=corpus.note,
    )

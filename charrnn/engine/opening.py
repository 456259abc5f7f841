"""From what the user asked for to a run that can begin: its place, its corpus, what it goes on from. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from charrnn.config import RunConfig, StreamConfig, UsageError
from charrnn.engine.messages import CorpusInfo, RunRequest
from charrnn.presets import corpus_config, stream_config
from charrnn.runs import directory
from charrnn.runs.lock import TakenError, refuse_live
from charrnn.runs.room import require_writable
from charrnn.text.corpus import Corpus, kept_corpus, load_corpus
from charrnn.text.downloads import Progress, is_address
from charrnn.text.sources import BUILT_IN, DEFAULT, require_target, title

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
            refuse_live(place)  # at once, not only when the text is read and the lock is taken
            recorded = directory.read_config(place)
            require_writable(place)
            stream = stream_config(request.options, recorded.stream)
            return Opened(place, recorded.corpus.source, recorded.corpus.name, stream, recorded)
        require_target(target)
    by_itself = target in BUILT_IN or target == "-" or is_address(target)
    source = target if by_itself else str(Path(target).expanduser().absolute())
    name = "stdin" if target == "-" else target if target in BUILT_IN else title(source, ending=True)
    place = directory.new_place(name, request.run, folder)
    if target == "-":
        source = str(place / STDIN_COPY)
    return Opened(place, source, name, stream_config(request.options), None)


def begin_run(opened: Opened, wanted: str | None, config: RunConfig) -> tuple[directory.RunFolder, Opened, RunConfig]:
    """Makes a new run's folder, with what it is then opened as, and its settings. Raises UsageError.

    Where another engine took the place since it was chosen, a run whose name nobody `wanted` gets the next free one.
    """
    while True:
        try:
            return directory.RunFolder.create(opened.place, config), opened, config
        except TakenError:
            if wanted is not None:
                raise
        place = directory.new_place(opened.name, None, opened.place.parent)
        if opened.source == str(opened.place / STDIN_COPY):
            source = str(place / STDIN_COPY)
            opened, config = (
                replace(opened, source=source),
                replace(config, corpus=replace(config.corpus, source=source)),
            )
        opened = replace(opened, place=place)


def read_corpus(opened: Opened, request: RunRequest, progress: Progress = lambda *_: None) -> Corpus:
    """The corpus of a run that is about to begin or go on. Raises UsageError.

    A run whose source has changed, or is gone, goes on with the ids that were made of it, if the cache has them still.
    """
    if opened.recorded is None:
        source = "-" if request.stdin_file else opened.source
        config = corpus_config(request.options, source=source, name=opened.name)
        corpus = load_corpus(config, piped=request.stdin_file, progress=progress)
        _check_held_out(corpus, config.validation)
        return corpus
    recorded = opened.recorded.corpus
    try:
        corpus = load_corpus(recorded, progress=progress)
        if corpus.sha256 == recorded.sha256:
            return corpus
        problem = UsageError(
            f"The corpus {opened.source} is not the one that the run {opened.place.name} was trained on; "
            "put the old text back, or start a new run with the new one."
        )
    except UsageError as error:
        problem = error
    kept = kept_corpus(recorded)
    if kept is None:
        raise problem
    words = f"The corpus {opened.source} has changed or is gone; the run goes on with the ids that were kept of it."
    return replace(kept, note="kept ids of a text that has changed or is gone", warning=words)


def _check_held_out(corpus: Corpus, validation: float) -> None:
    held_out = len(corpus.held_out_ids)
    if validation > 0 and held_out < 2:
        raise UsageError(
            f"The text has {corpus.characters:,} characters, and {validation:g} of that makes {held_out:,} held "
            "out, where a loss needs at least 2; give a longer text or a larger --validation, or --validation 0 for "
            "no held-out loss."
        )


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

"""From what the user asked for to a run that can begin: its place, its corpus, what it goes on from. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from charrnn.config import RunConfig, StreamConfig, UsageError
from charrnn.engine.last_stream import last_stream
from charrnn.engine.messages import CorpusInfo, RunRequest
from charrnn.engine.new_text import as_known, has_newer_text, vocabulary_of_newest
from charrnn.engine.replay import Replay, read_replay, replay_name
from charrnn.presets import corpus_config, stream_config
from charrnn.runs import directory
from charrnn.runs.lock import TakenError, refuse_live
from charrnn.runs.room import require_writable
from charrnn.text.corpus import Corpus, kept_corpus, load_corpus
from charrnn.text.downloads import Progress, is_address
from charrnn.text.sources import BUILT_IN, DEFAULT, require_target, title

PREVIEW_CHARACTERS = 10_000
STDIN_COPY = "corpus.txt"


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the run lives, what it was recorded as (None for a new run), and how its stream starts.

    `replayed` is the record that the run at `place` is to be made from; `recorded` is then that record's beginning.
    """

    place: Path
    source: str
    name: str
    stream: StreamConfig
    recorded: RunConfig | None
    replayed: Replay | None = None


def open_request(request: RunRequest) -> Opened:
    """Finds or chooses the run's place; reads settings, writes nothing. Raises UsageError."""
    folder = directory.runs_folder(request.runs_folder)
    target = request.target or DEFAULT
    if target not in BUILT_IN and target != "-":
        place = directory.find_run(target, folder)
        if place is not None and request.replay:
            replay = read_replay(place, request.options)
            wanted = request.run or replay_name(place, folder)
            new = directory.new_place(replay.config.corpus.name, wanted, folder)
            corpus = replay.config.corpus
            return Opened(new, corpus.source, corpus.name, replay.config.stream, replay.config, replay)
        if place is not None:
            refuse_live(place)  # at once, not only when the text is read and the lock is taken
            recorded = directory.read_config(place)
            require_writable(place)
            stream = stream_config(request.options, last_stream(place, recorded.stream))
            return Opened(place, recorded.corpus.source, recorded.corpus.name, stream, recorded)
        _require_run(request)
        require_target(target)
    else:
        _require_run(request)
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
    newer = opened.replayed is None and (request.accept_new_corpus or has_newer_text(opened.place))
    known = vocabulary_of_newest(opened.place) if newer else None
    try:
        corpus = as_known(load_corpus(recorded, progress=progress), recorded, known)
        if corpus.sha256 == recorded.sha256 or (request.accept_new_corpus and opened.replayed is None):
            return corpus
        problem = UsageError(
            f"The corpus {opened.source} is not the one that the run {opened.place.name} was trained on; "
            "put the old text back, give --accept-new-corpus to train on with the new one, or start a new run."
        )
    except UsageError as error:
        problem = error
    kept = kept_corpus(recorded)
    if kept is None:
        raise problem
    words = (
        f"The corpus {opened.source} has changed or is gone; the run goes on with the ids that were kept of it "
        "(--accept-new-corpus takes the text as it is now)."
    )
    kept = as_known(kept, recorded, known)
    return replace(kept, note="kept ids of a text that has changed or is gone", warning=words)


def _require_run(request: RunRequest) -> None:
    option = "--replay" if request.replay else "--accept-new-corpus" if request.accept_new_corpus else ""
    if option:
        raise UsageError(
            f"{option} is for a run, and there is no run {request.target!r}; `charrnn runs` lists what there is."
        )


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

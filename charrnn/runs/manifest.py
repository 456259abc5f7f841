"""MANIFEST.json: what a checkpoint consists of, and what it was made with. No torch here.

    {"format": 2, "step": 1200, "val_loss": 1.74,
     "files": {"model.safetensors": {"bytes": …, "sha256": "…"}, "state.safetensors": {"bytes": …, "sha256": "…"}},
     "corpus_sha256": "…", "versions": {"torch": "…", …}, "threads": 2, "processes": 1, "device": "cpu",
     "processor": "AVX512", "settings": {"steps": null, "minutes": 10.0, …},
     "tokens": "char", "symbols": "…", "replacement": null,
     "digest": "…"}

A milestone has no state file, and `chars`, the characters learnt from, instead of how it was trained.

`val_loss` is in nats per character, null where it was not measured. The vocabulary's facts are as `Vocabulary.facts`
has them. `digest` is the sha256 of all bytes before it, so that a manifest vouches for itself as well; format 1 had
none. A later format keeps `format` and `digest` as they are.

A run's folder may come from somebody else: what is read here is measured before it is decoded, and only what is wanted
is decoded at all.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from charrnn.config import UsageError

FORMAT = 2
MANIFEST = "MANIFEST.json"
MODEL, STATE = "model.safetensors", "state.safetensors"
MANIFEST_AT_MOST = 32 << 20
"""Bytes."""
TOKENS_AT_MOST = 500_000
_OTHER_FIELDS = 1000
_END = re.compile(rb'"digest": "([0-9a-f]{64})"\n\}\Z')
_KEYS = re.compile(rb'"(format|step|val_loss|files|digest|tokens|symbols|replacement|words)"\s*:')


class NewerError(UsageError):
    """A later charrnn has written it: nothing is wrong with it."""


class FileFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file's size and digest."""

    bytes: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Files(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=lambda name: {"model": MODEL, "state": STATE}[name]
):
    """These two and no others, for a name from the manifest is never a path; a milestone has no state."""

    model: FileFacts
    state: FileFacts | None = None

    def of(self, name: str) -> FileFacts:
        """The entry of MODEL or STATE. Raises KeyError where there is none."""
        found = {MODEL: self.model, STATE: self.state}[name]
        if found is None:
            raise KeyError(name)
        return found


class Manifest(msgspec.Struct, frozen=True):
    """What is read of it. The vocabulary stays as it is written until it is asked for."""

    format: int
    step: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    files: Files
    val_loss: float | None = None
    chars: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] | None = None
    tokens: Literal["char", "byte", "word"] = "char"
    symbols: msgspec.Raw = msgspec.Raw(b"")
    replacement: msgspec.Raw = msgspec.Raw(b"")
    words: msgspec.Raw = msgspec.Raw(b"")
    corpus_sha256: str | None = None
    versions: dict[str, str] | None = None
    threads: int | None = None
    processes: int | None = None
    device: str | None = None
    processor: str | None = None
    settings: dict[str, Any] | None = None

    def circumstances(self) -> dict[str, Any]:
        """What the numbers of the run depended on, as far as it is written; the format always is."""
        names = ("format", "corpus_sha256", "versions", "threads", "processes", "device", "processor", "settings")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def vocabulary_facts(self) -> dict[str, Any]:
        """For `charrnn.text.vocabulary.from_facts`. Raises ValueError for more tokens than there may be."""
        written = {name: bytes(getattr(self, name)) for name in ("symbols", "replacement", "words")}
        if len(written["symbols"]) > 12 * TOKENS_AT_MOST:  # as "\\ud83d\\ude00"
            raise ValueError(f"more than {TOKENS_AT_MOST:,} tokens")
        facts = {n: json.loads(text.decode("utf-8", "surrogatepass")) for n, text in written.items() if text}
        kinds = {"symbols": str, "replacement": str | None, "words": list}
        if not all(isinstance(fact, kinds[name]) for name, fact in facts.items()):
            raise ValueError("its vocabulary is not made of characters and words")
        if any(not isinstance(word, str) for word in facts.get("words", ())):
            raise ValueError("a word is not a text")
        if any(len(facts.get(name, ())) > TOKENS_AT_MOST for name in ("symbols", "words")):
            raise ValueError(f"more than {TOKENS_AT_MOST:,} tokens")
        return {"tokens": self.tokens, **facts}


_decoder = msgspec.json.Decoder(Manifest)


class _OnlyFormat(msgspec.Struct, frozen=True):
    format: int


def manifest_bytes(
    *, step: int, val_loss: float | None, files: Mapping[str, FileFacts], facts: Mapping[str, Any]
) -> bytes:
    """The file's content. Raises ValueError for facts that JSON has no words for."""
    entries = {name: msgspec.to_builtins(entry) for name, entry in files.items()}
    content = {"format": FORMAT, "step": step, "val_loss": val_loss, "files": entries, **facts, "digest": ""}
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False).encode("utf-8", "surrogatepass")
    before, end = text[:-3], text[-3:]
    return before + hashlib.sha256(before).hexdigest().encode() + end


def require_room(facts: Mapping[str, Any]) -> None:
    """Raises UsageError for a vocabulary that a manifest has no room for, so that it is said before a run begins."""
    tokens = len(facts.get("symbols") or "") + len(facts.get("words") or ())
    size = len(json.dumps(dict(facts), indent=1).encode())
    if tokens > TOKENS_AT_MOST or size > MANIFEST_AT_MOST - (1 << 20):
        raise UsageError(
            f"A checkpoint holds at most {TOKENS_AT_MOST:,} tokens in {MANIFEST_AT_MOST >> 20} MB, and this text has "
            f"{tokens:,} in {size / 2**20:.1f} MB; give --tokens byte, or --tokens word a smaller --max-vocabulary."
        )


def parse_manifest(data: bytes) -> Manifest:
    """What the content says. Raises ValueError with a clause for one that is damaged, NewerError for a later format."""
    end = _END.search(data[-80:])
    body = memoryview(data)[: len(data) - len(end[0]) + len(b'"digest": "')] if end else b""
    sealed = end is not None and hashlib.sha256(body).hexdigest().encode() == end[1]
    if data.count(b",") > TOKENS_AT_MOST + _OTHER_FIELDS:
        raise ValueError(f"{MANIFEST} has more than {TOKENS_AT_MOST:,} tokens")
    try:
        if msgspec.json.decode(data, type=_OnlyFormat).format > FORMAT:
            words = "was written by a newer charrnn; update to open it"
            if sealed:
                raise NewerError(words)
            raise ValueError(f"{MANIFEST} is not whole, or {words}")
        manifest = _decoder.decode(data)
    except RecursionError:
        raise ValueError(f"{MANIFEST} is nested too deeply") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"{MANIFEST}: {error}") from None
    if not (sealed or manifest.format == 1):
        raise ValueError(f"{MANIFEST} has not the recorded digest")
    keys = _KEYS.findall(data)
    if len(set(keys)) != len(keys):
        raise ValueError(f"{MANIFEST} has a field twice")
    if manifest.val_loss is not None and not math.isfinite(manifest.val_loss):
        raise ValueError(f"{MANIFEST} has a loss that is no number")
    return manifest

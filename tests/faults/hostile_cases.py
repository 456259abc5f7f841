"""Runs that somebody made to do harm: each case changes a good run's folder. Most are sealed, as an attacker would."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save

from charrnn.runs.manifest import MANIFEST, MODEL, STATE

Change = Callable[["Hostile"], None]
CASES: dict[str, tuple[Change, bool]] = {}
"""By name: the change, and whether `charrnn sample` is to refuse it as well as a resume."""


def case(*, sample: bool = True) -> Callable[[Change], Change]:
    """Adds a change under its name."""

    def add(change: Change) -> Change:
        CASES[change.__name__.replace("_", " ")] = (change, sample)
        return change

    return add


@dataclass(frozen=True)
class Hostile:
    """A copy of the good run, `checkpoint` being its only one; `canary` appears if anything is executed."""

    run: Path
    checkpoint: Path
    canary: Path

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.checkpoint / MANIFEST).read_text())
        del found["digest"]
        return found

    def seal(self, text: str) -> None:
        """Writes a manifest that vouches for itself."""
        before = text.rstrip().removesuffix("}").rstrip() + ',\n "digest": "'
        digest = hashlib.sha256(before.encode()).hexdigest()
        (self.checkpoint / MANIFEST).write_text(f'{before}{digest}"\n}}')

    def say(self, **changed: Any) -> None:
        """Seals the manifest with these fields changed."""
        self.seal(json.dumps({**self.manifest(), **changed}, indent=1))

    def put(self, data: bytes, name: str = MODEL) -> None:
        """Writes a file and seals its size and digest."""
        (self.checkpoint / name).write_bytes(data)
        files = self.manifest()["files"]
        self.say(files={**files, name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}})

    def tensors(self, name: str = MODEL) -> dict[str, torch.Tensor]:
        return load((self.checkpoint / name).read_bytes())

    def put_tensors(self, name: str = MODEL, **changed: torch.Tensor | None) -> None:
        """Tensors changed, added or (None) left out; "/" and "." are written as "_S_" and "_D_"."""
        named = {n.replace("_S_", "/").replace("_D_", "."): t for n, t in changed.items()}
        tensors = {n: t for n, t in {**self.tensors(name), **named}.items() if t is not None}
        self.put(save(tensors), name)

    def put_header(self, header: bytes, body: bytes = b"", length: int | None = None) -> None:
        self.put(struct.pack("<Q", len(header) if length is None else length) + header + body)

    def header(self) -> tuple[dict[str, Any], bytes]:
        data = (self.checkpoint / MODEL).read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        return json.loads(data[8 : 8 + length]), data[8 + length :]

    def pickled(self) -> bytes:
        """Protocol 0: posix.system("touch CANARY")."""
        return f"cposix\nsystem\n(S'touch {self.canary}'\ntR.".encode()

    def config(self, name: str, value: object) -> None:
        place = self.run / "config.toml"
        text, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", place.read_text(), count=1, flags=re.MULTILINE)
        assert count == 1, name
        place.write_text(text)


@case()
def a_pickle_under_the_models_name(h: Hostile) -> None:
    (h.checkpoint / MODEL).write_bytes(h.pickled())


@case()
def a_sealed_pickle(h: Hostile) -> None:
    h.put(h.pickled())


@case()
def a_zip_archive_with_a_pickle_as_torch_writes_it(h: Hostile) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", h.pickled())
    h.put(made.getvalue())


@case()
def a_pickle_as_the_training_state(h: Hostile) -> None:
    h.put(h.pickled(), STATE)


@case()
def a_pickle_as_the_manifest(h: Hostile) -> None:
    (h.checkpoint / MANIFEST).write_bytes(h.pickled())


@case()
def a_header_of_eight_exabytes(h: Hostile) -> None:
    h.put_header(b"{}", length=2**63 - 1)


@case()
def a_header_of_twenty_megabytes(h: Hostile) -> None:
    h.put_header(b" " * 20_000_000)


@case()
def a_header_nested_a_million_deep(h: Hostile) -> None:
    h.put_header(b'{"a":' + b"[" * 1_000_000)


@case()
def a_header_with_a_shape_of_a_million_dimensions(h: Hostile) -> None:
    shape = ",".join(["4611686018427387903"] * 100_000)
    h.put_header(f'{{"a":{{"dtype":"F32","shape":[{shape}],"data_offsets":[0,0]}}}}'.encode())


@case()
def a_file_of_a_terabyte(h: Hostile) -> None:
    os.truncate(h.checkpoint / MODEL, 10**12)
    files = h.manifest()["files"]
    h.say(files={**files, MODEL: {**files[MODEL], "bytes": 10**12}})


@case()
def a_tensor_of_a_terabyte_that_is_not_there(h: Hostile) -> None:
    header, body = h.header()
    name = next(iter(header))
    header[name] |= {"shape": [250_000_000_000], "data_offsets": [0, 10**12]}
    h.put_header(json.dumps(header).encode(), body)


@case()
def offsets_beyond_the_file(h: Hostile) -> None:
    header, body = h.header()
    last = max(header.values(), key=lambda entry: entry["data_offsets"])
    last["data_offsets"] = [at + 4096 for at in last["data_offsets"]]
    h.put_header(json.dumps(header).encode(), body)


@case()
def tensors_that_overlap(h: Hostile) -> None:
    header, body = h.header()
    one, other = sorted(header.values(), key=lambda entry: entry["data_offsets"])[:2]
    size = other["data_offsets"][1] - other["data_offsets"][0]
    other["data_offsets"] = [one["data_offsets"][0], one["data_offsets"][0] + size]
    h.put_header(json.dumps(header).encode(), body)


@case()
def bytes_that_belong_to_no_tensor(h: Hostile) -> None:
    h.put((h.checkpoint / MODEL).read_bytes() + h.pickled())


@case()
def a_tensor_twice_in_the_header(h: Hostile) -> None:
    header, body = h.header()
    text = json.dumps(header)
    name = next(iter(header))
    h.put_header(f'{{"{name}": {json.dumps(header[name])}, {text[1:]}'.encode(), body)


@case()
def fifty_thousand_tensors(h: Hostile) -> None:
    h.put(save({f"extra.{number}": torch.zeros(1) for number in range(50_000)}))


@case()
def numbers_of_an_unknown_kind(h: Hostile) -> None:
    header, body = h.header()
    next(iter(header.values()))["dtype"] = "PICKLE"
    h.put_header(json.dumps(header).encode(), body)


@case()
def weights_of_another_kind(h: Hostile) -> None:
    h.put_tensors(output_D_bias=h.tensors()["output.bias"].double())


@case()
def weights_of_another_shape(h: Hostile) -> None:
    h.put_tensors(output_D_bias=h.tensors()["output.bias"][:-1].clone())


@case()
def weights_that_are_missing(h: Hostile) -> None:
    h.put_tensors(output_D_bias=None)


@case()
def weights_that_nothing_takes(h: Hostile) -> None:
    h.put_tensors(__class__=torch.zeros(3))


@case()
def weights_that_are_nan(h: Hostile) -> None:
    h.put_tensors(output_D_bias=torch.full_like(h.tensors()["output.bias"], math.nan))


@case()
def weights_that_are_infinite(h: Hostile) -> None:
    h.put_tensors(output_D_bias=torch.full_like(h.tensors()["output.bias"], math.inf))


@case(sample=False)
def an_optimisers_moments_that_are_nan(h: Hostile) -> None:
    moments = h.tensors(STATE)["optimiser/0/exp_avg"]
    h.put_tensors(STATE, optimiser_S_0_S_exp_avg=torch.full_like(moments, math.nan))


@case(sample=False)
def an_optimisers_moments_of_another_shape(h: Hostile) -> None:
    h.put_tensors(STATE, optimiser_S_0_S_exp_avg_sq=torch.zeros(3))


@case(sample=False)
def a_hidden_state_of_other_layers(h: Hostile) -> None:
    h.put_tensors(STATE, hidden_S_0_S_0=torch.zeros(4, 3))


@case(sample=False)
def a_random_generator_that_is_none(h: Hostile) -> None:
    h.put_tensors(STATE, random_S_cpu=torch.zeros(7, dtype=torch.uint8))


@case(sample=False)
def a_state_of_another_step(h: Hostile) -> None:
    h.put_tensors(STATE, counters=torch.tensor([-5, 0, 0]))


@case(sample=False)
def a_state_without_its_counters(h: Hostile) -> None:
    h.put_tensors(STATE, run_D_seconds=None)


@case()
def a_newer_format(h: Hostile) -> None:
    h.say(format=99)


@case()
def a_manifest_nested_a_million_deep(h: Hostile) -> None:
    h.seal('{"format": 2, "more": ' + "[" * 1_000_000 + "]" * 1_000_000 + "}")


@case()
def a_manifest_of_a_gigabyte(h: Hostile) -> None:
    os.truncate(h.checkpoint / MANIFEST, 10**9)


@case()
def a_manifest_with_a_loss_that_is_nan(h: Hostile) -> None:
    h.seal(re.sub(r'"val_loss": [^,]*,', '"val_loss": NaN,', json.dumps(h.manifest(), indent=1)))


@case()
def a_manifest_of_wrong_types(h: Hostile) -> None:
    h.say(step="twenty", files=[])


@case()
def a_manifest_with_a_field_twice(h: Hostile) -> None:
    h.seal(json.dumps(h.manifest(), indent=1).replace('"step"', '"step": 1, "step"', 1))


@case()
def a_negative_step(h: Hostile) -> None:
    h.say(step=-20)


@case()
def another_step_than_the_folders(h: Hostile) -> None:
    h.say(step=21)


@case()
def a_manifest_that_names_files_elsewhere(h: Hostile) -> None:
    files = h.manifest()["files"]
    h.say(files={**files, "../../../../../../etc/passwd": files[MODEL], "/etc/passwd": files[MODEL]})


@case()
def a_vocabulary_of_two_million_words(h: Hostile) -> None:
    words = [f"{number:07}" for number in range(2_000_000)]
    h.say(tokens="word", symbols="0123456789", words=words)


@case()
def a_vocabulary_of_another_size(h: Hostile) -> None:
    h.say(symbols=h.manifest()["symbols"] + "☃")


@case()
def a_vocabulary_that_is_a_number(h: Hostile) -> None:
    h.say(symbols=12)


@case()
def a_link_in_place_of_the_model(h: Hostile) -> None:
    (h.checkpoint / MODEL).rename(h.run / "elsewhere")
    (h.checkpoint / MODEL).symlink_to(h.run / "elsewhere")


@case()
def a_device_in_place_of_the_model(h: Hostile) -> None:
    (h.checkpoint / MODEL).unlink()
    (h.checkpoint / MODEL).symlink_to("/dev/zero")


@case()
def a_pipe_in_place_of_the_model(h: Hostile) -> None:
    (h.checkpoint / MODEL).unlink()
    os.mkfifo(h.checkpoint / MODEL)


@case()
def a_pipe_in_place_of_the_manifest(h: Hostile) -> None:
    (h.checkpoint / MANIFEST).unlink()
    os.mkfifo(h.checkpoint / MANIFEST)


@case()
def a_folder_in_place_of_the_model(h: Hostile) -> None:
    (h.checkpoint / MODEL).unlink()
    (h.checkpoint / MODEL).mkdir()


@case()
def a_link_in_place_of_the_checkpoint(h: Hostile) -> None:
    h.checkpoint.rename(h.run / "elsewhere")
    h.checkpoint.symlink_to(h.run / "elsewhere")


@case()
def settings_that_ask_for_a_thousand_million_units(h: Hostile) -> None:
    h.config("hidden", 10**9)


@case()
def settings_that_ask_for_a_million_layers(h: Hostile) -> None:
    h.config("layers", 10**6)


@case()
def settings_that_ask_for_all_that_may_be(h: Hostile) -> None:
    h.config("hidden", 65_536)
    h.config("layers", 64)


@case()
def settings_nested_a_hundred_thousand_deep(h: Hostile) -> None:
    (h.run / "config.toml").write_text("a = " + "[" * 100_000 + "]" * 100_000)


@case()
def settings_of_a_terabyte(h: Hostile) -> None:
    os.truncate(h.run / "config.toml", 10**12)

"""The compiled kernels, loaded: `library()` gives them, or None where there are none and PyTorch does the work.

Every kernel takes raw addresses of contiguous memory on the CPU and checks nothing: `charrnn.model.addresses` does.
Calls release Python's lock, so that threads which call kernels run side by side; no kernel starts threads or keeps
anything between two calls. No torch here.

To add one: write it in a .c file of this folder, name it in `_SIGNATURES`, and call it as `library().name(...)`.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from ctypes import c_double, c_float, c_int64, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

from charrnn.native.compiling import Compiled, CompilingError, compiled, discard

_P, _N, _U, _F, _D = c_void_p, c_int64, c_uint32, c_float, c_double
_GATED: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "norm_forward": (None, (*[_P] * 8, *[_N] * 4)),
    "norm_backward": (None, (*[_P] * 13, *[_N] * 4)),
    "mingru_forward": (None, (*[_P] * 5, *[_N] * 3)),
    "mingru_backward": (None, (*[_P] * 8, *[_N] * 3)),
    "squared_relu_forward": (None, (_P, _P, _N)),
    "squared_relu_backward": (None, (_P, _P, _P, _N)),
    "add_dropped_forward": (None, (_P, _P, _P, _N, _U, _U, _F)),
    "add_dropped_backward": (None, (_P, _P, _N, _U, _U, _F)),
}
_TILED: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "tiled_feed_forward_room": (_N, (_N,)),
    "tiled_feed_forward": (None, (*[_P] * 7, _N, _N, _U, _U, _F)),
    "tiled_feed_forward_backward": (None, (*[_P] * 11, _N, _N, _U, _U, _F)),
    "tiled_muon_room": (_N, (_N, _N)),
    "tiled_muon": (None, (*[_P] * 4, *[_N] * 3, *[_F] * 6)),
    "tiled_recurrent_room": (_N, (_N, _N, _N)),
    "tiled_recurrent": (None, (*[_P] * 13, *[_N] * 4, _U, _U, _F)),
    "tiled_recurrent_backward": (None, (*[_P] * 20, *[_N] * 4, _U, _U, _F)),
}
"""Compiled only for a processor with tile registers; `tiles_allowed` says whether they may be called."""
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "activations": (None, (_P, _P, _P, _P, _N)),
    "cross_entropy": (_D, (_P, _P, _P, _N, _N, _F)),
    "embed": (_N, (_P, _P, _P, _N, _N, _N)),
    "embed_backward": (None, (_P, _P, _P, _N, _N)),
    "affine": (None, (_P, _P, _P, _P, _N, _N)),
    "pick": (_N, (_P, _P, _P, _N, _D, _D)),
    "all_finite": (_N, (_P, _N)),
    "mingru_step": (None, (*[_P] * 12, _N, _N)),
    "norm_affine": (None, (*[_P] * 6, _N, _N)),
    "lstm_step": (None, (_P, _N, _N, *[_P] * 7, _N)),
    "lstm_packed_size": (_N, (_N,)),
    "lstm_pack_forward": (None, (_P, _P, _N)),
    "lstm_pack_backward": (None, (_P, _P, _N)),
    "lstm_forward": (_N, (_P, _P, _N, *[_P] * 6, *[_N] * 5)),
    "lstm_backward": (None, (*[_P] * 11, *[_N] * 5)),
    "tiles_allowed": (_N, ()),
    **{f"{name}_{kind}": types for kind in ("float32", "bfloat16") for name, types in _GATED.items()},
}


class Library:
    """The kernels as functions, and what they were made from (`digest`)."""

    def __init__(self, found: Compiled) -> None:
        """Raises OSError or AttributeError where the file is no such library."""
        self.digest = found.digest
        loaded = ctypes.CDLL(str(found.path))
        for name, (returned, taken) in _SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = returned, taken
            setattr(self, name, function)
        for name, (returned, taken) in _TILED.items():
            function = getattr(loaded, name, None)
            if function is not None:
                function.restype, function.argtypes = returned, taken
                setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        """For the type checker: every function is set by name."""
        raise AttributeError(f"there is no kernel {name!r}")


@dataclass(frozen=True, slots=True)
class _Found:
    library: Library | None
    problem: str


_lock = threading.Lock()
_found: _Found | None = None


def library() -> Library | None:
    """The kernels; the first call compiles them if need be (some seconds), None where that cannot be or is unwanted.

    The environment variable CHARRNN_NATIVE=0 says that PyTorch should do all the work.
    """
    return None if _unwanted() else _load().library


def prepare(before: Callable[[], None]) -> None:
    """Makes `library()` ready; `before` is called if it has to be compiled first."""
    if not _unwanted():
        _load(before)


def problem() -> str:
    """Why `library()` is None, as a clause; "" where it is not, or where the user wants it so."""
    return "" if _unwanted() else _load().problem


def kernels() -> str:
    """Which arithmetic a run is made with, for its record: "native" with a digest, or "torch"."""
    found = library()
    return "torch" if found is None else f"native {found.digest[:8]}"


def _unwanted() -> bool:
    return os.environ.get("CHARRNN_NATIVE") == "0"


def _load(before: Callable[[], None] | None = None) -> _Found:
    global _found
    if _found is None:
        with _lock:
            if _found is None:
                _found = _first_load(before)
    return _found


def _first_load(before: Callable[[], None] | None) -> _Found:
    try:
        made = compiled(before=before)
        try:
            return _Found(Library(made), "")
        except (OSError, AttributeError):  # of another machine, perhaps
            discard(made)
            return _Found(Library(compiled()), "")
    except CompilingError as error:
        return _Found(None, str(error))
    except (OSError, AttributeError) as error:
        return _Found(None, f"the compiled library does not load: {error}")

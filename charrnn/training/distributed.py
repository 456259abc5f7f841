"""Data-parallel training by several processes, on one machine or several: DistributedDataParallel over gloo or NCCL.

Gradients are averaged by `torch.nn.parallel.DistributedDataParallel` (Li et al., "PyTorch Distributed", VLDB 2020,
arXiv:2006.15704), over NCCL where the model is on GPUs. Everything else (losses, orders, states) is small and goes
over gloo, from CPU to CPU. All that decides a step is made the same on every rank: the loss is the mean over ranks,
the gradients' norm is that of the mean, so every rank finds it finite or none does.

A lost peer shows as a closed connection; the timeout is for a machine that went silent.

Tested over gloo, with several processes of one machine. NCCL, which needs two GPUs, has not been run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import torch
import torch.distributed as dist
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn
from torch.distributed import PrefixStore, rendezvous  # type: ignore[attr-defined]
from torch.nn.parallel import DistributedDataParallel

from charrnn.config import UsageError
from charrnn.model.language_model import LanguageModel, State, detach
from charrnn.torchrun import Seat
from charrnn.training.ranks import RankLostError, Ranks
from charrnn.training.shards import Shards, mean_loss, replica

TIMEOUT = timedelta(minutes=60)  # also what one evaluation may take, for which the others wait
AT_ONCE = 64 * 1024 * 1024  # bytes, in a broadcast


class Store(Protocol):
    """A key-value store that all ranks reach, such as torch.distributed's."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def check(self, keys: list[str]) -> bool: ...


@contextmanager
def peers_needed() -> Iterator[None]:
    """What torch says of a peer that is gone becomes `RankLostError`."""
    try:
        yield
    except RankLostError:
        raise
    except RuntimeError as error:
        words = str(error).strip().splitlines()
        raise RankLostError(
            f"another process of this training is gone ({words[0] if words else 'no more is known'})"
        ) from error


def join(seat: Seat, place: str = "env://") -> Together:
    """Meets the others of this training, where torchrun's environment says or at another `init_method`.

    Raises `RankLostError`.
    """
    with peers_needed():
        store, _, _ = next(rendezvous(place, seat.rank, seat.size, timeout=TIMEOUT))
        store = PrefixStore(meeting_of(seat, PrefixStore("charrnn", store)), store)
        dist.init_process_group("gloo", store=store, timeout=TIMEOUT, rank=seat.rank, world_size=seat.size)
    return Together(seat)


def meeting_of(seat: Seat, store: Store) -> str:
    """A name that the ranks which are there now share, and no rank that was there before.

    torchrun keeps one store over its restarts, with the addresses of dead processes in it, and its count of restarts
    is not the same on all machines (github.com/pytorch/pytorch/issues/135712). So every rank but the first calls under
    a name of its own, rank 0 answers with the meeting's, and begins once each of the others has come there.
    """
    own, end = uuid4().hex, time.monotonic() + TIMEOUT.total_seconds()
    absent = set(range(1, seat.size))
    if seat.rank:
        store.set(f"caller/{seat.rank}", own)
    while time.monotonic() < end:
        if seat.rank == 0:
            for rank in sorted(absent):
                if store.check([f"caller/{rank}"]):
                    store.set(f"answer/{store.get(f'caller/{rank}').decode()}", own)
                if store.check([f"{own}/{rank}"]):
                    absent.remove(rank)
            if not absent:
                store.set(f"{own}/begins", "")
                return own
        elif store.check([f"answer/{own}"]):
            meeting = store.get(f"answer/{own}").decode()
            store.set(f"{meeting}/{seat.rank}", "")
            if store.check([f"{meeting}/begins"]):
                return meeting
        time.sleep(0.05)
    raise RankLostError(f"not all of the {seat.size} processes came within {TIMEOUT}")


class Together(Ranks):
    """One of several ranks. All methods but `leave` wait for the other ranks to call the same one."""

    def __init__(self, seat: Seat) -> None:
        """Of the default process group, which must be there."""
        self.seat = seat
        self.rank, self.size = seat.rank, seat.size

    def leave(self) -> None:
        """As `Ranks.leave`; does not wait for them."""
        if dist.is_initialized():
            dist.destroy_process_group()

    def use(self, device: str) -> None:
        """The device that this rank trains on: its own GPU, of those of its machine. Raises UsageError."""
        if device == "mps":
            raise UsageError("Several processes cannot share an MPS device; give --device cpu.")
        if device == "cuda":
            there, wanted = torch.cuda.device_count(), self.seat.local_size
            if there < wanted:
                raise UsageError(
                    f"There are {there} GPUs for {wanted} processes on the machine of rank {self.rank}; "
                    f"start torchrun with --nproc-per-node {max(1, there)}, or give --device cpu."
                )
            torch.cuda.set_device(self.seat.local_rank)

    def shards(
        self, model: LanguageModel, streams: int, count: int, seed: int, dtype: torch.dtype | None = None
    ) -> _Averaged:
        """As `Ranks.shards`. The weights of every rank are those of rank 0 afterwards, their dropout is not."""
        cuda = next(model.parameters()).device.type == "cuda"
        if self.rank:
            torch.manual_seed(
                (seed * 1000 + 500 + self.rank) % 2**63
            )  # what dropout draws from where there is one shard
        with peers_needed():
            group = dist.new_group(backend="nccl") if cuda else None
            return _Averaged(self, _Share(model, streams, count, seed, self.rank, dtype), group)

    def mean(self, number: float) -> float:
        """Over the ranks; not finite if it is not on one of them."""
        return self.sums(number)[0] / self.size

    def sums(self, *numbers: float) -> list[float]:
        """Of each number over the ranks."""
        tensor = torch.tensor(numbers, dtype=torch.float64)
        with peers_needed():
            dist.all_reduce(tensor)
        return [float(number) for number in tensor]

    def total(self, number: int) -> int:
        """As `Ranks.total`."""
        return int(self.sums(number)[0])

    def bytes_of_first(self, data: bytes) -> bytes:
        """Rank 0's; what the others pass is not looked at."""
        length = int(self.sums(len(data) if self.rank == 0 else 0)[0])
        out = bytearray(data if self.rank == 0 else length)
        for first in range(0, length, AT_ONCE):
            self.broadcast(torch.frombuffer(memoryview(out)[first : first + AT_ONCE], dtype=torch.uint8))
        return bytes(out)

    def broadcast(self, tensor: Tensor) -> None:
        """Overwrites the tensor, on the CPU, by rank 0's."""
        with peers_needed():
            dist.broadcast(tensor, 0)

    def bytes_of_each(self, data: bytes) -> list[bytes]:
        """Every rank's, in order; meant for a few words."""
        lengths = [int(n) for n in self.sums(*(len(data) if rank == self.rank else 0 for rank in range(self.size)))]
        own = torch.zeros(max(1, *lengths), dtype=torch.uint8)
        own[: len(data)] = torch.tensor(list(data), dtype=torch.uint8)
        return [bytes(t[:n].tolist()) for t, n in zip(self._gathered(own), lengths, strict=True)]

    def of_first(self, number: Callable[[], float | None]) -> float | None:
        """What rank 0 computes while the others wait."""
        value = number() if self.rank == 0 else None
        there, value = self.sums(value is not None, 0.0 if value is None else value)
        return value if there else None

    def tensors_of_first(self, load: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """As `Ranks.tensors_of_first`; the tensors are on the CPU."""
        data = b""
        try:
            if self.rank == 0:
                data = tensors_to_bytes(load())
        except UsageError:
            self.bytes_of_first(b"")
            raise
        data = self.bytes_of_first(data)
        if not data:
            raise RankLostError("rank 0 could not load the checkpoint")
        return tensors_from_bytes(data)

    def joined(self, tensor: Tensor) -> Tensor:
        """As `Ranks.joined`."""
        return torch.cat(self._gathered(tensor.detach().cpu().contiguous()))

    def named_by_rank(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """As `Ranks.named_by_rank`, of tensors that have the same shapes on every rank."""
        named = {}
        for name, tensor in tensors.items():
            for rank, one in enumerate(self._gathered(tensor.detach().cpu().contiguous())):
                named[f"rank/{rank}/{name}" if rank else name] = one
        return named

    def own_of(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """As `Ranks.own_of`."""
        prefix = f"rank/{self.rank}/" if self.rank else ""
        own = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        return {name: tensor for name, tensor in own.items() if not name.startswith("rank/")}

    def _gathered(self, tensor: Tensor) -> list[Tensor]:
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        with peers_needed():
            dist.all_gather(parts, tensor)
        return parts


class _Share(nn.Module):
    """The mean loss of this rank's streams, as a graph over the model's parameters.

    With one shard it is the model's own graph, and gradients travel while the rest of them is computed. With several,
    threads compute them first, on replicas, and the graph is a node that hands them over.
    """

    def __init__(
        self, model: LanguageModel, streams: int, count: int, seed: int, rank: int, dtype: torch.dtype | None
    ) -> None:
        super().__init__()
        self.model = model
        self._dtype = dtype
        several = min(count, streams) > 1
        first = rank * min(count, streams)
        self.shards = Shards(replica(model), streams, count, seed, dtype, first) if several else None
        self._replicated = list(self.shards.models[0].parameters()) if self.shards else []

    def forward(self, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[Tensor, State]:
        if self.shards is None:
            loss, after = mean_loss(self.model, inputs, targets, state, self._dtype)
            return loss, detach(after)
        value, after = self.shards.gradients(inputs, targets, state)
        finite = math.isfinite(value)  # else there are no gradients; every rank will pass this step over
        grads = [own.grad if finite and own.grad is not None else torch.zeros_like(own) for own in self._replicated]
        known = torch.tensor(value, dtype=torch.float64)
        return _HandedOver.apply(known, grads, *self.model.parameters()), after  # type: ignore[no-untyped-call]


class _HandedOver(torch.autograd.Function):
    """A loss whose gradients are known already."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: list[Tensor], *parameters: Tensor) -> Tensor:
        ctx.gradients = gradients
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        return None, None, *ctx.gradients


class _Averaged:
    """`Gradients` that are the mean over the ranks."""

    def __init__(self, ranks: Together, share: _Share, group: Any) -> None:
        self._ranks = ranks
        self._parallel = DistributedDataParallel(share, process_group=group)
        self.generators = share.shards.generators if share.shards else []

    def gradients(self, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[float, State]:
        """As `Shards.gradients`; the loss is the mean over the ranks, the state is of this rank's streams.

        Backward runs whatever the loss is: a rank that left it out would leave the others waiting.
        """
        for parameter in self._parallel.parameters():
            parameter.grad = None
        loss, after = self._parallel(inputs, targets, state)
        with peers_needed():
            loss.backward()
        return self._ranks.mean(loss.item()), after

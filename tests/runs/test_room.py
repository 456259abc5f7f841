from __future__ import annotations

from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.runs import room


def test_sizes_are_said_in_megabytes() -> None:
    assert [room.megabytes(n) for n in (0, 400_000, 9_900_000, 12_345_678, 1.2e9)] == [
        "0.0 MB",
        "0.4 MB",
        "9.9 MB",
        "12 MB",
        "1,200 MB",
    ]


def test_a_run_needs_room_for_its_first_checkpoints_and_is_warned_where_the_next_will_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def free(megabytes: float) -> None:
        monkeypatch.setattr(room, "free_bytes", lambda _: int(megabytes * 1e6))

    free(20)
    with pytest.raises(UsageError, match=r"needs about 21 MB at .*, and 20 MB are free; make room there, or choose"):
        room.require_room(tmp_path, 10_000_000, new=True)
    assert "about 21 MB" in room.require_room(tmp_path, 10_000_000, new=False)
    free(10)
    with pytest.raises(UsageError, match=r"about 11 MB .* make room there.$"):
        room.require_room(tmp_path, 10_000_000, new=False)
    free(60)
    assert room.require_room(tmp_path, 10_000_000, new=True) == ""
    assert "about 71 MB" in room.require_room(tmp_path, 10_000_000, 20_000_000, new=True)


def test_where_the_system_does_not_say_how_much_is_free_nothing_is_refused(tmp_path: Path) -> None:
    assert (room.free_bytes(tmp_path / "not" / "there") or 0) > 0
    assert room.free_bytes(Path("/proc")) is None
    assert room.require_room(Path("/proc"), 10**18, new=True) == ""

"""What the workbench remembers is a convenience: nothing depends on it, and no damage to it is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.layout import Shares
from tui.remembered import FILE, read_sizes, write_sizes


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHARRNN_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_sizes_come_back_for_the_kind_of_screen_that_they_were_given_at(state: Path) -> None:
    assert read_sizes() == {}
    write_sizes("wide", Shares(0.6, 0.25))
    write_sizes("narrow", Shares(height=0.3))
    assert read_sizes() == {"wide": Shares(0.6, 0.25), "narrow": Shares(0.3, None)}
    write_sizes("wide", Shares())
    assert read_sizes() == {"narrow": Shares(0.3, None)}
    assert [path.name for path in state.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "damaged",
    [b"", b"{", b"\xff", b"[]", b'{"sizes": 3}', b'{"sizes": {"wide": {"height": "x"}}}', b"[" * 100_000],
    ids=lambda damaged: repr(damaged[:30]),
)
def test_a_damaged_file_is_as_none_and_is_written_anew(damaged: bytes, state: Path) -> None:
    state.mkdir()
    (state / FILE).write_bytes(damaged)
    assert read_sizes() == {}
    write_sizes("wide", Shares(0.5))
    assert read_sizes() == {"wide": Shares(0.5)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_do_no_harm(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / FILE).write_bytes(data)
    read_sizes()


def test_shares_that_cannot_be_are_left_out(state: Path) -> None:
    state.mkdir()
    (state / FILE).write_text('{"sizes": {"wide": {"height": 7, "width": 0.4}, "huge": {"height": 0.2}}, "new": 1}')
    assert read_sizes() == {"wide": Shares(None, 0.4)}


def test_where_nothing_can_be_written_nothing_is_said(state: Path) -> None:
    state.write_text("a file in the folder's place")
    write_sizes("wide", Shares(0.5))
    assert read_sizes() == {}

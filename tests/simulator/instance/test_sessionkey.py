"""The key of sessions' cookies is made once, kept, and nobody else's to read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateway.sticky import tokens
from simulator.errors import KnaryError
from simulator.instance import sessionkey
from simulator.instance.sessionkey import ensure_session_key


def test_both_planes_mean_the_same_key() -> None:
    assert sessionkey.KEY_BYTES == tokens.KEY_BYTES


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "session-key"
    ensure_session_key(path)
    made = path.read_bytes()
    assert len(made) == sessionkey.KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    ensure_session_key(path)
    assert path.read_bytes() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["session-key"]


def test_no_two_keys_are_alike(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ensure_session_key(tmp_path / name)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("content", [b"", b"my diary", b"x" * 33])
def test_a_file_that_is_no_key_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mine"
    path.write_bytes(content)
    with pytest.raises(KnaryError, match="is no key of sessions, which has 32 bytes"):
        ensure_session_key(path)
    assert path.read_bytes() == content


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(KnaryError, match=r"cannot keep the sessions' key in .*: No such file"):
        ensure_session_key(tmp_path / "none" / "key")

"""Locks: one holder, freed by the kernel, and never two files of one name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.instance.lock import Lock, Taken, is_alive, port_lock_path, take_within

HOLD_BY_CHILD = """
import os, sys
sys.stdout.write("up"); sys.stdout.flush()
sys.stdin.read()
"""


def test_the_second_taker_learns_who_was_first(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "lock")
    with pytest.raises(Taken, match=f"process {os.getpid()}") as refused:
        Lock.take(tmp_path / "lock")
    assert refused.value.pid == os.getpid()
    lock.release()


def test_a_released_lock_leaves_no_file_and_is_free(tmp_path: Path) -> None:
    Lock.take(tmp_path / "lock").release()
    assert list(tmp_path.iterdir()) == []
    Lock.take(tmp_path / "lock").release()


def test_a_lock_whose_file_was_removed_and_made_again_does_not_remove_the_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lock"
    old = Lock.take(path)
    path.unlink()
    new = Lock.take(path)
    old.release()
    assert path.exists()
    with pytest.raises(Taken):
        Lock.take(path)
    new.release()


def test_a_link_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        Lock.take(tmp_path / "lock")


def test_a_lock_that_a_child_inherited_is_free_only_when_the_child_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = Lock.take(path)
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD_BY_CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(lock.fileno(),),
    )
    assert child.stdout is not None
    assert child.stdout.read(2) == b"up"
    os.close(lock.fileno())  # as when its taker is killed
    with pytest.raises(Taken):
        Lock.take(path)
    child.communicate()
    Lock.take(path).release()


def test_the_lock_of_a_living_process_is_not_waited_for(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "lock")
    pauses: list[float] = []
    with pytest.raises(Taken):
        take_within(tmp_path / "lock", 5.0, pauses.append)
    assert pauses == []
    lock.release()


def test_the_lock_that_a_dead_process_left_to_its_children_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = Lock.take(path)
    path.write_text(str(dead_process()))

    def children_end(_: float) -> None:
        os.close(lock.fileno())

    take_within(path, 5.0, children_end).release()


def test_the_wait_for_the_children_of_a_dead_process_is_bounded(tmp_path: Path) -> None:
    lock = Lock.take(tmp_path / "lock")
    (tmp_path / "lock").write_text(str(dead_process()))
    pauses: list[float] = []
    with pytest.raises(Taken):
        take_within(tmp_path / "lock", 1.0, pauses.append)
    assert sum(pauses) == pytest.approx(1.0)
    lock.release()


def test_a_port_lock_is_named_by_user_address_and_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    expected = tmp_path / f"knary-{os.getuid()}-127.0.0.1-8080.lock"
    assert port_lock_path("127.0.0.1", 8080) == expected


def dead_process() -> int:
    """Return the id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not is_alive(child.pid)
    return child.pid

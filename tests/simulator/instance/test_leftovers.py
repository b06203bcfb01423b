"""What a killed instance left among the temporary files goes when the next one starts."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from simulator.instance.folders import make_run_folders
from simulator.instance.leftovers import EPHEMERAL_PREFIX, clear_leftovers
from simulator.instance.lock import Lock, port_lock_path
from simulator.instance.paths import InstancePaths

NOW_S = 1_800_000_000.0


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(path: Path, ago_s: float) -> Path:
    path.write_text("2147483647")  # no such process
    os.utime(path, (NOW_S - ago_s, NOW_S - ago_s))
    return path


def test_the_lock_of_a_port_goes_when_nobody_holds_it(temporary: Path) -> None:
    stale = left(port_lock_path("127.0.0.1", 8080), 60.0)
    young = left(port_lock_path("127.0.0.1", 8081), 1.0)
    another = left(temporary / f"knary-{os.getuid() + 1}-127.0.0.1-8080.lock", 60.0)
    held = Lock.take(port_lock_path("127.0.0.1", 8082))
    os.utime(held.path, (NOW_S - 60, NOW_S - 60))
    clear_leftovers(temporary, NOW_S)
    assert not stale.exists()
    assert young.exists()  # its owner may be about to lock it
    assert another.exists()
    assert held.path.exists()
    held.release()


def test_an_ephemeral_folder_goes_when_nobody_holds_its_lock(temporary: Path) -> None:
    folders = {name: temporary / f"{EPHEMERAL_PREFIX}{name}" for name in ("killed", "new", "runs")}
    for folder in folders.values():
        folder.mkdir()
        make_run_folders(InstancePaths(folder))
    left(InstancePaths(folders["killed"]).lock, 60.0)
    lock = Lock.take(InstancePaths(folders["runs"]).lock)
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    left(elsewhere / "lock", 60.0)
    (temporary / f"{EPHEMERAL_PREFIX}link").symlink_to(elsewhere)
    clear_leftovers(temporary, NOW_S)
    assert not folders["killed"].exists()
    assert folders["new"].exists()  # not locked yet
    assert folders["runs"].exists()
    assert (elsewhere / "lock").exists()
    lock.release()


def test_a_folder_of_sockets_elsewhere_goes_when_its_instance_is_gone(temporary: Path) -> None:
    killed, runs = (InstancePaths(temporary / (letter * 100)) for letter in "kr")
    for paths in (killed, runs):
        paths.data.mkdir()
        make_run_folders(paths)
        assert paths.sockets != paths.run
    left(killed.lock, 60.0)
    lock = Lock.take(runs.lock)
    clear_leftovers(temporary, NOW_S)
    assert not killed.sockets.exists()
    assert runs.sockets.exists()
    lock.release()
    clear_leftovers(temporary, NOW_S)
    assert not runs.sockets.exists()

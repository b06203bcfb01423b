"""An instance's folders and its log: private, and cleared of what an earlier run left."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

import knary
from simulator.errors import KnaryError
from simulator.instance.environment import child_environment
from simulator.instance.folders import (
    make_data_folder,
    make_run_folders,
    open_log,
    remove_run_folders,
)
from simulator.instance.paths import InstancePaths
from simulator.instance.tail import follow, last_line
from tests.support.waiting import eventually_async


def test_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path / "data")
    make_data_folder(paths.data)
    make_run_folders(paths)
    assert paths.data.stat().st_mode & 0o777 == 0o700
    assert paths.run.stat().st_mode & 0o777 == 0o700


def test_what_an_earlier_run_left_is_cleared(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path)
    make_run_folders(paths)
    paths.description.touch()
    make_run_folders(paths)
    assert list(paths.run.iterdir()) == []


def test_a_long_path_has_its_sockets_elsewhere_and_they_are_removed_too(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path / ("d" * 100))
    make_data_folder(paths.data)
    make_run_folders(paths)
    assert paths.sockets != paths.run
    assert paths.sockets.stat().st_mode & 0o777 == 0o700
    remove_run_folders(paths)
    assert not paths.sockets.exists()
    assert not paths.run.exists()


def test_a_link_in_the_place_of_the_run_folder_is_not_followed(tmp_path: Path) -> None:
    paths = InstancePaths(tmp_path / "data")
    make_data_folder(paths.data)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "treasure").mkdir(parents=True)
    paths.run.symlink_to(elsewhere)
    remove_run_folders(paths)
    with pytest.raises(KnaryError, match="not a folder of this user"):
        make_run_folders(paths)
    assert (elsewhere / "treasure").is_dir()


def test_a_data_folder_that_cannot_be_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KnaryError, match="choose another with --data or KNARY_DATA"):
        make_data_folder(tmp_path / "file" / "data")


def test_a_log_is_appended_to_until_it_is_large(tmp_path: Path) -> None:
    path = tmp_path / "knary.log"
    for expected in ("1", "12", "123", "4"):
        descriptor = open_log(path, bytes_max=2)
        os.write(descriptor, expected[-1:].encode())
        os.close(descriptor)
        assert path.read_text() == expected
    assert (tmp_path / "knary.log.1").read_text() == "123"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_last_line_of_a_log_is_the_last_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "knary.log"
    path.write_bytes(b"first\n  ValueError: why \xff\n  +----------\n\n")
    assert last_line(path) == "ValueError: why \N{REPLACEMENT CHARACTER}"


def test_an_empty_log_has_no_last_line(tmp_path: Path) -> None:
    (tmp_path / "knary.log").touch()
    assert last_line(tmp_path / "knary.log") == ""


def test_what_is_appended_is_shown_from_there_on(tmp_path: Path) -> None:
    path = tmp_path / "knary.log"
    path.write_text("old\n")
    shown: list[bytes] = []

    async def scenario() -> None:
        following = asyncio.ensure_future(follow(path, 4, 0.001, shown.append))
        with path.open("a") as file:
            for line in ("one\n", "two\n"):
                file.write(line)
                file.flush()
                await eventually_async(line, lambda line=line: line.encode() in b"".join(shown))
        following.cancel()
        await asyncio.wait([following])

    asyncio.run(scenario())
    assert b"".join(shown) == b"one\ntwo\n"


def test_children_find_a_checkout_and_nothing_else_changes() -> None:
    checkout = str(Path(knary.__file__).resolve().parent.parent)
    own = {"A": "1", "PYTHONPATH": "/else"}
    expected = {"A": "1", "PYTHONPATH": f"{checkout}{os.pathsep}/else"}
    assert child_environment(own) == expected
    assert child_environment(expected) == expected
    assert own == {"A": "1", "PYTHONPATH": "/else"}

"""The file of routes on disk: found changed, read when it stands still, refused in a line."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulator.clock import SystemClock
from simulator.standalone.file import RoutesFile, read_routes
from simulator.standalone.options import FileSettings
from simulator.standalone.reading import ROUTES_BYTES_MAX, Configuration, RoutesError
from tests.support.waiting import eventually_async

FAST = FileSettings(poll_s=0.01, settle_s=0.01)
NEVER = FileSettings(poll_s=3600)


def routes(*hosts: str) -> str:
    return f"routes: [{{hosts: [{', '.join(hosts)}], split: [{{name: v, to: [b:1]}}]}}]"


class Heard:
    """What a file was followed to: hosts or reasons, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[str] = []

    def take(self, found: Configuration) -> None:
        self.said.append(" ".join(found.routes))

    async def until(self, *expected: str) -> None:
        def said() -> bool:
            return [one.removeprefix(f"{self.path}: ") for one in self.said] == [*expected]

        await eventually_async(f"{expected}; heard {self.said}", said)


def follow(
    tmp_path: Path, settings: FileSettings, story: Callable[[RoutesFile, Heard], Awaitable[None]]
) -> None:
    """Read a file with the host `first`, follow it, and do this meanwhile."""

    async def main() -> None:
        path = tmp_path / "routes.yaml"
        path.write_text(routes("first"))
        file, heard = RoutesFile(path, clock=SystemClock(), settings=settings), Heard(path)
        assert list(file.read().routes) == ["first"]
        following = asyncio.ensure_future(file.follow(heard.take, heard.said.append))
        try:
            await story(file, heard)
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    asyncio.run(main())


def test_each_change_is_found_whichever_way_it_is_written(tmp_path: Path) -> None:
    async def story(_: RoutesFile, heard: Heard) -> None:
        heard.path.write_text(routes("second"))
        await heard.until("second")
        fresh = tmp_path / "fresh"
        fresh.write_text(routes("third"))
        fresh.replace(heard.path)
        await heard.until("second", "third")
        same = heard.path.stat()
        fresh.write_text(routes("forth"))
        os.utime(fresh, ns=(same.st_atime_ns, same.st_mtime_ns))
        fresh.replace(heard.path)  # of the same time and size, another file
        await heard.until("second", "third", "forth")

    follow(tmp_path, FAST, story)


def test_a_bad_change_is_refused_once_and_a_good_one_taken_after_it(tmp_path: Path) -> None:
    async def story(_: RoutesFile, heard: Heard) -> None:
        heard.path.unlink()
        await heard.until("cannot be read: No such file or directory")
        heard.path.write_text(routes("second"))
        await heard.until("cannot be read: No such file or directory", "second")

    follow(tmp_path, FAST, story)


def test_who_asks_has_it_read_at_once_changed_or_not(tmp_path: Path) -> None:
    async def story(file: RoutesFile, heard: Heard) -> None:
        file.ask()
        await heard.until("first")
        heard.path.write_text(routes("second"))
        file.ask()
        await heard.until("first", "second")

    follow(tmp_path, NEVER, story)


def test_a_file_that_never_stands_still_is_read_all_the_same(tmp_path: Path) -> None:
    settings = FileSettings(poll_s=0.01, settle_s=0.01, settle_s_max=0.05)

    async def story(_: RoutesFile, heard: Heard) -> None:
        def written_to() -> bool:
            with heard.path.open("a") as file:
                file.write(" ")
            return bool(heard.said)

        await eventually_async("a reading", written_to)
        assert set(heard.said) == {"first"}

    follow(tmp_path, settings, story)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"\xff", "not UTF-8: invalid start byte at byte 0", id="not UTF-8"),
        pytest.param(
            b" " * (ROUTES_BYTES_MAX + 1), f"larger than {ROUTES_BYTES_MAX} bytes", id="large"
        ),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_bytes(data)
    with pytest.raises(RoutesError) as refused:
        read_routes(path)
    assert str(refused.value) == f"{path}: {why}"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RoutesError, match="cannot be read: Is a directory"):
        read_routes(tmp_path)

"""The replicas' logs stay bounded."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from simulator.launcher import logs
from simulator.launcher.protocol import Started
from simulator.replicalogs.files import MARKS
from simulator.replicalogs.marks import UNMARKED, Mark, unpacked
from tests.support.launcher import Connection, LauncherProcess, python
from tests.support.waiting import eventually


def test_a_log_is_its_owners_alone_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for text in (b"one\n", b"two\n"):
        descriptor = logs.open_for_append(str(path))
        os.write(descriptor, text)
        os.close(descriptor)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_grew_too_large_starts_anew_and_its_newest_part_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = logs.open_for_append(str(path))
    os.write(writer, b"old" * 10 + b"new" * 10)
    assert not logs.bound(str(path), 60)
    assert logs.bound(str(path), 30)
    os.write(writer, b"after")
    os.close(writer)
    assert path.read_bytes() == b"after"
    kept = tmp_path / "log.1"
    assert kept.read_bytes() == b"new" * 10
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_kept_is_cut_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    (tmp_path / "log.1").mkdir()
    assert logs.bound(str(path), 10)
    assert path.read_bytes() == b""


def test_the_tail_is_of_this_run_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before")
    logs.begin(str(path))
    path.write_bytes(b"run: 0123456789")
    assert logs.tail(str(path), 100) == "run: 0123456789"
    assert logs.tail(str(path), 4) == "6789"
    assert logs.tail(str(tmp_path / "absent"), 100) == ""


def test_a_run_begins_an_empty_log_and_keeps_the_one_before_with_its_marks(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for text in (b"first\n", b"second\n", b""):
        logs.begin(str(path))
        assert path.read_bytes() == marks_file(path).read_bytes() == b""
        with path.open("ab") as log:
            log.write(text)
        logs.look(str(path), UNMARKED, 10)
    assert {one.name: one.read_bytes()[:8] for one in tmp_path.iterdir()} == {
        "log": b"",
        "log.marks": b"",
        "log.previous": b"second\n",
        "log.previous.marks": (7).to_bytes(8, "little"),
    }
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}


def test_a_log_is_marked_when_it_grew_with_the_moment_of_its_last_write(tmp_path: Path) -> None:
    path = tmp_path / "log"
    logs.begin(str(path))
    mark = UNMARKED
    for at_ns in (10**18 + 1, 10**18 + 2):
        with path.open("ab") as log:
            log.write(b"line\n")
        os.utime(path, ns=(at_ns, at_ns))
        for _ in range(2):  # nothing new, no mark
            mark = logs.look(str(path), mark, 10)
    assert marks_of(path) == [Mark(5, 10**18 + 1), Mark(10, 10**18 + 2)]


def test_of_too_many_marks_every_other_one_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log"
    mark = UNMARKED
    for size in range(1, 24):
        path.write_bytes(b"x" * size)
        mark = logs.look(str(path), mark, 8)
        assert len(marks_of(path)) <= 8
    sizes = [one.size for one in marks_of(path)]
    assert sizes[-1] == 23
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("by", ["the launcher", "the replica"])
def test_the_marks_of_a_log_that_was_emptied_speak_of_its_new_lines(
    tmp_path: Path, by: str
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    mark = logs.look(str(path), UNMARKED, 10)
    if by == "the launcher":
        assert logs.bound(str(path), 10)
        assert marks_of(path) == []
        mark = UNMARKED
    path.write_bytes(b"new\n")
    logs.look(str(path), mark, 10)
    assert [one.size for one in marks_of(path)] == [4]


def test_a_log_that_is_gone_or_a_link_is_not_marked(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert logs.look(str(path), UNMARKED, 10) == UNMARKED
    (tmp_path / "secret").write_text("s")
    path.symlink_to(tmp_path / "secret")
    assert logs.look(str(path), UNMARKED, 10) == UNMARKED
    assert not marks_file(path).exists()


def test_when_a_line_was_written_outlives_the_launcher(tmp_path: Path) -> None:
    before_ns = time.time_ns()
    marks = marks_file(tmp_path / "a.log")
    with LauncherProcess(tmp_path) as launcher, Connection(launcher.socket) as connection:
        say_and_wait = "import signal; print('here', flush=True); signal.pause()"
        connection.send(python("a", tmp_path, say_and_wait))
        connection.next(Started)
        eventually("its line is marked", marks.read_bytes)
        launcher.kill()
    (mark,) = unpacked(marks.read_bytes())
    assert mark.size == len("here\n")
    # A file's times come from a clock of the kernel's that ticks some hundred times a second.
    assert before_ns - 20_000_000 <= mark.at_ns <= time.time_ns()


def marks_file(log: Path) -> Path:
    return log.with_name(log.name + MARKS)


def marks_of(log: Path) -> list[Mark]:
    return unpacked(marks_file(log).read_bytes())


def test_a_log_is_no_way_to_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    (tmp_path / "log").symlink_to(secret)
    assert logs.tail(str(tmp_path / "log"), 10) == ""
    logs.bound(str(tmp_path / "log"), 0)
    assert secret.read_text() == "s"

"""One run's log, read from its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.replicalogs.files import MARKS
from simulator.replicalogs.marks import Mark, packed, stamp
from simulator.replicalogs.reading import LogTail, Wanted

LINES = b"one\ntwo\nthree\n"


def opened(folder: Path, wanted: Wanted = Wanted(), chunk: int = 100) -> LogTail:  # noqa: B008
    return LogTail(folder, "default", "p", wanted, chunk)


def log_file(folder: Path) -> Path:
    file = folder / "default" / "p.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def shown(tail: LogTail) -> bytes:
    """Read on to the end that the log has now."""
    found = b""
    while (read := tail.read())[0]:
        found += read[1]
    return found


def test_a_log_that_is_made_while_it_is_followed_is_shown_whole(tmp_path: Path) -> None:
    tail = opened(tmp_path, Wanted(tail_lines=1))
    assert (tail.is_there, tail.size(), tail.read()) == (False, 0, (0, b""))
    log_file(tmp_path).write_bytes(LINES)
    assert (tail.is_there, tail.size()) == (True, len(LINES))
    assert (tail.read(), tail.size()) == ((len(LINES), LINES), 0)
    tail.close()
    assert tail.read() == (0, b"")


def test_links_out_of_the_folder_show_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "p.log").write_text("secret")
    file = log_file(tmp_path / "logs")
    file.symlink_to(secret / "p.log")
    assert shown(opened(tmp_path / "logs")) == b""
    file.unlink()
    file.parent.rmdir()
    file.parent.symlink_to(secret)
    assert shown(opened(tmp_path / "logs")) == b""


def test_the_file_that_was_found_is_read_to_its_end_under_another_name(tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_bytes(b"one\n")
    tail = opened(tmp_path)
    assert shown(tail) == b"one\n"
    writer = file.open("ab")
    file.rename(file.with_name("p.log.previous"))
    file.write_bytes(b"of the next run\n")
    with writer:
        writer.write(b"last words\n")
    assert shown(tail) == b"last words\n"
    tail.close()


def test_a_line_in_parts_is_dated_once_and_what_no_mark_covers_by_the_file(tmp_path: Path) -> None:
    file = log_file(tmp_path)
    tail = opened(tmp_path, Wanted(timestamps=True))
    found = []
    for at_ns, text in ((7, b"on"), (9, b"e\ntw"), (11, b"o"), (13, b"\n")):
        with file.open("ab") as log:
            log.write(text)
        os.utime(file, ns=(at_ns, at_ns))
        found.append(shown(tail))
    tail.close()
    assert found == [
        f"{stamp(7)} on".encode(),
        f"e\n{stamp(9)} tw".encode(),
        b"o",
        b"\n",
    ]


def test_a_log_that_was_emptied_is_read_anew_with_new_marks(tmp_path: Path) -> None:
    file, marks = log_file(tmp_path), log_file(tmp_path).with_name("p.log" + MARKS)
    file.write_bytes(b"an old line\n")
    marks.write_bytes(packed([Mark(3, 10), Mark(12, 20)]))
    tail = opened(tmp_path, Wanted(timestamps=True))
    assert shown(tail) == f"{stamp(10)} an old line\n".encode()
    marks.write_bytes(packed([Mark(4, 30)]))
    file.write_bytes(b"new\n")
    assert shown(tail) == f"{stamp(30)} new\n".encode()
    tail.close()


LOGS = st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b".")), max_size=8)


@given(LOGS, st.booleans(), st.integers(0, 10), st.integers(1, 9))
def test_the_last_lines_are_found_wherever_the_chunks_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    ends: bool,
    count: int,
    chunk: int,
) -> None:
    content = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    folder = tmp_path_factory.mktemp("logs")
    log_file(folder).write_bytes(content)
    tail = opened(folder, Wanted(tail_lines=count), chunk)
    found = shown(tail)
    tail.close()
    kept = split_lines(content)
    assert found == b"".join(kept[-count:] if count else [])


@given(LOGS, st.lists(st.integers(1, 12), max_size=6), st.integers(0, 8), st.integers(1, 9))
def test_moments_are_the_same_wherever_the_chunks_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    steps: list[int],
    since_ns: int,
    chunk: int,
) -> None:
    content = b"".join(line + b"\n" for line in lines)
    sizes = [sum(steps[: index + 1]) for index in range(len(steps))]
    folder = tmp_path_factory.mktemp("logs")
    file = log_file(folder)
    file.write_bytes(content)
    os.utime(file, ns=(99, 99))
    marks = [Mark(size, index + 1) for index, size in enumerate(sizes)]
    file.with_name("p.log" + MARKS).write_bytes(packed(marks))
    tail = opened(folder, Wanted(timestamps=True, since_ns=since_ns), chunk)
    found = shown(tail)
    tail.close()
    expected, offset = b"", 0
    for line in split_lines(content):
        at_ns = next((mark.at_ns for mark in marks if mark.size > offset), 99)
        if at_ns >= since_ns:
            expected += stamp(at_ns).encode() + b" " + line
        offset += len(line)
    assert found == expected


def split_lines(content: bytes) -> list[bytes]:
    """Split at newlines alone: a log's carriage returns draw progress bars."""
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])

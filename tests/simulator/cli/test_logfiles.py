"""Log files are read line by line as they grow, are cut, come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cli.logfiles import LINE_BYTES_MAX, Line, LogFiles
from simulator.replicalogs.files import MARKS
from simulator.replicalogs.marks import Mark, packed
from simulator.replicalogs.reading import Wanted

ALL = Wanted()


def files(folder: Path, wanted: Wanted = ALL, limit_bytes: int | None = None) -> LogFiles:
    def of(pod: str) -> Wanted | None:
        return wanted if pod.startswith("a") else None

    return LogFiles(folder.parent, folder.name, of, limit_bytes)


def texts(lines: object) -> list[str]:
    return [line.text for line in lines]  # type: ignore[attr-defined]


def test_only_whole_lines_are_shown_until_the_end(tmp_path: Path) -> None:
    log = tmp_path / "a-1.log"
    log.write_bytes(b"one\ntw")
    shown = files(tmp_path)
    assert list(shown.read()) == [Line("a-1", "one")]
    with log.open("ab") as file:
        file.write(b"o\r\nthree")
    assert texts(shown.read()) == ["two"]
    assert texts(shown.rest()) == ["three"]
    assert texts(shown.rest()) == []


def test_logs_that_come_later_are_found_and_others_are_not_touched(tmp_path: Path) -> None:
    shown = files(tmp_path / "default")
    assert list(shown.read()) == []
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "b.log").write_text("not mine\n")
    (tmp_path / "default" / "a.log.1").write_text("an old part\n")
    (tmp_path / "default" / "a.log").write_text("mine\n")
    assert texts(shown.read()) == ["mine"]
    assert shown.pods == ("a",)


def test_a_log_that_was_emptied_is_read_anew(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("first\nsecond\nhalf")
    shown = files(tmp_path)
    assert texts(shown.read()) == ["first", "second"]
    log.write_text("new\n")
    assert texts(shown.read()) == ["half", "new"]


def test_the_log_of_the_next_run_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\nhalf")
    shown = files(tmp_path)
    assert texts(shown.read()) == ["one"]
    log.rename(tmp_path / "a.log.previous")
    log.write_text("longer than the run before\n")
    assert texts(shown.read()) == ["half", "longer than the run before"]


def test_a_log_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x\n")
    shown = files(tmp_path)
    list(shown.read())
    log.unlink()
    assert list(shown.read()) == []


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [(0, []), (1, ["three"]), (2, ["two", "three"]), (9, ["one", "two", "three"])],
)
@pytest.mark.parametrize("end", ["\n", ""], ids=["ended", "not ended"])
def test_a_tail_is_the_last_lines(tmp_path: Path, lines: int, wanted: list[str], end: str) -> None:
    (tmp_path / "a.log").write_text("one\ntwo\nthree" + end)
    shown = files(tmp_path, Wanted(tail_lines=lines))
    assert texts([*shown.read(), *shown.rest()]) == wanted


def test_a_line_without_end_is_shown_in_parts(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"x" * (2 * LINE_BYTES_MAX + 10))
    shown = files(tmp_path)
    parts = texts(shown.read())
    assert parts
    assert max(map(len, parts)) <= 2 * LINE_BYTES_MAX
    assert "".join([*parts, *texts(shown.rest())]) == "x" * (2 * LINE_BYTES_MAX + 10)


def test_the_run_before_is_read_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("this run\n")
    (tmp_path / "a.log.previous").write_text("the run before\n")
    (tmp_path / "ab.log").write_text("never restarted\n")
    shown = files(tmp_path, Wanted(previous=True))
    assert (texts(shown.read()), shown.pods) == (["the run before"], ("a",))


def test_the_last_words_of_a_run_come_before_the_next_runs_first(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\n")
    shown = files(tmp_path, Wanted(tail_lines=1))
    assert texts(shown.read()) == ["one"]
    with log.open("a") as file:
        file.write("last\nwords")
    log.rename(tmp_path / "a.log.previous")
    log.write_text("next\nrun\n")
    assert texts(shown.read()) == ["last", "words", "next", "run"]


def test_lines_have_their_moments_and_old_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("old\nnew\n")
    (tmp_path / f"a.log{MARKS}").write_bytes(packed([Mark(4, 10), Mark(8, 20)]))
    shown = files(tmp_path, Wanted(since_ns=15, timestamps=True))
    assert texts(shown.read()) == ["1970-01-01T00:00:00.000000020Z new"]


@pytest.mark.parametrize(
    ("limit", "wanted"), [(3, ["one"]), (4, ["one"]), (6, ["one", "tw"]), (99, ["one", "two"])]
)
def test_of_each_log_there_are_no_more_bytes_than_asked_for(
    tmp_path: Path, limit: int, wanted: list[str]
) -> None:
    (tmp_path / "a.log").write_text("one\ntwo\n")
    shown = files(tmp_path, limit_bytes=limit)
    assert texts([*shown.read(), *shown.rest()]) == wanted
    assert shown.has_all == (limit < 8)

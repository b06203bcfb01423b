"""Log files are read line by line as they grow, are cut, come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cli.logfiles import LINE_BYTES_MAX, Line, LogFiles


def files(folder: Path) -> LogFiles:
    return LogFiles(folder, lambda pod: pod.startswith("a"))


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
    assert texts(shown.read()) == ["new"]


def test_the_log_of_the_next_run_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\nhalf")
    shown = files(tmp_path)
    assert texts(shown.read()) == ["one"]
    log.rename(tmp_path / "a.log.previous")
    log.write_text("longer than the run before\n")
    assert texts(shown.read()) == ["longer than the run before"]


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
    shown = files(tmp_path)
    shown.skip_to_tail(lines)
    assert texts([*shown.read(), *shown.rest()]) == wanted


def test_a_line_without_end_is_shown_in_parts(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"x" * (2 * LINE_BYTES_MAX + 10))
    shown = files(tmp_path)
    parts = texts(shown.read())
    assert parts
    assert max(map(len, parts)) <= 2 * LINE_BYTES_MAX
    assert "".join([*parts, *texts(shown.rest())]) == "x" * (2 * LINE_BYTES_MAX + 10)

"""What `knary up` says, on a terminal and elsewhere."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from simulator.instance.terminal import Terminal, ready_lines, running_line
from tests.support.described import HERE


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals_alone() -> None:
    out = io.StringIO()
    terminal = Terminal(out, out)
    terminal.progress("starting")
    terminal.line("ready")
    assert out.getvalue() == "ready\n"


def test_on_a_terminal_the_line_takes_the_place_of_the_progress() -> None:
    out = Screen()
    terminal = Terminal(out, io.StringIO())
    terminal.progress("starting")
    terminal.line("ready")
    assert out.getvalue() == "\r\x1b[Kstarting\r\x1b[Kready\n"


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        pytest.param("/data", "", id="of the default folder nothing is said"),
        pytest.param("/else where", " --data '/else where'", id="another one is named, quoted"),
    ],
)
def test_the_next_commands_find_the_instance(data: str, ending: str) -> None:
    description = msgspec.structs.replace(HERE, data_folder=data)
    *_, curl, update = ready_lines(description, Path("/data"))
    assert curl == f"  knary curl helloworld-go{ending}"
    assert update.endswith(f"@latest=50{ending}")


def test_what_is_told_at_the_start_fits_a_narrow_terminal() -> None:
    description = msgspec.structs.replace(HERE, data_folder="/else where")
    rows = ready_lines(description, Path("/data"), 80)
    assert max(map(len, rows)) <= 80
    whole = ready_lines(description, Path("/data"))
    as_a_shell_reads = "\n".join(rows).replace(" \\\n   ", "")
    assert as_a_shell_reads.endswith("\n".join(whole[1:]))
    assert " ".join(" ".join(rows[:2]).split()) == whole[0]


def test_a_file_has_no_width() -> None:
    assert Terminal(io.StringIO(), io.StringIO()).width is None


@pytest.mark.parametrize(
    ("pid", "who"),
    [
        pytest.param(
            1,
            "(pid 1): gateway http://127.0.0.1:8080, API https://127.0.0.1:6443,"
            " console http://127.0.0.1:8090",
            id="described",
        ),
        pytest.param(9, "(pid 9)", id="the description is another one's"),
    ],
)
def test_a_second_instance_is_told_of_the_first(pid: int, who: str) -> None:
    assert running_line(HERE, Path("/data"), pid) == (
        f"knary already runs on /data {who}; stop it with `knary down --data /data`,"
        " or choose another folder with --data"
    )


def test_a_lock_without_an_owner_is_told_too() -> None:
    assert running_line(None, Path("/data"), None).startswith("knary already runs on /data; stop")

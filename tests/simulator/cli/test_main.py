"""How command lines end without an instance: help, usage errors, interrupts, bugs."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from simulator.cli import doctor, main, output
from simulator.cli.doctor import Finding, line_of
from simulator.cli.main import run
from simulator.errors import KnaryError


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KNARY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("verson", 2, "Error: no command 'verson'; did you mean version?"),
        ("service creat", 2, "Error: no command 'creat'; did you mean create?"),
        ("get", 2, "Error: Missing argument 'KIND[,KIND]|KIND/NAME'."),
        ("get pdos", 2, "Error: no kind 'pdos'; did you mean pods or po"),
        ("get ksvc --bogus", 2, "Error: No such option '--bogus'."),
        ("get ksvc a -A", 2, "Error: a name and --all-namespaces exclude each other"),
        ("get ksvc,pods -w", 2, "Error: -w watches one kind, or one object of it"),
        ("get ksvc", 3, "Error: knary is not running in "),
        ("status", 3, "Error: knary is not running in "),
        ("logs x", 3, "Error: knary is not running in "),
        ("logs x --tail -2", 2, "Error: --tail must be greater than or equal to -1"),
        ("logs x --limit-bytes -1", 2, "Error: --limit-bytes must be greater than 0"),
        ("logs x --since -1s", 2, "Error: --since must be greater than 0"),
        (
            "logs x --since 5",
            2,
            'Error: invalid argument "5" for "--since" flag: time: missing unit in duration "5"',
        ),
        (
            "logs x --since 5m --since-time 2026-01-01T00:00:00Z",
            2,
            "Error: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        (
            "logs x --since-time noon",
            2,
            'Error: parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon"',
        ),
        ("kubeconfig", 3, "Error: knary is not running in "),
        ("delete ksvc", 2, "Error: say what to delete: KIND NAME…, KIND --all, or -f FILE"),
        ("delete ksvc a --all", 2, "Error: say what to delete"),
        (
            "service create x",
            2,
            "Error: 'service create' requires the image name to run provided with the --image",
        ),
        (
            "service create --image x",
            2,
            "Error: 'service create' requires the service name given as single argument",
        ),
        ("service update x", 2, "Error: flag(s) not set"),
        ("service delete", 2, "Error: 'service delete' requires the service name(s)"),
        ("service delete x --all", 2, "Error: 'service delete' with --all flag requires no arg"),
        ("apply -f absent.yaml", 2, "Error: absent.yaml: No such file or directory"),
        ("up --port 70000", 2, "Error: Invalid value for '--port': 70000 is not in the range"),
        (
            "up --port many",
            2,
            "Error: Invalid value for '--port': 'many' is not a valid port number",
        ),
        ("up --domain Bad_Name", 2, "Error: Invalid value for '--domain': 'Bad_Name' is no domain"),
        ("up --domain http://a.b", 2, "Error: Invalid value for '--domain': 'http://a.b' is no"),
        ("up --data x --ephemeral", 2, "Error: --ephemeral and --data exclude each other"),
        ("up --access-log-sample 0.1", 2, "Error: --access-log-sample is a part of --access-log"),
        ("up --splitter magic", 2, "Error: Invalid value for '--splitter': 'magic' is not one of"),
        ("images nope:1", 1, 'Error: no program is mapped to image "nope:1"; add a rule to '),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line_or_two(
    words: str, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words.split()) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(message)
    assert len(said.err.splitlines()) <= 2


def test_no_command_is_a_request_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert (run([]), run(["-h"])) == (0, 0)
    assert capsys.readouterr().out.count("Knative canary releases on one machine") == 2
    assert run(["domain"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Usage: knary domain ")
    assert said.err == ""


def test_the_version_is_said_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert (run(["version"]), run(["--version"])) == (0, 0)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.startswith("knary ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_KNARY_COMPLETE" in capsys.readouterr().out


def test_images_are_listed_without_an_instance(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images"]) == 0
    assert "helloworld-go" in capsys.readouterr().out
    assert run(["images", "any.registry/x/helloworld-go:v1", "-o", "json"]) == 0
    assert '"source": "built-in"' in capsys.readouterr().out


def _stand_in(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command("fails")
    def fails() -> None:
        raise error

    monkeypatch.setattr(main.knary, "get_command", lambda _ctx, _name: fails)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "\n"),
        (KnaryError("no \x1b[2Jway"), 1, "Error: no way\n"),
        (KnaryError("Error: a\nError: b"), 1, "Error: a\nError: b\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "Error: /x: Permission denied\n"),
    ],
)
def test_errors_are_words_and_a_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    message: str,
) -> None:
    _stand_in(monkeypatch, error)
    assert run(["fails"]) == status
    assert capsys.readouterr().err == message


def test_a_bug_leaves_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _stand_in(monkeypatch, ZeroDivisionError("division by zero"))
    assert run(["fails"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("Error: a bug in knary")
    assert first.endswith("ZeroDivisionError: division by zero")
    path = Path(second.removeprefix("Details are in "))
    assert "Traceback" in path.read_text()


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("ok", "fine"), "ok    fine"),
        (Finding("fail", "broken", "mend it"), "fail  broken: mend it"),
    ],
)
def test_the_doctor_says_the_way_out(finding: Finding, line: str) -> None:
    assert line_of(finding, coloured=False) == line
    assert "\x1b[" in line_of(finding, coloured=True)


def test_the_doctor_ends_with_one_when_a_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "PYTHON_MIN", (99, 0))
    assert run(["doctor"]) == 1
    assert "install Python 99.0 or newer" in capsys.readouterr().out
    monkeypatch.undo()
    unwritable = tmp_path / "file"
    unwritable.write_text("")
    assert run(["doctor", "--data", str(unwritable)]) == 1
    assert "choose another with --data" in capsys.readouterr().out


class Screen:
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    assert output.is_coloured(Screen()) is coloured  # type: ignore[arg-type]
    assert not output.is_coloured(sys.stdout)


def test_words_of_state_are_coloured_where_they_are_a_cell() -> None:
    text = "a   True   True-ish   False"
    assert output.coloured(text) == "a   \x1b[32mTrue\x1b[0m   True-ish   \x1b[31mFalse\x1b[0m"


def test_get_imports_nothing_heavy() -> None:
    import subprocess

    heavy = (
        "aiohttp",
        "asyncio",
        "cryptography",
        "http.client",
        "msgspec",
        "numpy",
        "rich",
        "yaml",
    )
    code = (
        "import sys; from simulator.cli.main import run; run(['get', 'ksvc']);"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "[]\n"

"""The launcher with real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.launcher.main import run
from simulator.launcher.protocol import (
    Executable,
    Exited,
    Forget,
    ForkedApp,
    List,
    Listing,
    Refused,
    Signal,
    Spawn,
    Started,
    Stop,
)
from tests.support.launcher import (
    ROOT,
    Connection,
    LauncherProcess,
    free_port,
    helloworld,
    lives,
    program,
    python,
    said,
)
from tests.support.waiting import eventually

SAY_AND_WAIT = "import signal; print('here', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('here', flush=True)\n"
    "while True: signal.pause()"
)
FORKS = (
    "import os, signal\n"
    "child = os.fork()\n"
    "if child == 0:\n"
    "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "    while True: signal.pause()\n"
    "print(child, flush=True)\n"
    "{}"
)


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[LauncherProcess]:
    with LauncherProcess(tmp_path, log_bytes_max=100_000, log_check_s=0.02) as process:
        yield process


@pytest.fixture
def connection(launcher: LauncherProcess) -> Iterator[Connection]:
    with Connection(launcher.socket) as one:
        yield one


def begin(connection: Connection, spawn: Spawn) -> int:
    """Spawn, and wait for its first line, which says that it is set up; return the pid."""
    connection.send(spawn)
    pid = connection.next(Started).pid
    eventually("it said something", lambda: said(spawn.log))
    return pid


def get(port: int) -> bytes:
    """Return the answer of whoever listens there, as soon as somebody does."""

    def ask() -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return b"".join(iter(lambda: peer.recv(65536), b""))
        except ConnectionRefusedError:
            return b""

    return eventually(f"an answer on port {port}", ask)


def test_it_says_that_it_is_ready_and_its_socket_is_its_owners_alone(
    launcher: LauncherProcess, connection: Connection
) -> None:
    assert launcher.ready == {"ready": True, "pid": launcher.pid}
    assert stat.S_IMODE(launcher.socket.stat().st_mode) == 0o600
    assert connection.hello.pid == launcher.pid
    assert connection.listing == Listing()


def test_the_sample_app_answers_and_ends_in_order(connection: Connection, tmp_path: Path) -> None:
    port = free_port()
    connection.send(helloworld("a", tmp_path, port, TARGET="Knative"))
    started = connection.next(Started)
    assert get(port).endswith(b"\r\n\r\nHello Knative!\n")
    connection.send(Stop("a", 5.0))
    exited = connection.next(Exited)
    assert (exited.pid, exited.exit_code, exited.signal) == (started.pid, 0, None)
    assert exited.tail.endswith(f"helloworld: listening on port {port}\n")


def test_the_environment_is_what_was_given_and_nothing_else(
    connection: Connection, tmp_path: Path
) -> None:
    code = "import os, json; print(json.dumps(dict(os.environ)))"
    given = {"PATH": "/bin", "PORT": "1", "Ä": "ü\n", "LC_ALL": "C.UTF-8"}
    exited = connection.run(python("a", tmp_path, code, **given))
    assert exited.exit_code == 0
    assert json.loads(exited.tail) == given


def test_a_program_is_cut_off_from_the_launcher(connection: Connection, tmp_path: Path) -> None:
    code = (
        "import os, resource, signal\n"
        "print(sorted(os.listdir('/dev/fd')), os.readlink('/dev/fd/0') )\n"
        "print(os.getsid(0) == os.getpid() == os.getpgid(0), oct(os.umask(0)), os.getcwd())\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])\n"
        "print([n for n in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT)\n"
        "       if signal.getsignal(n) not in (signal.SIG_DFL, signal.default_int_handler)])\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n"
    )
    exited = connection.run(python("a", tmp_path, code))
    # Descriptor 3 is the listing's own.
    assert exited.tail.splitlines() == [
        "['0', '1', '2', '3'] /dev/null",
        f"True 0o77 {tmp_path}",
        "0",
        "[]",
        "set()",
    ]


def test_a_forked_app_has_no_descriptor_of_the_launchers(
    connection: Connection, tmp_path: Path
) -> None:
    port = free_port()
    pid = begin(connection, helloworld("a", tmp_path, port))
    assert get(port)
    opened = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    assert "/dev/null" in opened
    assert opened.count(str(tmp_path / "a.log")) == 2
    with Connection(tmp_path / "l.sock") as other:
        assert other.listing.replicas[0].started.pid == pid
    sockets = [name for name in opened if name.startswith("socket:")]
    unix = [
        line.split()[6]
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]
        if line.endswith(str(tmp_path / "l.sock"))
    ]
    assert not {f"socket:[{inode}]" for inode in unix} & set(sockets)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("/no/such/program",), "cannot start '/no/such/program': No such file or directory"),
        (("no-such-program",), "cannot start 'no-such-program': not found in PATH"),
        (("/etc/passwd",), "cannot start '/etc/passwd': Permission denied"),
        (("/etc",), "cannot start '/etc': Permission denied"),
    ],
)
def test_a_program_that_cannot_be_executed_exits_127_and_says_why(
    connection: Connection, tmp_path: Path, argv: tuple[str, ...], message: str
) -> None:
    exited = connection.run(program("a", tmp_path, *argv))
    assert exited.exit_code == 127
    assert exited.tail == f"knary: {message}\n"


def test_a_program_whose_folder_is_missing_says_so(connection: Connection, tmp_path: Path) -> None:
    spawn = Spawn("a", Executable(("/bin/true",)), {}, str(tmp_path / "no"), str(tmp_path / "log"))
    exited = connection.run(spawn)
    assert exited.exit_code == 127
    assert exited.tail == (
        f"knary: cannot start '/bin/true': No such file or directory ({tmp_path / 'no'})\n"
    )


def test_exit_codes_and_signals_are_told_apart(connection: Connection, tmp_path: Path) -> None:
    exited = connection.run(python("a", tmp_path, "raise SystemExit(3)"))
    assert (exited.exit_code, exited.signal) == (3, None)
    exited = connection.run(python("b", tmp_path, "import os; os.kill(os.getpid(), 9)"))
    assert (exited.exit_code, exited.signal) == (None, 9)


def test_the_tail_is_of_the_last_run_alone(connection: Connection, tmp_path: Path) -> None:
    assert connection.run(python("a", tmp_path, "print('first')")).tail == "first\n"
    assert connection.run(python("a", tmp_path, "print('second')")).tail == "second\n"
    assert (tmp_path / "a.log").read_text() == "second\n"
    assert (tmp_path / "a.log.previous").read_text() == "first\n"


def test_one_that_ignores_sigterm_is_killed_after_its_grace(
    connection: Connection, tmp_path: Path
) -> None:
    begin(connection, python("a", tmp_path, DEAF))
    connection.send(Stop("a", 0.1))
    assert connection.next(Exited).signal == signal.SIGKILL


def test_a_second_stop_may_shorten_the_grace(connection: Connection, tmp_path: Path) -> None:
    begin(connection, python("a", tmp_path, DEAF))
    connection.send(Stop("a", 3600.0), Stop("a", 0.05))
    assert connection.next(Exited).signal == signal.SIGKILL


def test_a_stopped_process_hears_its_sigterm(connection: Connection, tmp_path: Path) -> None:
    begin(connection, python("a", tmp_path, SAY_AND_WAIT))
    connection.send(Signal("a", signal.SIGSTOP), Stop("a", 3600.0))
    assert connection.next(Exited).signal == signal.SIGTERM


@pytest.mark.parametrize("then", ["", "signal.pause()"], ids=["exits", "is stopped"])
def test_what_a_replica_forked_ends_with_it(
    connection: Connection, tmp_path: Path, then: str
) -> None:
    spawn = python("a", tmp_path, FORKS.format(then))
    connection.send(spawn)
    connection.next(Started)
    child = int(eventually("the child's pid", lambda: said(tmp_path / "a.log")))
    if then:
        connection.send(Stop("a", 5.0))
    connection.next(Exited)
    eventually("the child ended", lambda: not lives(child))


def test_a_flood_of_output_is_bounded(connection: Connection, tmp_path: Path) -> None:
    spawn = python("a", tmp_path, "import os\nwhile True: os.write(1, b'flood\\n' * 100)")
    connection.send(spawn)
    connection.next(Started)
    kept = tmp_path / "a.log.1"
    eventually("the log was cut", kept.exists)
    first = kept.stat().st_mtime_ns
    eventually("the log was cut again", lambda: kept.stat().st_mtime_ns != first)
    connection.send(Stop("a", 0.0))
    connection.next(Exited)
    assert kept.stat().st_size <= 100_000


def test_a_running_replica_is_not_replaced_an_ended_one_is(
    connection: Connection, tmp_path: Path
) -> None:
    spawn = python("a", tmp_path, SAY_AND_WAIT)
    pid = begin(connection, spawn)
    connection.send(spawn)
    refused = connection.next(Refused)
    assert (refused.id, refused.running) == ("a", True)
    connection.send(Stop("a", 5.0))
    connection.next(Exited)
    connection.send(spawn)
    assert connection.next(Started).pid != pid


def test_an_unknown_replica_or_program_is_refused(connection: Connection, tmp_path: Path) -> None:
    connection.send(Stop("x", 1.0), Signal("y", 15), Forget("z"))
    assert [connection.next(Refused).id, connection.next(Refused).id] == ["x", "y"]
    connection.send(Spawn("a", ForkedApp("nope"), {}, "/", "/dev/null"))
    assert "no such program" in connection.next(Refused).why


def test_a_new_connection_learns_what_runs_and_of_exits_it_missed(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    with Connection(launcher.socket) as first:
        pid = begin(first, python("runs", tmp_path, SAY_AND_WAIT))
        begin(first, python("ends", tmp_path, SAY_AND_WAIT))
        first.send(Signal("ends", signal.SIGUSR1))
    eventually("it ended", lambda: _listed(launcher)["ends"].exited)
    with Connection(launcher.socket) as second:
        listed = {one.started.id: one for one in second.listing.replicas}
        assert (listed["runs"].started.pid, listed["runs"].exited) == (pid, None)
        ended = listed["ends"].exited
        assert ended is not None
        assert (ended.signal, ended.tail) == (signal.SIGUSR1, "here\n")
        second.send(Forget("ends"), Forget("runs"), List())
        left = second.next(Listing)
        assert [one.started.id for one in left.replicas] == ["runs"]


def _listed(launcher: LauncherProcess) -> dict[str, object]:
    with Connection(launcher.socket) as one:
        return {row.started.id: row for row in one.listing.replicas}  # type: ignore[misc]


def test_nonsense_closes_the_connection_and_nothing_else(
    launcher: LauncherProcess, connection: Connection
) -> None:
    with socket.socket(socket.AF_UNIX) as bad:
        bad.settimeout(10)
        bad.connect(str(launcher.socket))
        bad.sendall(b'{"type": "Nonsense"}\n')
        while bad.recv(65536):
            pass
    connection.send(List())
    assert connection.next(Listing) == Listing()


def test_when_the_parent_dies_everything_dies(tmp_path: Path) -> None:
    with LauncherProcess(tmp_path, grace_s=0.3) as launcher:
        with Connection(launcher.socket) as connection:
            pids = [
                begin(connection, python("a", tmp_path, SAY_AND_WAIT)),
                begin(connection, python("b", tmp_path, DEAF)),
            ]
            launcher.close_life()
            assert connection.next(Exited).signal == signal.SIGTERM
            assert connection.next(Exited).signal == signal.SIGKILL
            assert connection.ends()
        assert launcher.end() == 0
        assert not any(map(lives, pids))
        assert not launcher.socket.exists()


def test_kill_9_of_the_parent_itself_ends_everything(tmp_path: Path) -> None:
    parent = (
        "import os, sys, json, subprocess, signal\n"
        "life, _ = os.pipe(); heard, ready = os.pipe()\n"
        "settings = dict(socket=sys.argv[1], life_fd=life, ready_fd=ready, grace_s=1.0,\n"
        "    replica_folders=sys.argv[2])\n"
        "child = subprocess.Popen([sys.executable, '-P', '-m', 'knary.process', 'launcher',\n"
        "    json.dumps(settings)], pass_fds=(life, ready))\n"
        "os.read(heard, 100); print(child.pid, flush=True); signal.pause()\n"
    )
    path = tmp_path / "l.sock"
    process = subprocess.Popen(
        [sys.executable, "-c", parent, str(path), str(tmp_path / "replicas")],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        with process.stdout as told:
            launcher = int(told.readline())
        with Connection(path) as connection:
            replica = begin(connection, python("a", tmp_path, SAY_AND_WAIT))
            process.kill()
            assert connection.next(Exited).signal == signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    eventually("all ended", lambda: not lives(launcher) and not lives(replica))


def test_sigterm_ends_everything_in_order(tmp_path: Path) -> None:
    with LauncherProcess(tmp_path) as launcher, Connection(launcher.socket) as connection:
        begin(connection, python("a", tmp_path, SAY_AND_WAIT))
        os.kill(launcher.pid, signal.SIGTERM)
        connection.next(Exited)
        assert launcher.end() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_replicas_die_with_a_launcher_that_is_killed_and_orphans_are_swept(tmp_path: Path) -> None:
    with LauncherProcess(tmp_path) as launcher:
        folder = launcher.replica_folders / "uid"
        folder.mkdir()
        with Connection(launcher.socket) as connection:
            app = begin(connection, helloworld("a", tmp_path, free_port()))
            spawn = python("b", tmp_path, FORKS.format("signal.pause()"), TMPDIR=str(folder))
            connection.send(spawn)
            replica = connection.next(Started).pid
            child = int(eventually("the child's pid", lambda: said(tmp_path / "b.log")))
        launcher.kill()
        eventually("the replicas died", lambda: not lives(app) and not lives(replica))
        assert lives(child)
    with LauncherProcess(tmp_path):
        eventually("the orphan was swept", lambda: not lives(child))


def test_settings_that_make_no_sense_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run('{"socket": 7}') == 2
    assert "launcher: bad settings: " in capsys.readouterr().err

"""The launcher with replicas in networks of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.contract import SocketsWanted, packet, sockets_given
from simulator.launcher.protocol import (
    Exited,
    Forget,
    List,
    Listing,
    Network,
    Refused,
    Spawn,
    Started,
    Stop,
)
from tests.support.instance import children_of, is_keeper
from tests.support.launcher import Connection, LauncherProcess, helloworld, lives, python
from tests.support.networks import needs_networks
from tests.support.waiting import WITHIN_S, eventually

pytestmark = needs_networks

PORT = 8080
SAY_WHO = "import os; print(os.getuid(), os.getgid(), flush=True)"


class Asking:
    """A blocking client of the keeper's."""

    def __init__(self, path: Path) -> None:
        self._link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link.settimeout(WITHIN_S)
        self._link.connect(str(path))

    def ask(self, network: str, count: int = 1) -> tuple[list[socket.socket], str]:
        """Return the sockets that were given, and why not more."""
        self._link.send(packet(SocketsWanted(network, count)))
        data, descriptors, _, _ = socket.recv_fds(self._link, 4096, 253)
        if not data:
            raise ConnectionResetError
        fresh = [socket.socket(fileno=one) for one in descriptors]
        return fresh, sockets_given(data).why

    def why_none(self, network: str) -> str:
        """Return why there is no socket to be had; "" when there is."""
        fresh, why = self.ask(network)
        for one in fresh:
            one.close()
        return why

    def send(self, data: bytes) -> bytes:
        self._link.send(data)
        return self._link.recv(4096)

    def close(self) -> None:
        self._link.close()


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[LauncherProcess]:
    with LauncherProcess(tmp_path, networks_socket=str(tmp_path / "n.sock")) as process:
        yield process


@pytest.fixture
def connection(launcher: LauncherProcess) -> Iterator[Connection]:
    with Connection(launcher.socket) as one:
        yield one


@pytest.fixture
def asking(launcher: LauncherProcess, tmp_path: Path) -> Iterator[Asking]:
    one = Asking(tmp_path / "n.sock")
    yield one
    one.close()


def isolated(id_: str, folder: Path, *reach: int, **environment: str) -> Spawn:
    spawn = helloworld(id_, folder, PORT, **environment)
    return msgspec.structs.replace(spawn, network=Network(reach))


def get(asking: Asking, network: str) -> bytes:
    """Return the answer of who listens in that network, as soon as somebody does."""

    def ask() -> bytes:
        (fresh,), _ = asking.ask(network)
        with fresh:
            fresh.settimeout(5)
            try:
                fresh.connect(("127.0.0.1", PORT))
            except ConnectionRefusedError:
                return b""
            fresh.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: fresh.recv(65536), b""))

    return eventually(f"an answer in {network}", ask).rpartition(b"\r\n\r\n")[2]


def keepers_of(launcher: LauncherProcess) -> list[int]:
    return [pid for pid in children_of(launcher.pid) if is_keeper(pid)]


def test_replicas_share_a_port_and_whoever_asks_gets_sockets_of_either(
    connection: Connection, asking: Asking, tmp_path: Path
) -> None:
    connection.send(isolated("a", tmp_path, TARGET="A"), isolated("b", tmp_path, TARGET="B"))
    assert connection.next(Started).has_network
    assert connection.next(Started).has_network
    assert [get(asking, one) for one in "ab"] == [b"Hello A!\n", b"Hello B!\n"]
    many, why = asking.ask("a", 1000)
    assert (len(many), why) == (64, "")
    for one in many:
        one.close()
    connection.send(List())
    listed = connection.next(Listing).replicas
    assert [one.started.has_network for one in listed] == [True, True]


def test_a_replica_that_starts_again_finds_its_network_and_one_that_is_forgotten_has_none(
    connection: Connection, asking: Asking, tmp_path: Path
) -> None:
    connection.send(isolated("a", tmp_path))
    connection.next(Started)
    get(asking, "a")
    (early,), _ = asking.ask("a")
    connection.send(Stop("a", 5.0))
    connection.next(Exited)
    connection.send(isolated("a", tmp_path))
    connection.next(Started)
    get(asking, "a")
    with early:
        early.settimeout(5)
        early.connect(("127.0.0.1", PORT))  # made before, and still of the same network
    connection.send(Stop("a", 5.0))
    connection.next(Exited)
    connection.send(Forget("a"))
    eventually("no network", lambda: asking.why_none("a") == "there is no network 'a'")


def test_a_replica_is_who_the_launcher_is_and_holds_no_capability_of_a_user_namespace(
    connection: Connection, tmp_path: Path
) -> None:
    code = f"{SAY_WHO}; print(open('/proc/self/status').read().split('CapEff:')[1].split()[0])"
    spawn = msgspec.structs.replace(python("a", tmp_path, code), network=Network())
    said = connection.run(spawn).tail.split()
    assert said[:2] == [str(os.getuid()), str(os.getgid())]
    own = Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0]
    assert int(said[2], 16) == int(own, 16)


def test_a_keeper_that_is_killed_has_a_successor_that_knows_all_networks(
    launcher: LauncherProcess, connection: Connection, asking: Asking, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        connection.send(isolated("a", tmp_path, port))
        pid = connection.next(Started).pid
        get(asking, "a")
        (keeper,) = keepers_of(launcher)
        os.kill(keeper, signal.SIGKILL)
        with pytest.raises(ConnectionError):
            asking.ask("a")
        again = Asking(tmp_path / "n.sock")  # waits in the queue of the socket that stayed
        with contextlib.closing(again):
            assert get(again, "a") == b"Hello World!\n"
            assert lives(pid)
            (fresh,), _ = again.ask("a")
            with fresh:
                fresh.settimeout(5)
                fresh.connect(("127.0.0.1", port))  # the way out is there again, too
        assert keepers_of(launcher) != [keeper]


def test_a_replica_that_is_wanted_while_the_keeper_dies_gets_its_network_all_the_same(
    launcher: LauncherProcess, connection: Connection, asking: Asking, tmp_path: Path
) -> None:
    connection.send(isolated("a", tmp_path))
    connection.next(Started)
    for id_ in "bcd":
        (keeper,) = keepers_of(launcher)
        os.kill(keeper, signal.SIGKILL)
        connection.send(isolated(id_, tmp_path))
        connection.next(Started)
        eventually("one keeper", lambda: len(keepers_of(launcher)) == 1)
    again = Asking(tmp_path / "n.sock")
    with contextlib.closing(again):
        assert [get(again, id_) for id_ in "abcd"] == [b"Hello World!\n"] * 4


def test_a_keeper_that_hangs_is_replaced_and_so_is_one_that_hangs_when_a_network_is_wanted(
    tmp_path: Path,
) -> None:
    limits = {"keeper_check_s": 0.2, "keeper_answer_s_max": 1.0}
    path = tmp_path / "n.sock"
    with (
        LauncherProcess(tmp_path, networks_socket=str(path), **limits) as launcher,
        Connection(launcher.socket) as connection,
    ):
        connection.send(isolated("a", tmp_path))
        connection.next(Started)
        (keeper,) = keepers_of(launcher)
        os.kill(keeper, signal.SIGSTOP)
        eventually("another keeper", lambda: keepers_of(launcher) not in ([], [keeper]))
        with contextlib.closing(Asking(path)) as asking:
            assert get(asking, "a") == b"Hello World!\n"
        (keeper,) = keepers_of(launcher)
        os.kill(keeper, signal.SIGSTOP)
        connection.send(isolated("b", tmp_path))
        connection.next(Started)
        assert keepers_of(launcher) != [keeper]
        with contextlib.closing(Asking(path)) as asking:
            assert [get(asking, one) for one in "ab"] == [b"Hello World!\n"] * 2


def test_a_keeper_that_answers_is_left_alone(tmp_path: Path) -> None:
    limits = {"keeper_check_s": 0.005, "keeper_silent_checks_max": 100}
    path = tmp_path / "n.sock"
    with (
        LauncherProcess(tmp_path, networks_socket=str(path), **limits) as launcher,
        Connection(launcher.socket) as connection,
    ):
        connection.send(isolated("a", tmp_path))
        connection.next(Started)
        (keeper,) = keepers_of(launcher)
        for id_ in ("b", "c", "d"):  # answers to both kinds of question are in one queue
            connection.send(isolated(id_, tmp_path))
            connection.next(Started)
            with contextlib.closing(Asking(path)) as asking:
                assert get(asking, id_) == b"Hello World!\n"
        assert keepers_of(launcher) == [keeper]


@pytest.mark.parametrize("end", ["kill", "close_life"])
def test_nothing_outlives_the_launcher(
    launcher: LauncherProcess, connection: Connection, asking: Asking, tmp_path: Path, end: str
) -> None:
    connection.send(isolated("a", tmp_path))
    pid = connection.next(Started).pid
    get(asking, "a")
    (keeper,) = keepers_of(launcher)
    network = os.stat(f"/proc/{pid}/ns/net").st_ino
    getattr(launcher, end)()
    eventually("all is gone", lambda: not lives(pid) and not lives(keeper))
    assert network not in networks_in_use()


def networks_in_use() -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.stat(entry / "ns" / "net").st_ino)
    return found


def test_what_is_no_question_ends_its_connection_and_no_other(
    connection: Connection, asking: Asking, tmp_path: Path
) -> None:
    connection.send(isolated("a", tmp_path))
    connection.next(Started)
    other = Asking(tmp_path / "n.sock")
    with contextlib.closing(other), contextlib.suppress(ConnectionResetError):
        assert other.send(b"what?") == b""
    assert get(asking, "a") == b"Hello World!\n"


def test_a_launcher_without_networks_refuses_a_replica_that_wants_one(tmp_path: Path) -> None:
    with LauncherProcess(tmp_path) as launcher, Connection(launcher.socket) as connection:
        connection.send(isolated("a", tmp_path))
        assert connection.next(Refused).why == "cannot make a network: this launcher makes none"

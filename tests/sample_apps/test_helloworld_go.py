"""The helloworld-go stand-in, as a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_apps.helloworld_go.behaviour import BadEnvironment, read
from tests.support.launcher import ROOT, free_port
from tests.support.waiting import WITHIN_S, eventually

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HELLO = b"Hello World!\n"


class Running:
    """The app, and how to talk to it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sample_apps.helloworld_go"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PORT": str(self.port), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def connect(self) -> socket.socket:
        """Return a connection as soon as the app listens."""

        def dial() -> socket.socket | None:
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN_S)
            return None

        found = eventually("the app listens", dial)
        assert found is not None
        return found

    def exchange(self, raw: bytes) -> bytes:
        """Send, and return all that comes until the app closes; the last request asks for it."""
        with self.connect() as peer:
            peer.sendall(raw)
            return read_all(peer)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        if self.process.poll() is None:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, output.decode()


def read_all(peer: socket.socket) -> bytes:
    return b"".join(iter(lambda: peer.recv(65536), b""))


def read_until(peer: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        part = peer.recv(65536)
        assert part, f"closed after {data!r}"
        data += part
    return data


def bodies(raw: bytes) -> list[bytes]:
    """Return the bodies of a row of answers, each by its Content-Length."""
    found = []
    while raw:
        head, _, raw = raw.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None, head
        found.append(raw[: int(length[1])])
        raw = raw[int(length[1]) :]
    return found


@contextlib.contextmanager
def app(**environment: str) -> Iterator[Running]:
    running = Running(environment)
    try:
        yield running
    finally:
        running.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    with app() as running:
        yield running


CLOSE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CHUNKED = (
    b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
)
SIZED = b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET "
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def test_the_answer_is_plain_text_with_length_and_date(plain: Running) -> None:
    raw = plain.exchange(CLOSE)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert re.fullmatch(r"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", lines[1])
    assert lines[2:] == [
        "Content-Length: 13",
        "Content-Type: text/plain; charset=utf-8",
        "Connection: close",
    ]
    assert body == HELLO


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(CLOSE, [HELLO], id="one request"),
        pytest.param(GET * 3 + CLOSE, [HELLO] * 4, id="a pipeline"),
        pytest.param(HEALTH + CLOSE, [b"ok\n", HELLO], id="health"),
        pytest.param(
            HEALTH.replace(b"healthz", b"healthz?x") + CLOSE, [b"ok\n", HELLO], id="health, query"
        ),
        pytest.param(HEALTH.replace(b"healthz", b"healthzz") + CLOSE, [HELLO] * 2, id="not health"),
        pytest.param(CHUNKED + CLOSE, [HELLO] * 2, id="a chunked body"),
        pytest.param(SIZED + CLOSE, [HELLO] * 2, id="a sized body that looks like a request"),
        pytest.param(CHUNKED + SIZED + HEALTH + CLOSE, [HELLO, HELLO, b"ok\n", HELLO], id="a mix"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", [HELLO], id="HTTP/1.0"),
        pytest.param(UPGRADE + GET, [HELLO], id="an upgrade that is not taken"),
        pytest.param(
            b"DELETE /a?b#c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            [HELLO],
            id="another method",
        ),
    ],
)
def test_every_way_of_asking_is_answered(plain: Running, raw: bytes, expected: list[bytes]) -> None:
    assert bodies(plain.exchange(raw)) == expected


def test_requests_are_answered_wherever_the_stream_is_cut(plain: Running) -> None:
    raw = GET + CHUNKED + CLOSE
    for cut in range(1, len(raw), 3):
        with plain.connect() as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.sendall(raw[:cut])
            # The first answer says that the first part was read.
            before = read_until(peer, HELLO) if cut >= len(GET) else b""
            peer.sendall(raw[cut:])
            assert bodies(before + read_all(peer)) == [HELLO] * 3


def test_one_connection_takes_many_requests(plain: Running) -> None:
    with plain.connect() as peer:
        for _ in range(100):
            peer.sendall(GET)
            assert read_until(peer, HELLO).startswith(b"HTTP/1.1 200 OK\r\n")


def test_http_1_0_may_keep_the_connection(plain: Running) -> None:
    with plain.connect() as peer:
        peer.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert b"\r\nConnection: keep-alive\r\n" in read_until(peer, HELLO)
        peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert bodies(read_all(peer)) == [HELLO]


def test_head_has_the_length_and_no_body(plain: Running) -> None:
    raw = plain.exchange(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Length: 13\r\n" in raw
    assert raw.endswith(b"\r\n\r\n")


def test_a_client_that_waits_for_100_continue_gets_it(plain: Running) -> None:
    with plain.connect() as peer:
        peer.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert read_until(peer, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(b"abc")
        assert read_until(peer, HELLO).startswith(b"HTTP/1.1 200 OK")


def test_a_large_body_is_read_and_thrown_away(plain: Running) -> None:
    size = 8 * 1024 * 1024
    head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    assert bodies(plain.exchange(head.encode() + b"x" * size)) == [HELLO]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 200_000, b"431"),
    ],
)
def test_nonsense_is_refused(plain: Running, raw: bytes, status: bytes) -> None:
    with plain.connect() as peer:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            peer.sendall(raw)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = read_all(peer)
        assert answer.startswith(b"HTTP/1.1 " + status) or (status == b"431" and not answer)


def test_target_is_greeted() -> None:
    with app(TARGET="Knative ü") as running:
        assert bodies(running.exchange(CLOSE)) == ["Hello Knative ü!\n".encode()]


def test_bad_answers_500_on_every_request_and_stays_healthy() -> None:
    with app(FAIL="bad", TARGET="x") as running:
        raw = running.exchange(GET + HEALTH + CLOSE)
        assert raw.count(b"HTTP/1.1 500 Internal Server Error\r\n") == 2
        assert bodies(raw) == [b"Internal Server Error\n", b"ok\n", b"Internal Server Error\n"]


def test_slow_answers_come_late_and_in_order() -> None:
    with app(DELAY_MS="30") as running:
        assert bodies(running.exchange(GET + HEALTH + CLOSE)) == [HELLO, b"ok\n", HELLO]


def test_crash_exits_with_1_and_says_why() -> None:
    with app(FAIL="crash") as running:
        running.process.wait(WITHIN_S)
        code, output = running.end()
        assert (code, output) == (
            1,
            "helloworld: FAIL=crash: this copy crashes at start, as asked\n",
        )


@pytest.mark.parametrize("environment", [{"FAIL": "never-ready"}, {"FAIL": "slow-start"}])
def test_one_that_does_not_listen_still_hears_sigterm(environment: dict[str, str]) -> None:
    with app(**environment, START_DELAY_MS="3600000") as running:
        assert running.process.stdout is not None
        assert running.process.stdout.readline() == b"helloworld: starting server...\n"
        loop_runs = Path(f"/proc/{running.process.pid}/stat")
        if loop_runs.exists():  # the handler is set once the process waits
            eventually(
                "it waits", lambda: loop_runs.read_text().rpartition(")")[2].split()[0] == "S"
            )
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port)).close()
        assert running.end()[0] in (0, -signal.SIGTERM)


def test_slow_start_listens_in_the_end() -> None:
    with app(FAIL="slow-start", START_DELAY_MS="50") as running:
        assert bodies(running.exchange(CLOSE)) == [HELLO]


def test_sigterm_closes_idle_connections_and_finishes_requests_under_way() -> None:
    with app(DELAY_MS="200") as running, running.connect() as idle, running.connect() as busy:
        idle.sendall(GET)
        read_until(idle, HELLO)
        busy.sendall(GET)
        # A second connection's whole answer: by then the app has read the first one's request.
        idle.sendall(GET)
        read_until(idle, HELLO)
        busy_answer = read_until(busy, HELLO)
        busy.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")
        idle.sendall(GET)
        read_until(idle, HELLO)
        running.process.send_signal(signal.SIGTERM)
        assert read_all(idle) == b""
        busy.sendall(b"x")
        last = read_all(busy)
        assert bodies(busy_answer) == bodies(last) == [HELLO]
        assert running.process.wait(WITHIN_S) == 0


def test_it_listens_on_loopback_alone(plain: Running) -> None:
    plain.connect().close()
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    suffix = f":{plain.port:04X}"
    rows = [line.split() for line in listening.splitlines()]
    bound = {row[1] for row in rows if row[1].endswith(suffix) and row[3] == "0A"}
    assert bound == {f"0100007F{suffix}"}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"FAIL": "often"}, "FAIL=often: want one of bad, slow, slow-start, crash, never-ready"),
        ({"PORT": "x"}, "PORT=x: want a number from 0 to 65535"),
        ({"PORT": "65536"}, "PORT=65536: want a number"),
        ({"PORT": "-1"}, "PORT=-1: want a number"),
        ({"DELAY_MS": "1e3"}, "DELAY_MS=1e3: want a number"),
        ({"DELAY_MS": "9" * 5000}, "DELAY_MS=999"),
        ({"PORT": "²"}, "PORT=²: want a number"),
    ],
)
def test_a_bad_variable_is_named(environment: dict[str, str], message: str) -> None:
    with pytest.raises(BadEnvironment) as caught:
        read(environment)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("environment", "delay_s"),
    [
        ({}, 0.0),
        ({"FAIL": "slow"}, 0.5),
        ({"FAIL": "slow", "DELAY_MS": "20"}, 0.02),
        ({"DELAY_MS": "7"}, 0.007),
    ],
)
def test_slow_is_half_a_second_unless_told_otherwise(
    environment: dict[str, str], delay_s: float
) -> None:
    assert read(environment).delay_s == delay_s


def test_a_taken_port_is_said_and_exits_with_1() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        app(PORT=str(taken.getsockname()[1])) as running,
    ):
        running.process.wait(WITHIN_S)
        code, output = running.end()
    assert code == 1
    assert "cannot listen on 127.0.0.1:" in output
    assert "Traceback" not in output

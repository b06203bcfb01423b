"""The metrics' port, over real sockets: one path, local names, and bounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulator.metrics.exposition import OPENMETRICS, TEXT
from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import Seen
from simulator.standalone.metrics import MetricsServer
from simulator.standalone.options import MetricsSettings

SETTINGS = MetricsSettings(head_bytes_max=1024, request_s_max=0.1, connections_max=1)


async def ask(folder: Path, *requests: bytes) -> list[bytes]:
    """Send each on a connection of its own, all open at once; return what came on each."""
    page = MetricsPage(folder, "*.metrics", "1.2.3")
    metrics = MetricsServer(page, lambda: Seen(builds=("interpreted",)), SETTINGS)
    server = await asyncio.start_server(
        metrics.serve, "127.0.0.1", 0, limit=SETTINGS.head_bytes_max
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        opened = []
        for request in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            opened.append((reader, writer))
        answers = []
        for reader, writer in opened:
            try:
                answers.append(await reader.read())
            except ConnectionError:  # closed with what it had not read
                answers.append(b"")
            writer.close()
        return answers


def answer(folder: Path, head: str) -> bytes:
    (answer,) = asyncio.run(ask(folder, head.replace("\n", "\r\n").encode() + b"\r\n\r\n"))
    return answer


def test_metrics_are_there_in_the_format_that_is_asked_for(tmp_path: Path) -> None:
    plain = answer(tmp_path, "GET /metrics HTTP/1.1\nHost: localhost:9090").decode()
    assert plain.startswith("HTTP/1.1 200 OK\r\n")
    assert f"Content-Type: {TEXT}\r\n" in plain
    assert 'knary_build_info{version="1.2.3"' in plain
    other = answer(
        tmp_path, "GET /metrics?x HTTP/1.1\nhost:[::1]\nAccept: application/openmetrics-text"
    ).decode()
    assert f"Content-Type: {OPENMETRICS}\r\n" in other
    assert other.endswith("# EOF\n")


def test_head_has_no_body(tmp_path: Path) -> None:
    head = answer(tmp_path, "HEAD /metrics HTTP/1.1\nHost: 127.0.0.1")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param("GET / HTTP/1.1\nHost: localhost", 404, id="another path"),
        pytest.param("POST /metrics HTTP/1.1\nHost: localhost", 405, id="another method"),
        pytest.param("GET /metrics HTTP/1.1\nHost: evil.test", 403, id="a name from elsewhere"),
        pytest.param("GET /metrics HTTP/1.1", 403, id="no name"),
        pytest.param("GET /metrics HTTP/1.1\nHost: localhost\nHost: b", 403, id="two names"),
        pytest.param("nonsense", 403, id="nonsense"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, head: str, status: int) -> None:
    assert answer(tmp_path, head).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET /metrics HTTP/1.1\r\n", id="a head that never ends"),
        pytest.param(b"x" * 4096, id="a head that is too large"),
    ],
)
def test_who_does_not_ask_is_cut_off(tmp_path: Path, request_bytes: bytes) -> None:
    assert asyncio.run(ask(tmp_path, request_bytes)) == [b""]


def test_one_more_than_there_may_be_is_closed(tmp_path: Path) -> None:
    assert asyncio.run(ask(tmp_path, b"GET", b"GET")) == [b"", b""]

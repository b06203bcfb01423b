"""What a probe was answered, as a kubelet says it."""

from __future__ import annotations

import pytest

from simulator.resources.podspec import (
    Container,
    ExecAction,
    GrpcAction,
    HttpGetAction,
    Probe,
    TcpSocketAction,
)
from simulator.supervisor import answers
from simulator.supervisor.probes import Check, HttpCheck, plans_of
from simulator.supervisor.settings import SupervisorSettings


def check(**fields: object) -> Check:
    container = Container(readiness_probe=Probe(**fields))  # type: ignore[arg-type]
    return plans_of(container, 8080, SupervisorSettings()).readiness.check


HTTP = check(http_get=HttpGetAction(path="/healthz"))
TCP = check(tcp_socket=TcpSocketAction())
GRPC = check(grpc=GrpcAction())
EXEC = check(exec=ExecAction(("cat", "/x")))
TODO = " (a program has to listen on 127.0.0.1:$PORT)"
URL = 'Get "http://127.0.0.1:8080/healthz": '
RPC = "error: health rpc probe failed: rpc error: code = "


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (TCP, f"dial tcp 127.0.0.1:8080: connect: connection refused{TODO}"),
        (HTTP, f"{URL}dial tcp 127.0.0.1:8080: connect: connection refused{TODO}"),
        (
            GRPC,
            (
                'error: failed to connect service at "127.0.0.1:8080":'
                f" dial tcp 127.0.0.1:8080: connect: connection refused{TODO}"
            ),
        ),
    ],
    ids=["tcp", "http", "grpc"],
)
def test_nobody_listens(of: Check, words: str) -> None:
    assert answers.refused(of, 8080) == words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (TCP, "dial tcp 127.0.0.1:8080: i/o timeout"),
        (
            HTTP,
            f"{URL}context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        ),
        (GRPC, "timeout: health rpc did not complete within 1.5s"),
        (EXEC, 'command timed out: "cat /x" timed out after 1.5s'),
    ],
    ids=["tcp", "http", "grpc", "exec"],
)
def test_no_answer_in_time(of: Check, words: str) -> None:
    assert answers.too_late(of, 8080, 1.5) == words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (TCP, "dial tcp 127.0.0.1:8080: no such file or directory"),
        (HTTP, f"{URL}no such file or directory"),
        (GRPC, "error: health rpc probe failed: no such file or directory"),
        (EXEC, "no such file or directory"),
    ],
    ids=["tcp", "http", "grpc", "exec"],
)
def test_whatever_else(of: Check, words: str) -> None:
    assert answers.broken(of, 8080, OSError(2, "No such file or directory")) == words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, ""),
        (399, ""),
        (503, "HTTP probe failed with statuscode: 503"),
        (400, "HTTP probe failed with statuscode: 400"),
        (None, f"{URL}EOF"),
    ],
)
def test_a_status(status: int | None, words: str) -> None:
    assert isinstance(HTTP, HttpCheck)
    assert answers.of_http(HTTP, status) == words


@pytest.mark.parametrize(
    ("headers", "health", "words"),
    [
        ({"grpc-status": "0"}, 1, ""),
        ({"grpc-status": "0"}, 2, 'service unhealthy (responded with "NOT_SERVING")'),
        ({"grpc-status": "0"}, 0, 'service unhealthy (responded with "UNKNOWN")'),
        ({"grpc-status": "0"}, 9, 'service unhealthy (responded with "9")'),
        ({"grpc-status": "0"}, None, f"{RPC}Internal desc = there is no response message"),
        (
            {"grpc-status": "12", "grpc-message": "no such method"},
            None,
            (
                "error: this server does not implement the grpc health protocol"
                " (grpc.health.v1.Health): no such method"
            ),
        ),
        (
            {"grpc-status": "5", "grpc-message": "unknown service"},
            None,
            f"{RPC}NotFound desc = unknown service",
        ),
        ({"grpc-status": "1"}, None, f"{RPC}Canceled desc = "),
    ],
)
def test_the_health_of_a_grpc_server(
    headers: dict[str, str], health: int | None, words: str
) -> None:
    assert answers.of_grpc(200, headers, health) == words


@pytest.mark.parametrize(
    ("code", "output", "words"),
    [
        (0, b"fine\n", ""),
        (1, b"cat: /x: No such file\n", "cat: /x: No such file"),
        (3, b"", "command exited with 3"),
        (1, b"\xff", "�"),
    ],
)
def test_a_command(code: int, output: bytes, words: str) -> None:
    assert answers.of_command(code, output) == words

"""What a probe was answered, in the kubelet's words. Pure.

Sources: kubernetes `pkg/probe/{http,tcp,grpc,exec}`, and how Go's net and net/http say an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.grpcmessages import explanation_of, status_of
from simulator.resources.durations import SECOND, format_duration
from simulator.supervisor.probes import BadCheck, Check, ExecCheck, GrpcCheck, HttpCheck, TcpCheck

HOST: Final = "127.0.0.1"
_SERVING: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


def refused(check: Check, port: int) -> str:
    """Say that nobody listens; what a program has to do for that to change is ours to add."""
    dial = f"dial tcp {HOST}:{port}: connect: connection refused"
    todo = " (a program has to listen on 127.0.0.1:$PORT)"
    match check:
        case HttpCheck():
            return f'Get "{check.url}": {dial}{todo}'
        case GrpcCheck():
            return f'error: failed to connect service at "{HOST}:{port}": {dial}{todo}'
        case _:
            return dial + todo


def too_late(check: Check, port: int, timeout_s: float) -> str:
    """Say that there was no answer in time."""
    within = format_duration(round(timeout_s * SECOND))
    match check:
        case HttpCheck():
            what = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            return f'Get "{check.url}": {what}'
        case GrpcCheck():
            return f"timeout: health rpc did not complete within {within}"
        case ExecCheck():
            return f'command timed out: "{" ".join(check.command)}" timed out after {within}'
        case TcpCheck() | BadCheck():
            return f"dial tcp {HOST}:{port}: i/o timeout"


def broken(check: Check, port: int, error: OSError) -> str:
    """Say what else went wrong."""
    why = (error.strerror or str(error)).lower()
    match check:
        case HttpCheck():
            return f'Get "{check.url}": {why}'
        case GrpcCheck():
            return f"error: health rpc probe failed: {why}"
        case ExecCheck():
            return why
        case TcpCheck() | BadCheck():
            return f"dial tcp {HOST}:{port}: {why}"


def of_http(check: HttpCheck, status: int | None) -> str:
    """Say what is wrong with an answer's status; "" for one that passes."""
    if status is None:
        return f'Get "{check.url}": EOF'
    return "" if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"


def of_grpc(http_status: int, headers: Mapping[str, str], health: int | None) -> str:
    """Say what is wrong with the answer of a health check; "" for one that is SERVING."""
    status = status_of(http_status, headers)
    if status == "UNIMPLEMENTED":
        return (
            "error: this server does not implement the grpc health protocol"
            f" (grpc.health.v1.Health): {explanation_of(headers)}"
        )
    if status != "OK":
        code = "Canceled" if status == "CANCELLED" else status.title().replace("_", "")
        return _rpc_failed(code, explanation_of(headers))
    if health is None:
        return _rpc_failed("Internal", "there is no response message")
    if _SERVING[health : health + 1] == ("SERVING",):
        return ""
    name = _SERVING[health] if health < len(_SERVING) else str(health)
    return f'service unhealthy (responded with "{name}")'


def _rpc_failed(code: str, why: str) -> str:
    return f"error: health rpc probe failed: rpc error: code = {code} desc = {why}"


def gone() -> str:
    """Say that the server ended the connection before it answered."""
    return unavailable("error reading from server: EOF")


def unavailable(why: str) -> str:
    """Say that the call of a health check broke off."""
    return _rpc_failed("Unavailable", why)


def of_command(code: int, output: bytes) -> str:
    """Say what a command printed that failed; "" for one that passes."""
    if code == 0:
        return ""
    return output.decode("utf-8", "replace").strip() or f"command exited with {code}"

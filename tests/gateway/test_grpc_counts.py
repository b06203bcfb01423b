"""gRPC calls are counted by the status that their client reads; a failed one is an error."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")

import grpc
import grpc.aio

from gateway.contract import RouteTable
from gateway.http1.response import ResponseHead
from gateway.http2.answers import grpc_status
from gateway.http2.fields import read_request_field
from gateway.http2.heads import request_head
from gateway.http2.hpack import Decoder, KnownFields
from gateway.metrics.cell import GRPC_STATUSES
from gateway.metrics.layout import C_CALLS, CELL_WORDS, GRPC_STATUS_NAMES
from simulator.grpcmessages import STATUSES
from simulator.metrics.counts import CellCounts
from tests.support.gateway import HOST, Gateway, gateway, revision, run, saying, table
from tests.support.grpc_hello import channel
from tests.support.grpc_interop_cases import asking, empty, failure, streaming_output, unary
from tests.support.grpc_interop_messages import M
from tests.support.grpc_interop_server import interop_server
from tests.support.http2 import POST, block
from tests.support.metrics_cells import counted
from tests.support.waiting import eventually_async

BLUE = "blue-00001"
LONG_US = 60_000_000  # no test waits for it
FAILURES = {
    *("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
}


def speaking(protocol: str, *addresses: str, **limits: float) -> RouteTable:
    plain = table({BLUE: addresses}, **limits)
    backends = {
        key: msgspec.structs.replace(backend, protocol=protocol)
        for key, backend in plain.backends.items()
    }
    return msgspec.structs.replace(plain, backends=backends)


@contextlib.asynccontextmanager
async def before(
    protocol: str, *addresses: str, **limits: float
) -> AsyncIterator[tuple[Gateway, grpc.aio.Channel]]:
    """Give a gateway before a revision at these addresses, and a client's connection."""
    async with gateway(replica_wait_s_max=0.05, tick_s=0.01) as under_test:
        under_test.router.replace(speaking(protocol, *addresses, **limits))
        async with channel(f"127.0.0.1:{under_test.port}", HOST) as to:
            yield under_test, to


def cell_of(under_test: Gateway) -> CellCounts:
    """Return what was counted of the revision."""
    cell = under_test.worker.metrics.cell("", f"default/{BLUE}", "")
    (counts,) = counted(cell)
    return counts


def test_every_status_has_its_name_and_its_word() -> None:
    assert GRPC_STATUS_NAMES == STATUSES
    assert len(STATUSES) == GRPC_STATUSES
    assert C_CALLS + GRPC_STATUSES <= CELL_WORDS


@pytest.mark.parametrize(
    ("head", "trailers", "expected"),
    [
        pytest.param((200,), b"grpc-status: 0\r\n", "OK", id="ok"),
        pytest.param((200,), b"grpc-status: 0\r\ngrpc-message: \r\n", "OK", id="with a message"),
        pytest.param((200,), b"a: b\r\ngrpc-status: 13\r\n", "INTERNAL", id="among others"),
        pytest.param((200,), b"Grpc-Status:14 \r\n", "UNAVAILABLE", id="as HTTP/1.1 may have it"),
        pytest.param((200,), b"x-grpc-status: 13\r\n", "UNKNOWN", id="another name"),
        pytest.param((200,), b"a: grpc-status: 13\r\n", "UNKNOWN", id="within a value"),
        pytest.param((200,), b"grpc-status: 17\r\n", "UNKNOWN", id="beyond those there are"),
        pytest.param((200,), b"grpc-status: 123\r\n", "UNKNOWN", id="of three digits"),
        pytest.param((200,), b"grpc-status: -1\r\n", "UNKNOWN", id="no number"),
        pytest.param((200,), b"grpc-status: \r\n", "UNKNOWN", id="an empty one"),
        pytest.param((200,), b"", "UNKNOWN", id="none at all"),
        pytest.param((200, b"grpc-status: 5\r\n"), b"", "NOT_FOUND", id="a head alone"),
        pytest.param((200, b"grpc-status: 5\r\n"), b"grpc-status: 0\r\n", "OK", id="trailers win"),
        pytest.param((400,), b"", "INTERNAL", id="HTTP 400"),
        pytest.param((401,), b"", "UNAUTHENTICATED", id="HTTP 401"),
        pytest.param((403,), b"", "PERMISSION_DENIED", id="HTTP 403"),
        pytest.param((404,), b"", "UNIMPLEMENTED", id="HTTP 404"),
        pytest.param((429,), b"", "UNAVAILABLE", id="HTTP 429"),
        pytest.param((500,), b"", "UNKNOWN", id="HTTP 500"),
        pytest.param((503,), b"", "UNAVAILABLE", id="HTTP 503"),
        pytest.param((503, b"grpc-status: 0\r\n"), b"", "OK", id="a status of its own counts"),
        pytest.param(None, b"", "UNKNOWN", id="no head"),
    ],
)
def test_the_status_is_the_one_that_the_client_reads(
    head: tuple[int, *tuple[bytes, ...]] | None, trailers: bytes, expected: str
) -> None:
    """PROTOCOL-HTTP2.md, and http-grpc-status-mapping.md for what is no gRPC."""
    answer = None if head is None else ResponseHead(head[0], b"", [*head[1:]], keep_alive=True)
    assert STATUSES[grpc_status(answer, trailers)] == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        pytest.param(b"application/grpc", True, id="grpc"),
        pytest.param(b"application/grpc+proto", True, id="with a codec"),
        pytest.param(b"application/grpc;charset=utf-8", True, id="with a parameter"),
        pytest.param(b"application/grpc-web", False, id="gRPC-Web"),
        pytest.param(b"application/grpcx", False, id="another"),
        pytest.param(b"text/plain", False, id="text"),
    ],
)
def test_a_call_is_known_by_its_content_type(content_type: bytes, expected: bool) -> None:
    """Also after another type was read, which makes the name no plain one."""
    known = KnownFields(read_request_field)
    for value in (b"application/json", content_type, content_type):
        fields = Decoder(known, 65_536).decode(block(*POST, (b"content-type", value)))
        request = request_head(fields, ended=False, headers_max=100, path_bytes_max=1000)
    assert request.is_grpc is expected
    assert request.lines == [b"content-type: %b\r\n" % content_type]


@pytest.mark.parametrize("name", STATUSES[1:])
def test_a_failed_call_counts_by_its_status_and_the_servers_failures_as_errors(name: str) -> None:
    async def main() -> None:
        async with interop_server() as server, before("h2c", server.address) as (under_test, to):
            status = M.EchoStatus(code=STATUSES.index(name), message="as asked")
            await empty(to)
            code, _ = await failure(unary(to, M.SimpleRequest(response_status=status)))
            assert code.name == name
            cell = cell_of(under_test)
            assert cell.calls == {"OK": 1, name: 1}
            assert (cell.answers, cell.errors) == (2, int(name in FAILURES))

    run(main())


def test_an_answer_of_trailers_alone_counts_by_its_status() -> None:
    async def main() -> None:
        async with interop_server() as server, before("h2c", server.address) as (under_test, to):
            code, _ = await failure(empty(to, "/grpc.testing.TestService/NoSuchMethod"))
            assert code is grpc.StatusCode.UNIMPLEMENTED
            assert cell_of(under_test).calls == {"UNIMPLEMENTED": 1}

    run(main())


def test_what_the_gateway_answers_itself_is_one_error_not_two() -> None:
    async def main() -> None:
        async with before("h2c") as (under_test, to):
            assert (await failure(empty(to)))[0] is grpc.StatusCode.UNAVAILABLE
            cell = cell_of(under_test)
            assert cell.calls == {"UNAVAILABLE": 1}
            assert (cell.answers, cell.errors, cell.answered_here) == (1, 1, 1)

    run(main())


def test_an_answer_that_is_no_grpc_is_what_a_client_makes_of_it() -> None:
    """A revision whose port is not named h2c answers in HTTP/1.1."""

    async def main() -> None:
        async with (
            revision(saying("hello")) as address,
            before("http1", address) as (under_test, to),
        ):
            assert (await failure(empty(to)))[0] is grpc.StatusCode.UNKNOWN
            cell = cell_of(under_test)
            assert cell.calls == {"UNKNOWN": 1}
            assert (cell.answers, cell.errors) == (1, 1)

    run(main())


def test_a_call_that_a_timeout_cuts_is_an_error_once() -> None:
    async def main() -> None:
        async with (
            interop_server() as server,
            before("h2c", server.address, timeout_s=0.1) as (under_test, to),
        ):
            call = streaming_output(to, asking(1, interval_us=LONG_US))
            assert (await failure(call.read()))[0] is grpc.StatusCode.UNAVAILABLE
            cell = cell_of(under_test)
            assert (cell.calls, cell.aborts) == ({}, {"timed_out": 1})
            assert cell.errors == 1

    run(main())


def test_a_client_that_cancels_has_no_status() -> None:
    async def main() -> None:
        async with interop_server() as server, before("h2c", server.address) as (under_test, to):
            call = streaming_output(to, asking(1, interval_us=LONG_US))
            await call.initial_metadata()
            call.cancel()
            await eventually_async("the end", lambda: cell_of(under_test).aborts)
            cell = cell_of(under_test)
            assert (cell.calls, cell.aborts) == ({}, {"client_gone": 1})

    run(main())


def test_a_request_that_is_no_call_counts_as_none() -> None:
    async def main() -> None:
        async with interop_server() as server, before("h2c", server.address) as (under_test, _):
            await under_test.get()
            cell = cell_of(under_test)
            assert (cell.begun, cell.calls) == (1, {})

    run(main())

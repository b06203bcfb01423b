"""The client of gRPC's interop tests, case by case as grpc/grpc doc/interop-test-descriptions.md
tells them; what needs TLS, credentials or message flags is left out.

Alone: `python -m tests.support.grpc_interop_cases HOST:PORT [AUTHORITY]`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from tests.support.grpc_hello import channel
from tests.support.grpc_interop_messages import M, payload

METHOD = "/grpc.testing.TestService/"
REQUEST_BYTES, RESPONSE_BYTES = 271_828, 314_159
REQUEST_SIZES, RESPONSE_SIZES = (27_182, 8, 1_828, 45_904), (31_415, 9, 2_653, 58_979)
ECHO_INITIAL, ECHO_TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
UNKNOWN = 2
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
CONCURRENT_CALLS = 20
LARGE_METADATA_BYTES = 6_000  # below the 8 KiB that gRPC's libraries take unasked

Case = Callable[[grpc.aio.Channel], Awaitable[None]]


def empty(to: grpc.aio.Channel, method: str = f"{METHOD}EmptyCall") -> Any:
    return to.unary_unary(method, M.Empty.SerializeToString, M.Empty.FromString)(M.Empty())


def unary(to: grpc.aio.Channel, request: Any, **how: Any) -> Any:
    codec = (M.SimpleRequest.SerializeToString, M.SimpleResponse.FromString)
    return to.unary_unary(f"{METHOD}UnaryCall", *codec)(request, **how)


def duplex(to: grpc.aio.Channel, **how: Any) -> Any:
    codec = (
        M.StreamingOutputCallRequest.SerializeToString,
        M.StreamingOutputCallResponse.FromString,
    )
    return to.stream_stream(f"{METHOD}FullDuplexCall", *codec)(**how)


def streaming_input(to: grpc.aio.Channel) -> Any:
    codec = (
        M.StreamingInputCallRequest.SerializeToString,
        M.StreamingInputCallResponse.FromString,
    )
    return to.stream_unary(f"{METHOD}StreamingInputCall", *codec)()


def streaming_output(to: grpc.aio.Channel, request: Any, **how: Any) -> Any:
    codec = (
        M.StreamingOutputCallRequest.SerializeToString,
        M.StreamingOutputCallResponse.FromString,
    )
    return to.unary_stream(f"{METHOD}StreamingOutputCall", *codec)(request, **how)


def asking(size: int, body: int = 0, interval_us: int = 0) -> Any:
    """Return a request for one response of `size` bytes."""
    wanted = [M.ResponseParameters(size=size, interval_us=interval_us)]
    return M.StreamingOutputCallRequest(response_parameters=wanted, payload=payload(body))


async def failure(call: Any) -> tuple[grpc.StatusCode, str]:
    """Return how a call failed; it must."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    raise AssertionError("the call did not fail")


async def empty_unary(to: grpc.aio.Channel) -> None:
    assert await empty(to) == M.Empty()


async def large_unary(to: grpc.aio.Channel) -> None:
    request = M.SimpleRequest(response_size=RESPONSE_BYTES, payload=payload(REQUEST_BYTES))
    assert (await unary(to, request)).payload.body == bytes(RESPONSE_BYTES)


async def client_streaming(to: grpc.aio.Channel) -> None:
    call = streaming_input(to)
    for size in REQUEST_SIZES:
        await call.write(M.StreamingInputCallRequest(payload=payload(size)))
    await call.done_writing()
    assert (await call).aggregated_payload_size == sum(REQUEST_SIZES) == 74_922


async def server_streaming(to: grpc.aio.Channel) -> None:
    wanted = [M.ResponseParameters(size=size) for size in RESPONSE_SIZES]
    call = streaming_output(to, M.StreamingOutputCallRequest(response_parameters=wanted))
    got = [response.payload.body async for response in call]
    assert got == [bytes(size) for size in RESPONSE_SIZES]


async def ping_pong(to: grpc.aio.Channel) -> None:
    call = duplex(to)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES, strict=True):
        await call.write(asking(response_size, request_size))
        assert (await call.read()).payload.body == bytes(response_size)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def empty_stream(to: grpc.aio.Channel) -> None:
    call = duplex(to)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def custom_metadata(to: grpc.aio.Channel) -> None:
    value, raw = "test_initial_metadata_value", b"\xab\xab\xab"
    sent = [(ECHO_INITIAL, value), (ECHO_TRAILING, raw)]
    request = M.SimpleRequest(response_size=RESPONSE_BYTES, payload=payload(REQUEST_BYTES))
    one = unary(to, request, metadata=sent)
    assert len((await one).payload.body) == RESPONSE_BYTES
    both = duplex(to, metadata=sent)
    await both.write(asking(RESPONSE_BYTES, REQUEST_BYTES))
    await both.done_writing()
    assert len((await both.read()).payload.body) == RESPONSE_BYTES
    assert await both.read() is grpc.aio.EOF
    for call in (one, both):
        assert dict(await call.initial_metadata())[ECHO_INITIAL] == value
        assert dict(await call.trailing_metadata())[ECHO_TRAILING] == raw


async def status_code_and_message(to: grpc.aio.Channel) -> None:
    await _echo_status(to, "test status message")


async def special_status_message(to: grpc.aio.Channel) -> None:
    await _echo_status(to, SPECIAL)


async def _echo_status(to: grpc.aio.Channel, message: str) -> None:
    status = M.EchoStatus(code=UNKNOWN, message=message)
    wanted = (grpc.StatusCode.UNKNOWN, message)
    assert await failure(unary(to, M.SimpleRequest(response_status=status))) == wanted
    call = duplex(to)
    await call.write(M.StreamingOutputCallRequest(response_status=status))
    await call.done_writing()
    assert await failure(call.read()) == wanted


async def unimplemented_method(to: grpc.aio.Channel) -> None:
    code, _ = await failure(empty(to, f"{METHOD}UnimplementedCall"))
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def unimplemented_service(to: grpc.aio.Channel) -> None:
    code, _ = await failure(empty(to, "/grpc.testing.UnimplementedService/UnimplementedCall"))
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def cancel_after_begin(to: grpc.aio.Channel) -> None:
    call = streaming_input(to)
    await call.initial_metadata()  # it has begun: the server answered, nothing was written
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED


async def cancel_after_first_response(to: grpc.aio.Channel) -> None:
    call = duplex(to)
    await call.write(asking(31_415, 27_182))
    assert len((await call.read()).payload.body) == 31_415
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED


async def timeout_on_sleeping_server(to: grpc.aio.Channel) -> None:
    await empty(to)  # connected: what is timed is the call
    call = duplex(to, timeout=0.001)
    try:
        await call.write(M.StreamingOutputCallRequest(payload=payload(27_182)))
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED  # noqa: PT017
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def concurrent_large_unary(to: grpc.aio.Channel) -> None:
    await asyncio.gather(*(large_unary(to) for _ in range(CONCURRENT_CALLS)))


async def large_metadata(to: grpc.aio.Channel) -> None:
    """Not an official case; the list of those to come has it ("large amount of headers")."""
    value, raw = "x" * LARGE_METADATA_BYTES, bytes(range(256)) * (LARGE_METADATA_BYTES // 512)
    sent = [(ECHO_INITIAL, value), (ECHO_TRAILING, raw)]
    call = unary(to, M.SimpleRequest(response_size=1), metadata=sent)
    await call
    assert dict(await call.initial_metadata())[ECHO_INITIAL] == value
    assert dict(await call.trailing_metadata())[ECHO_TRAILING] == raw


CASES: tuple[Case, ...] = (
    empty_unary,
    large_unary,
    client_streaming,
    server_streaming,
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    special_status_message,
    unimplemented_method,
    unimplemented_service,
    cancel_after_begin,
    cancel_after_first_response,
    timeout_on_sleeping_server,
    concurrent_large_unary,
    large_metadata,
)


async def _play(address: str, authority: str) -> int:
    """Run every case on a connection of its own; return how many failed."""
    failed = 0
    for case in CASES:
        said = "passed"
        async with channel(address, authority) as to:
            try:
                async with asyncio.timeout(30):
                    await case(to)
            except (AssertionError, TimeoutError, grpc.RpcError) as error:
                failed += 1
                said = f"FAILED: {' '.join(str(error).split()) or type(error).__name__}"
        sys.stdout.write(f"{case.__name__}: {said}\n")
    return failed


if __name__ == "__main__":
    sys.exit(min(1, asyncio.run(_play(sys.argv[1], (*sys.argv[2:], "")[0]))))

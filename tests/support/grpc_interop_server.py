"""The server of gRPC's interop tests: TestService of grpc/grpc doc/interop-test-descriptions.md.

Alone: `python -m tests.support.grpc_interop_server PORT`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from tests.support.grpc_interop_messages import M, payload

SERVICE = "grpc.testing.TestService"
ECHO_INITIAL, ECHO_TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
SERVER_NAME = "x-server-name"  # in every answer's initial metadata: who it was
_STATUSES = {code.value[0]: code for code in grpc.StatusCode}


class InteropServer:
    """One server, and what it saw of its clients."""

    def __init__(self, name: str = "interop") -> None:
        self.name = name
        self.port = 0
        self.calls = 0
        self.open: set[asyncio.Task[Any]] = set()  # the handlers that run
        self.cancelled = 0  # calls that the client, or somebody between, cut
        self.deadlines: list[float | None] = []  # seconds that each call had left when it came
        self.metadata: list[dict[str, Any]] = []
        self._server: Any = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        options = (("grpc.so_reuseport", 0), ("grpc.max_metadata_size", 64 * 1024))
        self._server = grpc.aio.server(options=options)
        unary, in_, out, both = (
            grpc.unary_unary_rpc_method_handler,
            grpc.stream_unary_rpc_method_handler,
            grpc.unary_stream_rpc_method_handler,
            grpc.stream_stream_rpc_method_handler,
        )
        rows = (
            ("EmptyCall", unary, self._empty, M.Empty, M.Empty),
            ("UnaryCall", unary, self._unary, M.SimpleRequest, M.SimpleResponse),
            (
                *("StreamingInputCall", in_, self._streaming_input),
                *(M.StreamingInputCallRequest, M.StreamingInputCallResponse),
            ),
            (
                *("StreamingOutputCall", out, self._streaming_output),
                *(M.StreamingOutputCallRequest, M.StreamingOutputCallResponse),
            ),
            (
                *("FullDuplexCall", both, self._full_duplex),
                *(M.StreamingOutputCallRequest, M.StreamingOutputCallResponse),
            ),
        )
        handlers = {
            name: kind(handler, request.FromString, response.SerializeToString)
            for name, kind, handler, request, response in rows
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),)
        )
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()

    async def stop(self, grace_s: float | None = None) -> None:
        """Say GOAWAY, wait for open calls at most `grace_s`, then cut them."""
        await self._server.stop(grace_s)

    async def wait(self) -> None:
        await self._server.wait_for_termination()

    # Calls.

    @contextlib.asynccontextmanager
    async def _call(self, context: Any) -> AsyncIterator[None]:
        """Note a call, echo its metadata, and see how it ends."""
        self.calls += 1
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        self.deadlines.append(context.time_remaining())
        metadata = dict(context.invocation_metadata())
        self.metadata.append(metadata)
        initial = [(SERVER_NAME, self.name)]
        if ECHO_INITIAL in metadata:
            initial.append((ECHO_INITIAL, metadata[ECHO_INITIAL]))
        await context.send_initial_metadata(initial)
        if ECHO_TRAILING in metadata:
            context.set_trailing_metadata([(ECHO_TRAILING, metadata[ECHO_TRAILING])])
        try:
            yield
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.open.discard(task)

    async def _empty(self, _: Any, context: Any) -> Any:
        async with self._call(context):
            return M.Empty()

    async def _unary(self, request: Any, context: Any) -> Any:
        async with self._call(context):
            await _end_as_told(request, context)
            return M.SimpleResponse(payload=payload(request.response_size))

    async def _streaming_input(self, requests: AsyncIterator[Any], context: Any) -> Any:
        async with self._call(context):
            total = 0
            async for request in requests:
                total += len(request.payload.body)
            return M.StreamingInputCallResponse(aggregated_payload_size=total)

    async def _streaming_output(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async with self._call(context):
            for parameters in request.response_parameters:
                await asyncio.sleep(parameters.interval_us / 1e6)
                yield M.StreamingOutputCallResponse(payload=payload(parameters.size))

    async def _full_duplex(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async with self._call(context):
            async for request in requests:
                await _end_as_told(request, context)
                for parameters in request.response_parameters:
                    await asyncio.sleep(parameters.interval_us / 1e6)
                    yield M.StreamingOutputCallResponse(payload=payload(parameters.size))


async def _end_as_told(request: Any, context: Any) -> None:
    if request.HasField("response_status"):
        status = request.response_status
        await context.abort(_STATUSES[status.code], status.message, context.trailing_metadata())


@contextlib.asynccontextmanager
async def interop_server(name: str = "interop") -> AsyncIterator[InteropServer]:
    """Run a server in this loop, on a free port; leaving cuts what is open."""
    server = InteropServer(name)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _serve(port: int) -> None:
    server = InteropServer()
    await server.start(port)
    sys.stdout.write(f"listening on {server.address}\n")
    sys.stdout.flush()
    await server.wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))

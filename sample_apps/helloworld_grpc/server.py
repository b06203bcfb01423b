"""helloworld.Greeter, ping.PingService, grpc.health.v1.Health and reflection, over h2c.

The reply is `Hello World!`, or `Hello $TARGET!`, whatever name the request brings: it tells the
revision. A ping comes back with $SUFFIX behind it, as Knative's grpc-ping answers. `DELAY_MS` and
`FAIL` (helloworld_go/behaviour.py): a bad copy answers INTERNAL.

SIGTERM: health turns NOT_SERVING, no new call, calls under way end, exit 0.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from sample_apps.helloworld_go.behaviour import Behaviour
from sample_apps.helloworld_grpc.messages import GREETER, PING, File, Method, described
from sample_apps.starting import HOST

STREAMED_REPLIES = 3  # of SayHelloStreamReply
DRAIN_S_MAX = 3600.0  # whoever sent SIGTERM has a shorter patience of its own
_OPTIONS = (("grpc.so_reuseport", 0),)  # a port that is taken is an error, not a share

Context = Any  # grpc.aio.ServicerContext; grpcio brings no types


class Greeter:
    """The methods of both services; each reply is a text."""

    def __init__(self, behaviour: Behaviour, suffix: str) -> None:
        self._greeting = behaviour.greeting.decode("utf-8", "replace").strip()
        self._is_bad = not behaviour.status.startswith("200")
        self._delay_s = behaviour.delay_s
        self._suffix = suffix

    def hello(self, _: str) -> str:
        return self._greeting

    def pong(self, text: str) -> str:
        return text + self._suffix

    async def behave(self, context: Context) -> None:
        """Take the time that every answer takes, or fail, as the environment asks."""
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        if self._is_bad:
            await context.abort(grpc.StatusCode.INTERNAL, self._greeting)


async def serve(
    behaviour: Behaviour, stopping: asyncio.Event, listening: Callable[[], None]
) -> None:
    """Serve until `stopping`, then drain. Raise OSError when the port cannot be had."""
    server = grpc.aio.server(options=_OPTIONS)
    greeter = Greeter(behaviour, os.environ.get("SUFFIX", ""))
    for file, answer in ((GREETER, greeter.hello), (PING, greeter.pong)):
        server.add_generic_rpc_handlers((_handlers(file, answer, greeter),))
    names = (GREETER.full_name, PING.full_name, health.SERVICE_NAME)
    healthy = health.aio.HealthServicer()
    for name in names:
        await healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
    try:
        server.add_insecure_port(f"{HOST}:{behaviour.port}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    listening()
    await stopping.wait()
    await healthy.enter_graceful_shutdown()
    await server.stop(DRAIN_S_MAX)


def _handlers(file: File, answer: Callable[[str], str], greeter: Greeter) -> Any:
    """Return the handlers of a service whose methods all turn a text into a text."""
    classes = described(file)
    fields = dict(file.messages)

    def handler(method: Method) -> Any:
        request_class, response_class = classes[method.request], classes[method.response]
        field = fields[method.response]

        def reply(request: Any) -> Any:
            return response_class(**{field: answer(getattr(request, fields[method.request]))})

        async def one(request: Any, context: Context) -> Any:
            await greeter.behave(context)
            return reply(request)

        async def several(request: Any, context: Context) -> AsyncIterator[Any]:
            for _ in range(STREAMED_REPLIES):
                await greeter.behave(context)
                yield reply(request)

        async def each(requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
            async for request in requests:
                await greeter.behave(context)
                yield reply(request)

        codec = (request_class.FromString, response_class.SerializeToString)
        if method.streams_in:
            return grpc.stream_stream_rpc_method_handler(each, *codec)
        if method.streams_out:
            return grpc.unary_stream_rpc_method_handler(several, *codec)
        return grpc.unary_unary_rpc_method_handler(one, *codec)

    return grpc.method_handlers_generic_handler(
        file.full_name, {method.name: handler(method) for method in file.methods}
    )

"""From a process's start to the moment when an app of ours serves, and to its end at SIGTERM.

`helloworld_grpc` and `websocket_echo` misbehave in the ways of `helloworld_go`, by the same
variables (`helloworld_go/behaviour.py`); what they have in common besides is here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from sample_apps.helloworld_go.behaviour import BadEnvironment, Behaviour, read

try:
    import uvloop as loops
except ImportError:
    loops = asyncio  # type: ignore[misc]

HOST = "127.0.0.1"  # outside a container 0.0.0.0 would be open to the network

Serve = Callable[[Behaviour, asyncio.Event, Callable[[], None]], Awaitable[None]]


def run(name: str, serve: Serve) -> int:
    """Serve until SIGTERM; return the exit status. The environment is read here, once.

    `serve(behaviour, stopping, listening)` calls `listening` when it listens, and ends, drained,
    after `stopping` is set. Should it raise OSError, it could not listen.
    """
    try:
        behaviour = read(os.environ)
    except BadEnvironment as error:
        complain(f"{name}: {error}")
        return 1
    if behaviour.crashes:
        complain(f"{name}: FAIL=crash: this copy crashes at start, as asked")
        return 1
    _write(sys.stdout.fileno(), f"{name}: starting server...")

    def listening() -> None:
        _write(sys.stdout.fileno(), f"{name}: listening on port {behaviour.port}")

    loop = loops.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(_until_stopped(loop, behaviour, serve, listening))
    except OSError as error:
        complain(f"{name}: cannot listen on {HOST}:{behaviour.port}: {error}")
        return 1
    else:
        return 0
    finally:
        loop.close()


def complain(line: str) -> None:
    """Write one line to standard error."""
    _write(sys.stderr.fileno(), line)


def _write(descriptor: int, line: str) -> None:
    with contextlib.suppress(OSError):
        os.write(descriptor, line.encode("utf-8", "backslashreplace") + b"\n")


async def _until_stopped(
    loop: asyncio.AbstractEventLoop,
    behaviour: Behaviour,
    serve: Serve,
    listening: Callable[[], None],
) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if behaviour.start_delay_s:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), behaviour.start_delay_s)
    if not behaviour.listens or stopping.is_set():
        await stopping.wait()
        return
    await serve(behaviour, stopping, listening)

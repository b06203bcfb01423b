"""Blocking work that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


async def run_detached(work: Callable[[], None]) -> None:
    """Run blocking work on a thread of its own, and raise what it raises.

    Unlike `asyncio.to_thread`'s, the thread is a daemon: when this is cancelled, neither the end
    of the loop nor that of the process waits for the work.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if done.done():  # cancelled
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(finish, error)

    threading.Thread(target=run, name="detached", daemon=True).start()
    await done

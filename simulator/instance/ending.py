"""How a parent comes to its end: told by a signal, or for want of a child; hurried by a second."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from simulator.errors import KnaryError
from simulator.instance.children import Child

EXIT_OK, EXIT_INTERRUPTED = 0, 130


class Ending:
    """Whether, why and how fast the parent stops."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self._hurried = asyncio.Event()
        self._failure = ""

    def on_signal(self) -> None:
        """End in order, and at once when it is told for the second time."""
        if self.told.is_set():
            self._hurried.set()
        self.told.set()

    def on_owner_gone(self) -> None:
        """End in order: nobody is left to tell it a second time."""
        self.told.set()

    def note_failure(self, why: str) -> None:
        """Tell at the end what went wrong on the way there; an earlier reason comes first."""
        self._failure = self._failure or why

    def fail(self, why: str) -> None:
        """End because something could not be; the first reason is the one that is told."""
        if not self.told.is_set():
            self._failure = why
        self.told.set()

    def exit_status(self) -> int:
        """Return how the process ends. Raise KnaryError when nobody asked it to."""
        if self._failure:
            raise KnaryError(self._failure)
        return EXIT_INTERRUPTED if self._hurried.is_set() else EXIT_OK

    async def unless_told(self, work: Awaitable[None]) -> bool:
        """Do the work, unless the end comes first; tell whether it goes on."""
        await self._race(work, self.told)
        return not self.told.is_set()

    async def unless_hurried(self, work: Awaitable[None]) -> None:
        """Do the work, unless the end has to come at once."""
        await self._race(work, self._hurried)

    async def stop(
        self,
        in_order: Awaitable[None],
        end_life: Callable[[], None],
        children: Callable[[], Sequence[Child]],
        end_s_max: float,
    ) -> None:
        """Stop in order, or at once when hurried; then end the life pipe, and kill who stays."""
        try:
            await self._race(in_order, self._hurried)
        finally:
            end_life()
            left = children()
            ended = await asyncio.gather(*(child.ended_within(end_s_max) for child in left))
            for child, has_ended in zip(left, ended, strict=True):
                if not has_ended:
                    await child.kill()

    async def _race(self, work: Awaitable[None], end: asyncio.Event) -> None:
        """Do the work until it is done or the end comes; raise what it raises."""
        doing = asyncio.ensure_future(work)
        ending = asyncio.ensure_future(end.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
        finally:
            doing.cancel()
            ending.cancel()


class LifePipe:
    """A pipe that nothing is written to: its end tells every child that the parent is gone."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def end(self) -> None:
        """End it; may be called again."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def close(self) -> None:
        self.end()
        os.close(self.reading)


@contextlib.contextmanager
def signals(handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Call the running loop's handlers of these signals while the block runs."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


def has_terminal() -> bool:
    """Tell whether a terminal controls this process, and so may hang up on it."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True

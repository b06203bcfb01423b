"""The program that owns an instance: told when it is ready, and outlived by nothing of it.

`knary exec`, `knary run --up` and Python's `knary.Emulator` start `knary up` with one end of a
socket pair (`--owner-fd`). One line of JSON says on it where the instance answers; when the other
end is closed, also because its process was killed, the instance stops.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from simulator.errors import KnaryError
from simulator.instance.description import Description, encoded

_READ_BYTES = 4096


class Owner:
    """The instance's end of the pair."""

    def __init__(self, descriptor: int) -> None:
        """Raise KnaryError when it is no open descriptor."""
        try:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 (no keywords there)
        except OSError as error:
            raise KnaryError(f"--owner-fd {descriptor}: {error.strerror}") from error
        self._descriptor = descriptor

    def watch(self, gone: Callable[[], None]) -> None:
        """Call `gone` once, when the other end is closed."""
        os.set_blocking(self._descriptor, False)
        asyncio.get_running_loop().add_reader(self._descriptor, self._look, gone)

    def _look(self, gone: Callable[[], None]) -> None:
        try:
            if os.read(self._descriptor, _READ_BYTES):
                return  # there is nothing that it could say
        except BlockingIOError:
            return
        except OSError:
            pass  # it was reset, which is an end too
        self.unwatch()
        gone()

    def unwatch(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def say_ready(self, description: Description) -> None:
        """Tell where the instance answers. An owner that is gone is not told."""
        try:
            os.write(self._descriptor, encoded(description))
        except OSError:
            return

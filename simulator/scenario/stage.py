"""An instance of the scenario's own: a `knary up` in the background, on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import KnaryError
from simulator.instance import description
from simulator.instance.description import Description
from simulator.instance.environment import child_environment
from simulator.instance.paths import InstancePaths

FREE_PORTS = ("--port", "0", "--local-port", "0", "--api-port", "0", "--console-port", "0")


@dataclass(frozen=True)
class StageSettings:
    """The bounds of starting and stopping."""

    start_s_max: float = 90.0  # `knary up` gives up before that, and says why
    look_interval_s: float = 0.02
    stop_s_max: float = 45.0


class Stage:
    """One instance. `data` None is a fresh folder, removed when the instance has stopped.

    `flags` are further ones of `knary up`. Unless it may `outlive` this process, it ends with it,
    also when that is killed with -9.
    """

    def __init__(
        self,
        data: Path | None,
        environment: Mapping[str, str],
        settings: StageSettings = StageSettings(),
        *,
        flags: Sequence[str] = (),
        outlives: bool = False,
    ) -> None:
        self._outlives = outlives
        self._owner: socket.socket | None = None  # our end of what it watches
        self._is_ours = data is None
        self.data = Path(tempfile.mkdtemp(prefix="knary-")) if data is None else data.absolute()
        self._settings = settings
        self._flags = (*FREE_PORTS, *flags)
        self._environment = {**child_environment(environment), "KNARY_DATA": str(self.data)}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> Description:
        """Start the instance and return where it answers. Raise KnaryError with its own words.

        It runs in a session of its own: Ctrl-C reaches us alone, and we stop it in order.
        """
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        words = [sys.executable, "-P", "-m", "knary", "up", "--data", str(self.data), *self._flags]
        said = self.data / "up.txt"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        # A file and no pipe: a pipe's other end would be gone when the instance is kept.
        descriptor = os.open(said, flags, 0o600)
        passed: tuple[int, ...] = ()
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, descriptor)
            if not self._outlives:
                self._owner, theirs = socket.socketpair()
                undo.enter_context(theirs)
                passed = (theirs.fileno(),)
                words += ["--owner-fd", str(theirs.fileno())]
            self._process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env=self._environment,
                pass_fds=passed,
                start_new_session=True,
            )
        found = await self._description(self._process)
        if found is None:
            text = said.read_text(encoding="utf-8", errors="replace").strip()
            raise KnaryError(text.removeprefix("knary: ") or "`knary up` ended without a word")
        return found

    async def _description(self, process: asyncio.subprocess.Process) -> Description | None:
        """Return the description once it is written: knary is ready then. None when it ended."""
        path = InstancePaths(self.data).description
        deadline = time.monotonic() + self._settings.start_s_max
        while process.returncode is None:
            found = description.read(path)
            if found is not None and found.pid == process.pid:
                return found
            if time.monotonic() > deadline:
                return None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self._settings.look_interval_s)
        return None

    async def stop(self) -> None:
        """Stop the instance, wait until it is gone, and remove its folder if it is ours."""
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), self._settings.stop_s_max)
            except TimeoutError:
                process.kill()  # its children end with it
                await process.wait()
        if self._owner is not None:
            self._owner.close()
        if self._is_ours:
            shutil.rmtree(self.data, ignore_errors=True)

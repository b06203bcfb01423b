"""What `knary up` says: progress on a terminal, then the ready line and what to try next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TextIO

from simulator.instance.description import Description

_IMAGE = "registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56"


class Terminal:
    """Writes to `out`, and what children log to `err`; progress only where someone watches."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err
        self._watched = out.isatty()

    def progress(self, text: str) -> None:
        """Replace the progress line."""
        if self._watched:
            self._out.write(f"\r\x1b[K{text}")
            self._out.flush()

    def line(self, text: str) -> None:
        """Write a line in the place of the progress."""
        self.progress("")
        self._out.write(text + "\n")
        self._out.flush()

    def raw(self, data: bytes) -> None:
        """Pass on what a child logged (`-v`)."""
        self._err.write(data.decode(errors="replace"))
        self._err.flush()


def ready_lines(description: Description, default_data: Path) -> tuple[str, ...]:
    """Return the ready line and the next three commands to try."""
    data = Path(description.data_folder)
    where = "" if data == default_data else f" --data {shlex.quote(str(data))}"
    return (
        (
            f"knary is ready: gateway {description.gateway}, API {description.api},"
            f" console {description.console}"
        ),
        "Try next, in another terminal:",
        f"  knary service create helloworld-go --image {_IMAGE}{where}",
        f"  knary curl helloworld-go{where}",
        (
            "  knary service update helloworld-go --env TARGET=Knative"
            f" --traffic helloworld-go-00001=50,@latest=50{where}"
        ),
    )


def running_line(description: Description | None, data: Path, pid: int | None) -> str:
    """Return the refusal of a second instance on the same folder."""
    who = f" (pid {pid})" if pid else ""
    addresses = ""
    if description is not None and description.pid == pid:
        addresses = (
            f": gateway {description.gateway}, API {description.api}, console {description.console}"
        )
    return (
        f"knary already runs on {data}{who}{addresses};"
        f" stop it with `knary down --data {shlex.quote(str(data))}`,"
        " or choose another folder with --data"
    )

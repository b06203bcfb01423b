"""What `knary up` says: progress on a terminal, then the ready line and what to try next."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
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

    @property
    def width(self) -> int | None:
        """How many characters fit a line now; None when nobody watches."""
        try:
            columns = os.get_terminal_size(self._out.fileno()).columns
        except (OSError, ValueError):
            return None
        return columns or None

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


def ready_lines(
    description: Description, default_data: Path, width: int | None = None
) -> tuple[str, ...]:
    """Return the ready line and the next three commands to try, in rows of `width` if given."""
    data = Path(description.data_folder)
    where = () if data == default_data else (f"--data {shlex.quote(str(data))}",)
    addresses = (
        f"knary is ready: gateway {description.gateway},",
        f"API {description.api},",
        f"console {description.console}",
    )
    update = (
        "  knary service update helloworld-go",
        "--env TARGET=Knative",
        "--traffic helloworld-go-00001=50,@latest=50",
    )
    return (
        *_rows(addresses, width, ""),
        "Try next, in another terminal:",
        *_rows(("  knary service create helloworld-go --image", _IMAGE, *where), width, " \\"),
        *_rows(("  knary curl helloworld-go", *where), width, " \\"),
        *_rows((*update, *where), width, " \\"),
    )


def _rows(parts: Sequence[str], width: int | None, more: str) -> list[str]:
    """Join the parts by blanks, in rows that fit; `more` ends a row that goes on in the next."""
    rows = [parts[0]]
    for part in parts[1:]:
        if width is None or len(rows[-1]) + 1 + len(part) + len(more) <= width:
            rows[-1] += f" {part}"
        else:
            rows[-1] += more
            rows.append(f"    {part}")
    return rows


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

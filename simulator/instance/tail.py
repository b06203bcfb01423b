"""Follows the log for `-v`: children write to the file, so a slow terminal never holds them up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

_CHUNK_BYTES_MAX = 64 * 1024


async def follow(path: Path, offset: int, poll_s: float, show: Callable[[bytes], None]) -> None:
    """Show what is appended to the file after `offset`, until cancelled."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while True:
            while data := os.pread(descriptor, _CHUNK_BYTES_MAX, offset):
                offset += len(data)
                show(data)
            await asyncio.sleep(poll_s)
    finally:
        os.close(descriptor)


def last_line(path: Path) -> str:
    """Return the last line of the log that has a word in it, or ""."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _CHUNK_BYTES_MAX))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if any(map(str.isalpha, line))), "")

"""A child for the parent that does only what a child must: report ready, end when told.

Run as the parent runs its children, `standin.py NAME SETTINGS_JSON`. `settings["lives"]` says how
each start in turn behaves, the last one every later start: `serve`, `crash` (before it is ready),
`explain` (the same, saying why), `crash-later` (right after), `deaf` (does not hear SIGTERM).
Each start is a line in `settings["record"]`, NAME PID, and each orderly end another.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from pathlib import Path


def main(name: str, text: str) -> int:
    settings = json.loads(text)
    record = Path(settings["record"])
    starts = sum(line.startswith(f"{name} ") for line in record.read_text().splitlines())
    life = settings["lives"][min(starts, len(settings["lives"]) - 1)]
    hearing, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if life == "deaf" else lambda *_: None)
    note(record, f"{name} {os.getpid()}")
    if life == "crash":
        sys.stderr.write("no such thing as a free lunch\n")
        return 3
    if life == "explain":
        os.write(settings["ready_fd"], b'{"error": "the disk is full"}\n')
        return 3
    os.write(settings["ready_fd"], b"{}\n")
    os.close(settings["ready_fd"])
    if life == "crash-later":
        return 4
    ready, _, _ = select.select([hearing, settings["life_fd"]], [], [])
    if settings["life_fd"] in ready:
        return 1
    note(record, f"{name}: stopped")
    return 0


def note(record: Path, line: str) -> None:
    descriptor = os.open(record, os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

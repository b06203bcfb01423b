"""The access log: one JSON object a line for each exchange. Off unless a worker is given one.

The event loop only encodes lines and adds them to a buffer; a thread of its own writes them, so
that a slow disk or a pipe that nobody reads never holds up a request: when the buffer is full,
lines are dropped and counted.
"""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Final

import msgspec
from msgspec import Struct

from gateway.metrics.figures import WorkerFigures

log = logging.getLogger(__name__)

BUFFER_BYTES_MAX: Final = 1024 * 1024  # lines not yet handed to the writer; and as much with it
TEXT_BYTES_MAX: Final = 2048  # of a path, a host or a method
CLOSE_S_MAX: Final = 1.0  # a worker that ends waits so long for its last lines
PIPE_WRITE_BYTES_MAX: Final = 4096  # PIPE_BUF: lines of several workers do not mix within it


class Entry(Struct, frozen=True):
    """One line. docs/access-log.md says what each field means; unknown ones are "" or 0."""

    time: str
    worker: int
    client: str
    protocol: str
    method: str
    host: str
    path: str
    status: int
    grpc_status: str
    service: str
    revision: str
    tag: str
    bytes_up: int
    bytes_down: int
    duration_us: int
    queue_us: int
    retries: int
    trace_id: str
    reason: str
    fault: str


class AccessLog:
    """Writes entries to a file, or to a descriptor that was inherited."""

    def __init__(
        self,
        path: str,
        descriptor: int,
        sample: float,
        dice: Callable[[], float],
        figures: WorkerFigures,
    ) -> None:
        """Append to the file at `path`; to `descriptor` when that is not negative.

        `sample` (0 to 1) is the part of exchanges that is logged. `dice` returns numbers in
        [0, 1), for exchanges without a trace. Lines and drops are counted in `figures`.
        """
        self._sample = sample
        self._threshold = int((1.0 - sample) * (1 << 56))
        self._dice = dice
        self._figures = figures
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self._writer = _Writer(path, descriptor)

    def is_wanted(self, trace_id: str) -> bool:
        """Tell whether an exchange is to be logged; `trace_id` as `trace_id_of` returns it.

        One trace has one answer, here and wherever else OpenTelemetry's consistent probability
        sampling decides: the trace's last 56 bits are at least (1 - sample) * 2 ** 56.
        """
        if self._threshold == 0:
            return True
        if trace_id:
            return int(trace_id[18:], 16) >= self._threshold
        return self._dice() < self._sample

    def record(self, entry: Entry) -> None:
        """Log an exchange; dropped, and counted, when the writer is that far behind."""
        line = self._encoder.encode(entry)
        if len(self._buffer) + len(line) >= BUFFER_BYTES_MAX:
            self._figures.access_log_dropped += 1
            return
        self._buffer += line
        self._buffer += b"\n"
        self._figures.access_log_lines += 1

    def flush(self) -> None:
        """Hand what is buffered to the writer, unless it is still busy; called on each tick."""
        self._figures.access_log_dropped += self._writer.take_lost()
        if self._buffer and self._writer.is_idle:
            self._writer.write(bytes(self._buffer))
            self._buffer.clear()

    @property
    def is_written(self) -> bool:
        """Tell whether nothing waits to be written."""
        return self._writer.is_idle and not self._buffer

    def close(self) -> None:
        """Write what is left, within CLOSE_S_MAX."""
        self._writer.finish(bytes(self._buffer), CLOSE_S_MAX)
        self._buffer.clear()


def open_access_log(
    path: str, descriptor: int, sample: float, dice: Callable[[], float], figures: WorkerFigures
) -> AccessLog | None:
    """Return the access log that a worker's start-up asks for; None when it asks for none."""
    if not path and descriptor < 0:
        return None
    return AccessLog(path, descriptor, sample, dice, figures)


def trace_id_of(lines: Sequence[bytes]) -> str:
    """Return the trace id of a head's traceparent, 32 hex digits; "" without a valid one.

    `lines` are b"name: value\\r\\n". W3C Trace Context, 3.2: two of them, version ff, an id of
    zeros or capital letters are invalid. What is logged is not what goes up: that is unchanged.
    """
    found = ""
    for line in lines:
        if len(line) >= 68 and line[:12].lower() == b"traceparent:":
            if found:
                return ""
            found = _trace_id(line[12:].strip())
            if not found:
                return ""
    return found


def _trace_id(value: bytes) -> str:
    parts = value.split(b"-")
    if len(parts) < 4 or (len(parts) > 4 and parts[0] == b"00"):
        return ""
    version, trace, parent, flags = parts[:4]
    lengths = (len(version), len(trace), len(parent), len(flags))
    if lengths != (2, 32, 16, 2) or version == b"ff":
        return ""
    if not all(_is_hex(part) for part in (version, trace, parent, flags)):
        return ""
    if trace == b"0" * 32 or parent == b"0" * 16:
        return ""
    return trace.decode("ascii")


def _is_hex(text: bytes) -> bool:
    return not text.translate(None, b"0123456789abcdef")


def shown(text: bytes) -> str:
    """Return bytes of a client's as text that is safe in a log and on a terminal.

    Bytes beyond printable ASCII, and the backslash, are written as \\xNN: JSON alone would pass
    on DEL and the C1 controls. More than TEXT_BYTES_MAX are cut off, with "..." in their place.
    """
    if len(text) > TEXT_BYTES_MAX:
        text = text[:TEXT_BYTES_MAX] + b"..."
    if text.isascii():
        plain = text.decode("ascii")
        if plain.isprintable() and "\\" not in plain:
            return plain
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}" for byte in text
    )


def timestamp(seconds: float) -> str:
    """Return a moment (seconds since 1970) as RFC 3339 in UTC, with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Writer:
    """The thread that writes. It is a daemon: a pipe that nobody reads cannot keep the worker."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._batches: SimpleQueue[bytes | None] = SimpleQueue()
        self._lost = 0  # lines that could not be written
        self._troubled = False
        self._cut = False  # what was written last does not end in a newline
        self._rest = memoryview(b"")  # of the batch that is being written
        self.is_idle = True  # set by the loop's thread before a batch, by this one after it
        self._runner = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._runner.start()

    def write(self, batch: bytes) -> None:
        self.is_idle = False
        self._batches.put(batch)

    def take_lost(self) -> int:
        """Return how many lines were lost since the last call; only of an idle writer."""
        if not self.is_idle:
            return 0
        lost, self._lost = self._lost, 0
        return lost

    def finish(self, batch: bytes, wait_s_max: float) -> None:
        """Write a last batch and end, if that can be done in time."""
        self._batches.put(batch)
        self._batches.put(None)
        self._runner.join(wait_s_max)

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            # After an error on the way, what comes next starts on a line of its own.
            self._rest = memoryview(b"\n" + batch if self._cut else batch)
            try:
                if self._path:
                    self._open()
                self._write()
                self._troubled = False
            except OSError as error:
                self._lost += bytes(self._rest).count(b"\n")
                if not self._troubled:  # once, not ten times a second
                    log.warning("the access log cannot be written: %s", error)
                self._troubled = True
            self.is_idle = True

    def _open(self) -> None:
        """Open the file, and again when it was moved away or removed (log rotation)."""
        if self._descriptor >= 0:
            held = os.fstat(self._descriptor)
            try:
                found = os.stat(self._path)
            except FileNotFoundError:
                pass
            else:
                if (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino):
                    return
            os.close(self._descriptor)
            self._descriptor = -1
            self._cut = False
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)

    def _write(self) -> None:
        is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        while self._rest:
            piece = self._rest if is_file else _whole_lines(self._rest)
            try:
                written = os.write(self._descriptor, piece)
            except BlockingIOError:  # inherited so from who started us
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll()
                continue
            self._cut = self._rest[written - 1] != ord("\n")
            self._rest = self._rest[written:]


def _whole_lines(rest: memoryview) -> memoryview:
    """Return as many lines as a pipe takes in one piece; of a longer line, all of it."""
    end = bytes(rest[:PIPE_WRITE_BYTES_MAX]).rfind(b"\n") + 1
    if not end:
        end = bytes(rest).find(b"\n") + 1
    return rest[:end]

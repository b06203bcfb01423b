"""One watch, as a client reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from simulator.access.errors import ApiRefused
from simulator.access.resource import Document
from simulator.access.streaming import StreamBroken, StreamedAnswer


class Watch:
    """Events of one watch, oldest first: `{"type": …, "object": …}`. Close it when done."""

    def __init__(self, answer: StreamedAnswer, deadline: float, line_bytes_max: int) -> None:
        self._answer = answer
        self._deadline = deadline
        self._line_bytes_max = line_bytes_max

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Document]:
        """Yield events until the server ends the watch or the deadline passes."""
        while True:
            try:
                event = self.next_event(self._deadline - time.monotonic())
            except TimeoutError:
                return
            if event is None:
                return
            yield event

    def next_event(self, timeout_s: float) -> Document | None:
        """Return the next event, None at the end of the watch.

        Raise TimeoutError when none came in time, ApiRefused for an ERROR event.
        """
        try:
            line = self._answer.read_line(max(0.0, timeout_s), self._line_bytes_max)
        except TimeoutError:
            raise
        except (StreamBroken, OSError):
            return None
        if line is None:
            return None
        event: Document = json.loads(line)
        if event.get("type") == "ERROR":
            status = event.get("object") or {}
            raise ApiRefused(int(status.get("code", 500)), status)
        return event

    def close(self) -> None:
        self._answer.close()

"""One call of grpc.health.v1.Health/Check, bytes in and bytes out. Pure.

Source: grpc/grpc doc/health-checking.md.
"""

from __future__ import annotations

from typing import Final

from simulator.grpcmessages import (
    OK,
    first_message,
    framed,
    health_of,
    request_headers,
    status_of,
    text_message,
)
from simulator.h2client import Data, Ended, Head, Http2Client, Http2Error, Reset
from simulator.supervisor.probes import USER_AGENT

METHOD: Final = "/grpc.health.v1.Health/Check"
DEADLINE_S: Final = 60.0  # told to the server; whoever asks has a shorter patience
_SERVING: Final = 1
_REPLY_BYTES_MAX: Final = 64


class HealthCheck:
    """Ask about a service; `verdict` is None until the answer is whole."""

    def __init__(self, service: str, authority: str) -> None:
        self.verdict: bool | None = None
        self._client = Http2Client()
        self._headers: dict[str, str] = {}
        self._status = 0
        self._body = b""
        headers = [*request_headers(authority, METHOD, DEADLINE_S), ("user-agent", USER_AGENT)]
        self._client.request(headers, framed(text_message(service)))

    def taken(self) -> bytes:
        """Return what is to be sent now."""
        return self._client.taken()

    def feed(self, data: bytes) -> None:
        """Take what the server sent. What is no HTTP/2 is a NO."""
        try:
            events = self._client.feed(data)
        except Http2Error:
            self.verdict = False
            return
        for event in events:
            match event:
                case Head():
                    self._status = event.status or self._status
                    self._headers.update(event.headers)
                case Data():
                    self._body = (self._body + event.data)[:_REPLY_BYTES_MAX]
                case Ended():
                    self.verdict = self._is_serving()
                case Reset():
                    self.verdict = False

    def _is_serving(self) -> bool:
        message = first_message(self._body)
        return (
            status_of(self._status, self._headers) == OK
            and message is not None
            and health_of(message) == _SERVING
        )

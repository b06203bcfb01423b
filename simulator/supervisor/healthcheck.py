"""One call of grpc.health.v1.Health/Check, bytes in and bytes out. Pure.

Source: grpc/grpc doc/health-checking.md.
"""

from __future__ import annotations

from typing import Final

from simulator.grpcmessages import (
    first_message,
    framed,
    health_of,
    request_headers,
    text_message,
)
from simulator.h2client import Data, Ended, Head, Http2Client, Http2Error, Reset
from simulator.supervisor.answers import of_grpc, unavailable
from simulator.supervisor.probes import USER_AGENT

METHOD: Final = "/grpc.health.v1.Health/Check"
DEADLINE_S: Final = 60.0  # told to the server; whoever asks has a shorter patience
_REPLY_BYTES_MAX: Final = 64


class HealthCheck:
    """Ask about a service; `flaw` is None until the answer is whole, "" when it is SERVING."""

    def __init__(self, service: str, authority: str) -> None:
        self.flaw: str | None = None
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
        except Http2Error as error:
            self.flaw = unavailable(f"connection error: {error}")
            return
        for event in events:
            match event:
                case Head():
                    self._status = event.status or self._status
                    self._headers.update(event.headers)
                case Data():
                    self._body = (self._body + event.data)[:_REPLY_BYTES_MAX]
                case Ended():
                    self.flaw = self._judged()
                case Reset():
                    self.flaw = unavailable("stream terminated by RST_STREAM")

    def _judged(self) -> str:
        message = first_message(self._body)
        health = None if message is None else health_of(message)
        return of_grpc(self._status, self._headers, health)

"""A revision that records requests as an independent strict parser (h11) understands them."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import h11

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"


class Recorded(NamedTuple):
    """One request as it arrived."""

    start: bytes
    host: bytes
    body: bytes
    lines: tuple[bytes, ...]  # header lines and trailers, names in lower case


class Recorder:
    """Answers each request with 200 `ok`; its `script` runs as a revision."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.refused: list[str] = []  # why h11 refused what came
        self.heads = 0  # of requests, whole or not

    async def script(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=200_000)
        try:
            while data := await reader.read(65_536):
                connection.receive_data(data)
                self._read(connection, writer)
        except h11.RemoteProtocolError as error:
            self.refused.append(str(error))
            writer.transport.abort()

    def _read(self, connection: h11.Connection, writer: asyncio.StreamWriter) -> None:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                self.heads += 1
                self._head, self._body = event, b""
            elif isinstance(event, h11.Data):
                self._body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.requests.append(recorded(self._head, self._body, event))
                writer.write(OK if self._head.method == b"HEAD" else OK + b"ok")
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return
                connection.start_next_cycle()
            else:  # it needs more, or the gateway is gone
                return


def recorded(head: h11.Request, body: bytes, end: h11.EndOfMessage) -> Recorded:
    """Return a request as a row of the tables speaks of it."""
    headers = [(bytes(name), bytes(value)) for name, value in (*head.headers, *end.headers)]
    (host,) = [value for name, value in headers if name == b"host"]
    start = bytes(head.method) + b" " + bytes(head.target)
    return Recorded(start, host, body, tuple(name + b": " + value for name, value in headers))

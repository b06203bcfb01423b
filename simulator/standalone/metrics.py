"""The metrics' port: GET /metrics on loopback for Prometheus, one request per connection."""

from __future__ import annotations

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable

from simulator.metrics.page import MetricsPage
from simulator.metrics.replicas import Seen
from simulator.standalone.options import MetricsSettings

PATH = "/metrics"
_PLAIN = "text/plain; charset=utf-8"
# Whoever comes by another name comes from a web page (DNS rebinding).
_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")


class MetricsServer:
    """Answers scrapers from the workers' files. `seen` is asked on the loop's thread."""

    def __init__(
        self, page: MetricsPage, seen: Callable[[], Seen], settings: MetricsSettings
    ) -> None:
        self._page = page
        self._seen = seen
        self._settings = settings
        self._open = 0

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one connection's request, and close it."""
        if self._open >= self._settings.connections_max:
            writer.close()
            return
        self._open += 1
        try:
            async with asyncio.timeout(self._settings.request_s_max):
                writer.write(await self._answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a scraper that does not speak, or has gone
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        request, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = request.partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        named = [(name.lower(), value.strip()) for name, _, value in _parts(lines)]
        hosts = [value for name, value in named if name == "host"]
        if len(hosts) != 1 or _LOCAL_HOST.fullmatch(hosts[0]) is None:
            return _response("403 Forbidden", _PLAIN, "metrics are for this machine alone\n")
        if path != PATH:
            return _response("404 Not Found", _PLAIN, f"there is only {PATH}\n")
        if method not in ("GET", "HEAD"):
            return _response("405 Method Not Allowed", _PLAIN, "this path is read with GET\n")
        accept = ", ".join(value for name, value in named if name == "accept")
        content_type, text = await asyncio.to_thread(self._page.text, accept, self._seen())
        answer = _response("200 OK", content_type, text)
        return answer if method == "GET" else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _parts(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines if line]


def _response(status: str, content_type: str, text: str) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        "Vary: Accept\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body

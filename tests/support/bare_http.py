"""One connection to the API, and nothing clever: what was cut off is never sent again."""

from __future__ import annotations

import asyncio
import json
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

LINE_BYTES_MAX = 4 * 1024 * 1024


class CutOff(Exception):
    """The connection broke before the answer was whole."""


class Connection:
    """HTTP/1.1 over one socket, one request at a time."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token

    @classmethod
    async def open(cls, port: int, token: str) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES_MAX), token)

    async def ask(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Return code and document of the answer. Raise CutOff."""
        try:
            length = int((await self._send(method, path, document))["content-length"])
            return self._code, json.loads(await self._reader.readexactly(length))
        except (OSError, IncompleteReadError) as error:
            raise CutOff from error

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """Yield each whole line of a stream, until its clean end. Raise CutOff."""
        try:
            await self._send("GET", path, None)
            assert self._code == 200, self._code
            rest = b""
            while length := int(await self._reader.readuntil(b"\r\n"), 16):
                *whole, rest = (rest + await self._reader.readexactly(length)).split(b"\n")
                await self._reader.readexactly(2)
                for line in whole:
                    yield line
        except (OSError, IncompleteReadError) as error:
            raise CutOff from error

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _send(self, method: str, path: str, document: Any) -> dict[str, str]:
        body = b"" if document is None else json.dumps(document).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}"
            f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        self._code = int(answer[0].split()[1])
        return dict(line.split(": ", 1) for line in answer[1:] if line)

"""The instance's control endpoints, on the console's port, with the token of its data folder."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from knary.cluster import refusal
from knary.connections import Connections

REQUEST_S_MAX = 60.0


class Console:
    """One console port, by its base URL."""

    def __init__(self, address: str, token: Path) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._token = token.read_text(encoding="ascii").strip()
        self._connections = Connections(self._connect, "the console's port")

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON of an answer. Raise ApiRefused for a code of 400 and above."""
        headers = {"Authorization": f"Bearer {self._token}"}
        encoded = None if body is None else json.dumps(body).encode()
        if encoded is not None:
            headers["Content-Type"] = "application/json"
        reply = self._connections.request(method, path, encoded, headers)
        if reply.status >= 400:
            raise refusal(reply)
        return json.loads(reply.body)

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=REQUEST_S_MAX)

"""Requests through an instance's gateway, and which revision answered them."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from knary.connections import Connections

REQUEST_S_MAX = 60.0
EXPLAIN = "Knary-Explain"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` have lower-case names; `revision` is "" when no revision answered.

    `explanation` says why it was this one: `share`, `splitter`, `turn` and so on (docs/routing.md).
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    explanation: Mapping[str, str]

    @property
    def revision(self) -> str:
        """Return the revision that answered."""
        return self.explanation.get("revision", "")

    @property
    def text(self) -> str:
        """Return the body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body's JSON. Raise ValueError."""
        return json.loads(self.body)


class GatewayPort:
    """One of the gateway's ports, by its base URL."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._connections = Connections(self._connect, "the gateway")

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()

    def send(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Send one request, whose Host is among the headers. Raise EmulatorError for no answer."""
        sent = {EXPLAIN: "1", **headers}
        reply = self._connections.request(method, target, body, sent)
        return Answer(
            reply.status,
            reply.headers,
            reply.body,
            explanation_of(reply.headers.get(EXPLAIN.lower(), "")),
        )

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._host, self._port, timeout=REQUEST_S_MAX)


def explanation_of(header: str) -> dict[str, str]:
    """Return the parameters of a `Knary-Explain` header."""
    pairs = (part.partition("=") for part in header.split(";"))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs if name.strip()}

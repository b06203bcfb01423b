"""A small synchronous client of the Kubernetes-style API, light enough for `knary get`.

It imports nothing heavy on purpose: ssl, json and simulator/access. One client serves one thread.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from simulator.access.errors import (
    AnswerLost,
    ApiRefused,
    NotReady,
    NotRunning,
    WaitTimedOut,
)
from simulator.access.kubeconfig import Endpoint, parse_kubeconfig
from simulator.access.resource import Document, Named, Query, ResourceInfo, resource_path
from simulator.access.streaming import StreamBroken, StreamedAnswer
from simulator.access.waiting import Progress, Terms, silent, wait_ready
from simulator.access.watch import Watch
from simulator.errors import KnaryError

__all__ = [
    "AnswerLost",
    "ApiClient",
    "ApiRefused",
    "ClientSettings",
    "Document",
    "Endpoint",
    "NotReady",
    "NotRunning",
    "ResourceInfo",
    "WaitTimedOut",
    "Watch",
    "resource_path",
]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def _ignore(_text: str) -> None:
    """Drop a warning."""


@dataclass(frozen=True)
class ClientSettings:
    """The client's bounds."""

    connect_timeout_s: float = 10.0  # with the TLS handshake
    request_timeout_s: float = 30.0
    answer_bytes_max: int = 256 * 1024 * 1024
    watch_line_bytes_max: int = 16 * 1024 * 1024


class ApiClient:
    """Speaks to one API server over one kept connection. Not for several threads at once."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: ClientSettings = ClientSettings(),
        warn: Callable[[str], None] = _ignore,
        *,
        is_knarys: bool = True,
    ) -> None:
        """`warn` gets the text of each `Warning` header that the API sends.

        A cluster, which is not `is_knarys`, does not tell which annotations of ours are in force.
        """
        self.is_knarys = is_knarys
        self.endpoint = endpoint
        self._settings = settings
        self._warn = warn
        self._tls = _tls_of(endpoint)
        self._connection: ssl.SSLSocket | None = None

    @classmethod
    def from_kubeconfig(
        cls, path: Path, warn: Callable[[str], None] = _ignore, context: str | None = None
    ) -> ApiClient:
        """Return a client of an instance's kubeconfig. Raise NotRunning.

        With a `context` ("" is the current one) it is a user's own, and what it names a cluster.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotRunning.at(path.absolute().parent, "it has no kubeconfig") from None
        except OSError as error:
            raise KnaryError(f"cannot read {path}: {error.strerror}") from error
        endpoint = parse_kubeconfig(text, path, context or "")
        return cls(endpoint, warn=warn, is_knarys=context is None)

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Query | None = None,
        *,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Any:
        """Return the decoded answer: JSON, else text.

        Raise ApiRefused for a code of 400 and above, NotRunning when nothing answers.
        """
        headers = self._headers(accept)
        encoded = b"" if body is None else json.dumps(body).encode()
        if encoded:
            headers["Content-Type"] = content_type
        answer, data = self._exchange(method, self._target(path, query), encoded, headers)
        for warning in answer.headers("warning"):
            self._warn(_warning_text(warning))
        return _decode(answer.status, answer.header("content-type"), data)

    def get(self, info: ResourceInfo, namespace: str, name: str) -> Document:
        """Return the object. Raise ApiRefused (404) when there is none."""
        document: Document = self.request("GET", resource_path(info, namespace, name))
        return document

    def list(
        self, info: ResourceInfo, namespace: str | None = None, query: Query | None = None
    ) -> Document:
        """Return the list of a namespace, or of all when None; `query` holds the selectors."""
        document: Document = self.request("GET", resource_path(info, namespace), query=query)
        return document

    def create(
        self, info: ResourceInfo, namespace: str, body: Document, query: Query | None = None
    ) -> Document:
        path = resource_path(info, namespace)
        document: Document = self.request("POST", path, body, query)
        return document

    def update(
        self, info: ResourceInfo, namespace: str, body: Document, query: Query | None = None
    ) -> Document:
        """Replace the object; the body's resourceVersion must be the stored one."""
        path = resource_path(info, namespace, body["metadata"]["name"])
        document: Document = self.request("PUT", path, body, query)
        return document

    def merge_patch(
        self,
        info: ResourceInfo,
        namespace: str,
        name: str,
        patch: Document,
        query: Query | None = None,
    ) -> Document:
        path = resource_path(info, namespace, name)
        document: Document = self.request("PATCH", path, patch, query, content_type=MERGE_PATCH)
        return document

    def delete(
        self, info: ResourceInfo, namespace: str, name: str, propagation: str = "Background"
    ) -> Document:
        """Delete the object; return the answer's Status or the object that is on its way out."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        path = resource_path(info, namespace, name)
        document: Document = self.request("DELETE", path, body)
        return document

    def watch(
        self, path: str, query: Query, timeout_s: float = 3600.0, accept: str = JSON
    ) -> Watch:
        """Open a watch of a collection; it ends after `timeout_s` at the latest."""
        full = {"watch": "true", "timeoutSeconds": str(max(1, int(timeout_s) + 1)), **query}
        answer = self.stream(path, full, accept)
        deadline = time.monotonic() + timeout_s
        return Watch(answer, deadline, self._settings.watch_line_bytes_max)

    def stream(self, path: str, query: Query, accept: str = "*/*") -> StreamedAnswer:
        """GET over a connection of its own whose answer is read as it comes."""
        timeout_s = self._settings.request_timeout_s
        receiver = self._open()
        try:
            headers = {**self._headers(accept), "Connection": "close"}
            receiver.sendall(self._head("GET", self._target(path, query), headers))
            answer = StreamedAnswer(receiver, timeout_s)
            if answer.status >= 400:
                data = answer.read_all(timeout_s, self._settings.answer_bytes_max)
                _decode(answer.status, answer.header("content-type"), data)
        except (StreamBroken, OSError) as error:
            receiver.close()
            raise self._lost("GET", error) from error
        except BaseException:
            receiver.close()
            raise
        return answer

    def wait_ready(
        self,
        kind: ResourceInfo,
        namespace: str,
        name: str,
        timeout_s: float,
        window_s: float = 2.0,
        progress: Progress = silent,
    ) -> Document:
        """Return the object once it is Ready for its present generation, by kn's rule.

        Ready False must last `window_s`; raise NotReady then, WaitTimedOut after `timeout_s`,
        ApiRefused (404) when the object is not there. See simulator/access/waiting.py.
        """
        return wait_ready(self, kind, Named(namespace, name), Terms(timeout_s, window_s), progress)

    def _exchange(
        self, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> tuple[StreamedAnswer, bytes]:
        """Send over the kept connection; open a new one when that had been closed meanwhile."""
        if body:
            headers["Content-Length"] = str(len(body))
        request = self._head(method, target, headers) + body
        was_kept = self._connection is not None
        try:
            return self._send(request)
        except (StreamBroken, OSError) as error:
            self.close()
            # A request that changes something is sent once: it may have been carried out.
            if not was_kept or method != "GET" or isinstance(error, TimeoutError):
                raise self._lost(method, error) from error
        try:
            return self._send(request)
        except (StreamBroken, OSError) as error:
            self.close()
            raise self._lost(method, error) from error

    def _send(self, request: bytes) -> tuple[StreamedAnswer, bytes]:
        timeout_s, bytes_max = self._settings.request_timeout_s, self._settings.answer_bytes_max
        connection = self._kept_connection()
        connection.settimeout(timeout_s)
        connection.sendall(request)
        answer = StreamedAnswer(connection, timeout_s)
        data = answer.read_all(timeout_s, bytes_max)
        if not answer.leaves_connection_open:
            self.close()
        if len(data) == bytes_max:
            raise StreamBroken(f"the answer is larger than {bytes_max} bytes")
        return answer, data

    def _kept_connection(self) -> ssl.SSLSocket:
        """Return a connection that is open; one that the server closed meanwhile is replaced."""
        kept = self._connection
        if kept is not None and not _has_input(kept):
            return kept
        self.close()
        self._connection = self._open()
        return self._connection

    def _head(self, method: str, target: str, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.endpoint.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _lost(self, method: str, error: Exception) -> AnswerLost:
        where = self.endpoint.address
        if isinstance(error, TimeoutError):
            why = f"{where} gave no answer in {self._settings.request_timeout_s:g} s"
        else:
            why = f"{where} closed the connection before an answer ({error})"
        doubt = "; whether it was done is not known: look before you repeat it"
        return AnswerLost(why if method == "GET" else why + doubt)

    def _open(self) -> ssl.SSLSocket:
        """Connect. Raise NotRunning when nothing listens there, or something else does."""
        endpoint, timeout_s = self.endpoint, self._settings.connect_timeout_s
        try:
            plain = socket.create_connection((endpoint.host, endpoint.port), timeout_s)
        except OSError as error:
            where = f"nothing answers at {endpoint.address}"
            raise NotRunning.at(endpoint.folder, where) from error
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._tls.wrap_socket(plain, server_hostname=endpoint.host)
        except OSError as error:
            plain.close()
            where = f"what answers at {endpoint.address} is not it"
            raise NotRunning.at(endpoint.folder, where) from error

    def _target(self, path: str, query: Query | None) -> str:
        path = self.endpoint.prefix + path
        return f"{path}?{urlencode(query)}" if query else path

    def _headers(self, accept: str) -> dict[str, str]:
        headers = {"Accept": accept, "User-Agent": "knary"}
        if self.endpoint.token:
            headers["Authorization"] = f"Bearer {self.endpoint.token}"
        return headers


def _tls_of(endpoint: Endpoint) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=endpoint.authority_pem or None)
    if not endpoint.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if endpoint.certificate_pem:
        import tempfile

        # The ssl module reads certificates from files only.
        with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as file:
            file.write(f"{endpoint.certificate_pem}\n{endpoint.key_pem}\n")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _has_input(connection: socket.socket) -> bool:
    """Tell whether an idle connection has something to read: its end, as nothing was asked."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
    except (OSError, ValueError):
        return True
    return bool(readable)


def _warning_text(header: str) -> str:
    """Return the text of `299 - "text"` (RFC 7234, 5.5)."""
    _, quote_mark, rest = header.partition('"')
    return rest.rpartition('"')[0].replace('\\"', '"') if quote_mark else header


def _decode(code: int, content_type: str, data: bytes) -> Any:
    """Return the body. Raise ApiRefused for a code of 400 and above."""
    value: Any = None
    if "json" in content_type:
        try:
            value = json.loads(data)
        except ValueError as error:
            raise AnswerLost(f"the API's answer is no JSON: {error}") from error
    else:
        value = data.decode("utf-8", "replace")
    if code < 400:
        return value
    if isinstance(value, dict):
        raise ApiRefused(code, value)
    raise ApiRefused(code, {"code": code, "message": str(value).strip()})

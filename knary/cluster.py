"""The instance's Kubernetes API, as any client uses it: discovery, server-side apply, watches."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from knary.connections import Connections, Reply
from knary.problems import ApiRefused, EmulatorError, NotReady, WaitTimedOut

Document = dict[str, Any]

MANAGER = "knary-emulator"  # of the fields that it applies
REQUEST_S_MAX = 30.0
FALSE_S_MAX = 2.0  # Ready may be False for so long before that counts, as in kn
ALL_NAMESPACES = ""
JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
KNATIVE = "serving.knative.dev/v1"
# Of kinds with one name these are meant; others by their apiVersion.
_GROUPS_FIRST = (KNATIVE, "v1", "serving.knative.dev/v1beta1")


class Kind(NamedTuple):
    """One kind of object, as discovery describes it."""

    api_version: str
    name: str
    plural: str
    namespaced: bool
    names: frozenset[str]  # all that one may call it, in lower case

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of an object, or of its collection."""
        root = "apis" if "/" in self.api_version else "api"
        inside = self.namespaced and namespace != ALL_NAMESPACES
        scope = f"/namespaces/{quote(namespace, safe='')}" if inside else ""
        end = f"/{quote(name, safe='')}" if name else ""
        return f"/{root}/{self.api_version}{scope}/{self.plural}{end}"


class Cluster:
    """The API behind one kubeconfig of knary's."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_bytes())
        server = urlsplit(config["clusters"][0]["cluster"]["server"])
        authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
        self._token = config["users"][0]["user"]["token"]
        self._tls = ssl.create_default_context(cadata=base64.b64decode(authority).decode("ascii"))
        self._host, self._port = server.hostname or "127.0.0.1", server.port or 443
        self._connections = Connections(self._connect, "the API")
        self._kinds: dict[str, tuple[Kind, ...]] = {}

    def close(self) -> None:
        """Close the connections that are idle."""
        self._connections.close()

    # Objects -----------------------------------------------------------------------------------

    def apply(self, document: Document, namespace: str) -> Document:
        """Send one object by server-side apply; return it as it is stored."""
        kind = self.kind_of(document)
        metadata = document.get("metadata") or {}
        there = metadata.get("namespace") or namespace
        path = kind.path(there, str(metadata.get("name") or ""))
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        found: Document = self.call("PATCH", path, document, APPLY_PATCH, query)
        return found

    def patch(self, kind: Kind, namespace: str, name: str, change: Document) -> Document:
        """Merge a change into an object; return it."""
        path = kind.path(namespace, name)
        found: Document = self.call("PATCH", path, change, MERGE_PATCH, {"fieldManager": MANAGER})
        return found

    def get(self, kind: Kind, namespace: str, name: str) -> Document:
        """Return an object. Raise ApiRefused, code 404, when there is none."""
        found: Document = self.call("GET", kind.path(namespace, name))
        return found

    def items(self, kind: Kind, namespace: str, selector: str = "") -> list[Document]:
        """Return the objects of a namespace that have the labels of `selector`."""
        query = {"labelSelector": selector} if selector else {}
        found: list[Document] = self.call("GET", kind.path(namespace), query=query)["items"]
        return [{"apiVersion": kind.api_version, "kind": kind.name, **each} for each in found]

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """Delete an object, and what belongs to it, in the background."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        self.call("DELETE", kind.path(namespace, name), body)

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """Return an answer that is no JSON, such as a log."""
        reply = self._send("GET", path, None, JSON, query)
        return reply.body.decode("utf-8", "replace")

    # Kinds -------------------------------------------------------------------------------------

    def kind_of(self, document: Document) -> Kind:
        """Return the kind that a manifest names."""
        api_version, name = document.get("apiVersion"), document.get("kind")
        for kind in self._kinds_of(str(api_version)) if api_version else ():
            if kind.name == name:
                return kind
        raise EmulatorError(f"there is no kind {name!r} in apiVersion {api_version!r} here")

    def kind(self, called: str) -> Kind:
        """Return a kind by its name, plural, short name, or PLURAL.GROUP, as kubectl takes them."""
        plural, _, group = called.lower().partition(".")
        for api_version in self._api_versions():
            if group and api_version.partition("/")[0] != group:
                continue
            for kind in self._kinds_of(api_version):
                if plural in kind.names:
                    return kind
        raise EmulatorError(f"there is no kind called {called!r} here")

    def _api_versions(self) -> Iterator[str]:
        yield from _GROUPS_FIRST
        for group in self.call("GET", "/apis")["groups"]:
            for version in group["versions"]:
                if version["groupVersion"] not in _GROUPS_FIRST:
                    yield version["groupVersion"]

    def _kinds_of(self, api_version: str) -> tuple[Kind, ...]:
        if api_version not in self._kinds:
            root = "apis" if "/" in api_version else "api"
            try:
                found = self.call("GET", f"/{root}/{quote(api_version)}")
            except ApiRefused as error:
                if error.code != 404:
                    raise
                return ()
            self._kinds[api_version] = tuple(
                _kind(api_version, one) for one in found["resources"] if "/" not in one["name"]
            )
        return self._kinds[api_version]

    # Waiting -----------------------------------------------------------------------------------

    def wait(
        self, kind: Kind, namespace: str, name: str, timeout_s: float, condition: str = "Ready"
    ) -> Document:
        """Return the object once the condition is True for its present generation.

        Raise NotReady when it stays False, WaitTimedOut after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        false_until: float | None = None
        found = self.get(kind, namespace, name)
        what = f"{kind.name} {name!r}"
        version = found["metadata"]["resourceVersion"]
        with _Watch(self._connect, self._head(), kind.path(namespace), name, version) as watch:
            while True:
                status, why = _condition(found, condition)
                if status == "True":
                    return found
                now = time.monotonic()
                false_until = (false_until or now + FALSE_S_MAX) if status == "False" else None
                until = min(deadline, false_until or deadline)
                try:
                    found = watch.next(until - now)
                except TimeoutError:
                    if false_until is not None and false_until <= deadline:
                        raise NotReady(f"{what} is not ready: {why}") from None
                    raise WaitTimedOut(
                        f"{what} is not {condition} after {timeout_s:g} s: {why}"
                    ) from None
                if found.get("deleted"):
                    raise NotReady(f"{what} was deleted while it was waited for")

    # HTTP --------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON of an answer. Raise ApiRefused for a code of 400 and above."""
        return json.loads(self._send(method, path, body, content_type, query or {}).body)

    def _send(
        self,
        method: str,
        path: str,
        body: Document | None,
        content_type: str,
        query: Mapping[str, str],
    ) -> Reply:
        target = f"{path}?{urlencode(query)}" if query else path
        encoded = None if body is None else json.dumps(body, default=str).encode()
        headers = {**self._head(), **({"Content-Type": content_type} if encoded else {})}
        reply = self._connections.request(method, target, encoded, headers)
        if reply.status >= 400:
            raise refusal(reply)
        return reply

    def _head(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Accept": JSON}

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=REQUEST_S_MAX, context=self._tls
        )


class _Watch:
    """Follows one object, from a version on."""

    def __init__(
        self,
        connect: Callable[[], http.client.HTTPConnection],
        headers: Mapping[str, str],
        collection: str,
        name: str,
        version: str,
    ) -> None:
        query = {
            "watch": "true",
            "resourceVersion": version,
            "fieldSelector": f"metadata.name={name}",
        }
        self._connection = connect()
        try:
            self._connection.request("GET", f"{collection}?{urlencode(query)}", None, dict(headers))
            self._socket = self._connection.sock
            self._answer = self._connection.getresponse()
            if self._answer.status >= 400:
                raise refusal(Reply(self._answer.status, {}, self._answer.read()))
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise EmulatorError(f"the watch of {name} broke off: {error}") from error
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()
        self._connection.close()

    def next(self, wait_s_max: float) -> Document:
        """Return the object's next state. Raise TimeoutError, after which it is over."""
        self._socket.settimeout(max(wait_s_max, 0.001))
        try:
            line = self._answer.readline()
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise EmulatorError(f"a watch broke off: {error}") from error
        if not line:
            raise EmulatorError("a watch ended: the control plane stopped")
        event = json.loads(line)
        if event["type"] == "ERROR":
            raise EmulatorError(f"a watch failed: {event['object'].get('message')}")
        found: Document = event["object"]
        return {**found, "deleted": True} if event["type"] == "DELETED" else found


def refusal(reply: Reply) -> ApiRefused:
    """Return what a refusal says, in the words of its Status."""
    try:
        status = json.loads(reply.body)
    except ValueError:
        status = {}
    message = status.get("message") or f"the instance answered {reply.status}"
    return ApiRefused(reply.status, str(status.get("reason", "")), message)


def _kind(api_version: str, found: Document) -> Kind:
    called = (found["name"], found["singularName"], found["kind"], *found.get("shortNames", ()))
    names = frozenset(name.lower() for name in called)
    return Kind(api_version, found["kind"], found["name"], found["namespaced"], names)


def is_true(found: Document, type_: str) -> bool:
    """Tell whether the condition is True for the present generation."""
    return _condition(found, type_)[0] == "True"


def _condition(found: Document, type_: str) -> tuple[str, str]:
    """Return the condition's status for the present generation, and what it says."""
    status = found.get("status") or {}
    current = status.get("observedGeneration") == found["metadata"].get("generation")
    for one in status.get("conditions") or ():
        if one["type"] == type_:
            why = ": ".join(part for part in (one.get("reason"), one.get("message")) if part)
            return (one["status"] if current else "Unknown"), why or "it does not say why"
    return "Unknown", "it has no such condition yet"

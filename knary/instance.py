"""A running instance of one's own, and the clients of its ports."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from knary.cluster import ALL_NAMESPACES, KNATIVE, Cluster, Document, Kind, is_true
from knary.console import Console
from knary.problems import ApiRefused, EmulatorError, WaitTimedOut
from knary.requesting import GatewayPort
from knary.starting import Running

_INSIDE = ".svc.cluster.local"
_HOPS = 3  # a setting changes a Route or a Revision; that a Configuration; that a Service
_POLL_INTERVAL_S = 0.02


class Named(NamedTuple):
    """Which object of a kind."""

    namespace: str
    name: str


def is_setting(document: Document) -> bool:
    """Tell whether it is one of the operator's ConfigMaps, which change other objects."""
    metadata = document.get("metadata") or {}
    return document.get("kind") == "ConfigMap" and metadata.get("namespace") == "knative-serving"


class Instance:
    """What there is while it runs. `hosts` is to be cleared when services may change."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.cluster = Cluster(self.data / "kubeconfig")
        self.console = Console(self.description["console"], self.data / "token")
        self.hosts: dict[tuple[str, str, str], str] = {}
        self._gateway = GatewayPort(self.description["gateway"])
        self._inside = GatewayPort(self.description["gatewayLocal"])

    def close(self) -> None:
        """Stop it; return when nothing of it is left."""
        for one in (self.cluster, self.console, self._gateway, self._inside):
            one.close()
        self.running.stop()

    @property
    def description(self) -> Mapping[str, Any]:
        """Return where it answers."""
        return self.running.description

    @property
    def data(self) -> Path:
        """Return its data folder."""
        return self.running.data

    @property
    def service(self) -> Kind:
        """Return Knative's kind Service, which shares its name with Kubernetes'."""
        return self.cluster.kind_of({"apiVersion": KNATIVE, "kind": "Service"})

    def ready_services(self) -> list[Named]:
        """Return the Services that are Ready now."""
        return [
            Named(one["metadata"]["namespace"], one["metadata"]["name"])
            for one in self.cluster.items(self.service, ALL_NAMESPACES)
            if is_true(one, "Ready")
        ]

    def wait_for_settings(
        self, settings: Iterable[Document], services: Iterable[Named], timeout_s: float
    ) -> None:
        """Return when controllers have obeyed these ConfigMaps, and the services are Ready by them.

        Raise WaitTimedOut, NotReady.
        """
        versions = [int(one["metadata"]["resourceVersion"]) for one in settings]
        if not versions:
            return
        deadline = time.monotonic() + timeout_s
        version = max(versions)
        for _ in range(_HOPS):
            while self._reconciled() < version:
                if time.monotonic() >= deadline:
                    raise WaitTimedOut("the controllers have not obeyed the settings yet")
                time.sleep(_POLL_INTERVAL_S)
            maps = self.cluster.kind("configmaps").path("knative-serving")
            version = int(self.cluster.call("GET", maps)["metadata"]["resourceVersion"])
        for service in services:
            left_s = max(0.0, deadline - time.monotonic())
            self.cluster.wait(self.service, service.namespace, service.name, left_s)

    def _reconciled(self) -> int:
        found: int = self.console.call("GET", "/knary/status")["controlPlane"]["reconciled"]
        return found

    def port_of(self, host: str) -> GatewayPort:
        """Return the gateway's port on which a host is answered: the inside has its own."""
        return self._inside if host.endswith(_INSIDE) else self._gateway

    def host_of(self, namespace: str, service: str, tag: str) -> str:
        """Return the Host of a service, or of one of its tags. Raise EmulatorError."""
        key = (namespace, service, tag)
        if key not in self.hosts:
            try:
                found = self.cluster.get(self.service, namespace, service)
            except ApiRefused as error:
                if error.code != 404:
                    raise
                # One asks for what is not there, too: the gateway is to say so.
                domain = self.description["domain"]
                return f"{tag}{'-' if tag else ''}{service}.{namespace}.{domain}"
            self.hosts[key] = _host_of(found, tag)
        return self.hosts[key]


def _host_of(service: Document, tag: str) -> str:
    status = service.get("status") or {}
    url = status.get("url")
    if tag:
        targets = status.get("traffic") or ()
        url = next((one.get("url") for one in targets if one.get("tag") == tag), None)
    if not url:
        name = service["metadata"]["name"]
        raise EmulatorError(f"service {name!r} has no URL{f' of tag {tag!r}' if tag else ''} yet")
    return str(urlsplit(url).netloc)

"""A running instance of one's own, and the clients of its ports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from knary.cluster import KNATIVE, Cluster, Document, Kind
from knary.console import Console
from knary.problems import ApiRefused, EmulatorError
from knary.requesting import GatewayPort
from knary.starting import Running

_INSIDE = ".svc.cluster.local"


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

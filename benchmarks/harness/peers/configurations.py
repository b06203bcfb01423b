"""What each peer is told: texts that depend on nothing but their arguments.

All are given the least to do that still is a proxy which splits by percent: no access log, no
metrics, connections to both sides kept open, bodies streamed and never put on a disk. All add
X-Forwarded-For, as a proxy before an application does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Setup:
    """What a peer is for: backends ("HOST:PORT") and their percents, its port, how many workers.

    No percents are even ones. With `h2c` it speaks h2c to its clients, and to the backends unless
    `http1_backends`.
    """

    folder: Path
    port: int
    backends: tuple[str, ...]
    workers: int = 1
    h2c: bool = False
    percents: tuple[int, ...] = ()
    http1_backends: bool = False

    @property
    def is_h2c_behind(self) -> bool:
        return self.h2c and not self.http1_backends

    def shares(self) -> list[tuple[str, str, int]]:
        """Return the name, address and weight of each backend that gets requests."""
        weights = self.percents or (1,) * len(self.backends)
        named = enumerate(zip(self.backends, weights, strict=True), 1)
        return [(f"r{number}", address, weight) for number, (address, weight) in named if weight]


NGINX = """\
daemon off;
master_process {master};
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  split_clients $connection.$connection_requests $target {{ {split} }}
{upstreams}
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} backlog=4096{http2}{reuseport};
    location / {{
      proxy_pass http://$target;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""

HAPROXY = """\
global
  nbthread {workers}
  maxconn 4096
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option forwardfor
frontend front
  bind 127.0.0.1:{port} backlog 4096{h2}
  default_backend both
backend both
  balance roundrobin
{servers}
"""

_TYPE = "type.googleapis.com/envoy."
_MANAGER = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_PROTOCOLS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_STREAMS_MAX = 1000
_ENOUGH = 100_000  # more than any case needs: circuit breakers are not what is measured


def nginx(setup: Setup) -> str:
    """Return nginx.conf: split_clients before an upstream for each backend."""
    shares = setup.shares()
    total = sum(weight for _, _, weight in shares)
    *parts, (last, _, _) = shares  # split_clients gives the last one what is left
    split = "".join(f"{100 * weight / total:.2f}% {name}; " for name, _, weight in parts)
    kept = "keepalive 256; keepalive_requests 100000000;"
    many = setup.workers > 1
    return NGINX.format(
        folder=setup.folder,
        port=setup.port,
        split=f"{split}* {last};",
        upstreams="\n".join(
            f"  upstream {name} {{ server {address}; {kept} }}" for name, address, _ in shares
        ),
        workers=setup.workers,
        master="on" if many else "off",
        reuseport=" reuseport" if many else "",
        http2=" http2" if setup.h2c else "",
    )


def haproxy(setup: Setup) -> str:
    """Return haproxy.cfg: round robin by weight over servers."""
    behind = " proto h2" if setup.is_h2c_behind else ""
    return HAPROXY.format(
        port=setup.port,
        servers="\n".join(
            f"  server {name} {address} weight {weight}{behind}"
            for name, address, weight in setup.shares()
        ),
        workers=setup.workers,
        h2=" proto h2" if setup.h2c else "",
    )


def envoy(setup: Setup) -> str:
    """Return the bootstrap as JSON: weighted clusters, which is how Knative splits."""
    manager = {
        "@type": _TYPE + _MANAGER,
        "stat_prefix": "front",
        "codec_type": "HTTP2" if setup.h2c else "HTTP1",
        "http2_protocol_options": {"max_concurrent_streams": _STREAMS_MAX},
        "generate_request_id": False,
        "use_remote_address": True,
        "route_config": {"virtual_hosts": [_virtual_host(setup)]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": _TYPE + "extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                    "dynamic_stats": False,
                },
            }
        ],
    }
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    listener = {
        "name": "front",
        "address": _address(f"127.0.0.1:{setup.port}"),
        "tcp_backlog_size": 4096,
        "filter_chains": [chain],
    }
    bootstrap = {
        "stats_config": {"stats_matcher": {"reject_all": True}},
        "static_resources": {
            "listeners": [listener],
            "clusters": [
                _cluster(name, at, h2c=setup.is_h2c_behind) for name, at, _ in setup.shares()
            ],
        },
    }
    return json.dumps(bootstrap, indent=1)


def _virtual_host(setup: Setup) -> dict[str, Any]:
    shares = setup.shares()
    split = {"clusters": [{"name": name, "weight": weight} for name, _, weight in shares]}
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": split, "timeout": "0s"}}
    return {"name": "all", "domains": ["*"], "routes": [route]}


def _cluster(name: str, backend: str, *, h2c: bool) -> dict[str, Any]:
    protocol: dict[str, Any] = {"http_protocol_options": {}}
    if h2c:
        protocol = {"http2_protocol_options": {"max_concurrent_streams": _STREAMS_MAX}}
    limits = dict.fromkeys(
        ("max_connections", "max_requests", "max_pending_requests", "max_retries"), _ENOUGH
    )
    return {
        "name": name,
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
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(backend)}}]}],
        },
    }


def _address(text: str) -> dict[str, Any]:
    host, _, port = text.rpartition(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}

"""The proxies that the gateway is compared with, each one process, each splitting 50/50.

They are given the least to do that still is a proxy: no access log, no metrics, connections to
both sides kept open.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from instance import answer, free_port

INSTALL = {
    "nginx": "Debian and Ubuntu: apt install nginx-light; macOS: brew install nginx",
    "haproxy": "Debian and Ubuntu: apt install haproxy; macOS: brew install haproxy",
    "wrk": "Debian and Ubuntu: apt install wrk; macOS: brew install wrk",
}
START_S_MAX = 10.0

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  split_clients $connection.$connection_requests $target {{ 50% one; * two; }}
  upstream one {{ server {one}; keepalive 64; keepalive_requests 100000000; }}
  upstream two {{ server {two}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://$target;
      proxy_http_version 1.1;
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
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option forwardfor
frontend front
  bind 127.0.0.1:{port}
  default_backend both
backend both
  balance roundrobin
  server one {one} weight 50
  server two {two} weight 50
"""


@dataclass(frozen=True)
class Proxy:
    """A running proxy: where it listens, and the one process that does its work."""

    name: str
    port: int
    pid: int


def find(tool: str) -> str | None:
    """Return the tool's path; Debian keeps servers where a user's PATH does not look."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


def nginx(folder: Path, port: int, backends: tuple[str, str]) -> list[str]:
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(folder=folder, port=port, one=backends[0], two=backends[1])
    )
    return [find("nginx") or "nginx", "-p", str(folder), "-c", str(configuration)]


def haproxy(folder: Path, port: int, backends: tuple[str, str]) -> list[str]:
    configuration = folder / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(port=port, one=backends[0], two=backends[1]))
    return [find("haproxy") or "haproxy", "-db", "-q", "-f", str(configuration)]


def aiohttp(_folder: Path, port: int, backends: tuple[str, str]) -> list[str]:
    program = Path(__file__).with_name("plain_proxy.py")
    return [sys.executable, str(program), str(port), *backends]


PEERS: dict[str, Callable[[Path, int, tuple[str, str]], list[str]]] = {
    "nginx": nginx,
    "haproxy": haproxy,
    "aiohttp": aiohttp,
}


@contextlib.contextmanager
def running(name: str, folder: Path, backends: tuple[str, str]) -> Iterator[Proxy]:
    """Start a peer before `backends` ("HOST:PORT", each half of the requests); end it by its id."""
    port = free_port()
    place = folder / name
    place.mkdir()
    with (place / "output").open("wb") as output:
        process = subprocess.Popen(
            PEERS[name](place, port, backends), stdout=output, stderr=output, env=dict(os.environ)
        )
    try:
        deadline = time.monotonic() + START_S_MAX
        while not answer(port, "127.0.0.1"):
            if process.poll() is not None or time.monotonic() > deadline:
                said = (place / "output").read_text(errors="replace").strip()
                raise RuntimeError(f"{name} did not start: {said}")
            time.sleep(0.02)
        yield Proxy(name, port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""From the text of a file of routes to what the gateway is to do, or why not. Pure."""

from __future__ import annotations

from msgspec import Struct

from gateway.contract import Backend, Route, RouteTable
from simulator.errors import KnaryError
from simulator.resources.strictyaml import Form
from simulator.standalone.document import (
    GatewayDocument,
    RouteDocument,
    RuleDocument,
    TargetDocument,
)
from simulator.standalone.flaws import flaws_of
from simulator.standalone.table import address_of, backends_of, routes_of

ROUTES_BYTES_MAX = 16 * 1024 * 1024  # 50,000 routes


class RoutesError(KnaryError):
    """The file is no file of routes. Each line: file, line, column, what is wrong, the way out."""


class Configuration(Struct, frozen=True):
    """What a file asks for. Port 0 is any free one."""

    address: str
    port: int
    workers: int
    routes: dict[str, Route]
    backends: dict[str, Backend]

    def table(self, version: int) -> RouteTable:
        """Return the workers' table."""
        return RouteTable(version, self.routes, self.backends)


_FORM = Form(
    GatewayDocument,
    {
        "$": GatewayDocument,
        "$.routes[]": RouteDocument,
        "$.routes[].split[]": TargetDocument,
        "$.routes[].rules[]": RuleDocument,
        "$.routes[].rules[].split[]": TargetDocument,
    },
    noun="a file of routes",
    wanted="`routes`",
    bytes_max=ROUTES_BYTES_MAX,
    flaws_of=flaws_of,
    error=RoutesError,
)


def parse_routes(text: str, source: str) -> Configuration:
    """Return what the text asks for; `source` names it in errors. Raise RoutesError."""
    document, _ = _FORM.read(text, source)
    address, port = address_of(document.listen, port_min=0) or ("", 0)
    return Configuration(
        address, port, document.workers, routes_of(document), backends_of(document)
    )

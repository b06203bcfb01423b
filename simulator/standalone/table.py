"""From a file without flaws to the gateway's rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gateway.contract import WEIGHT_SCALE, Backend, HeaderRule, Route, Share, Split
from simulator.resources.stickiness import Stickiness, of_split, parse_sticky
from simulator.standalone.document import GatewayDocument, RouteDocument, TargetDocument

WHOLE = 100 * WEIGHT_SCALE
NAMESPACE = "default"  # what metrics say of all routes
_TIMEOUT_S = 300.0
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")
_CLOSE_TO_WHOLE = 1e-6
_PORT_MAX = 65_535


def address_of(text: str, port_min: int = 1) -> tuple[str, int] | None:
    """Return host and port of HOST:PORT or [IPV6]:PORT; None when it is neither."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not port_min <= int(match[3]) <= _PORT_MAX:
        return None
    return match[1] or match[2], int(match[3])


def weight_of(percent: float) -> int | None:
    """Return hundredths of a percent; None when it is none of these."""
    weight = percent * WEIGHT_SCALE
    return round(weight) if abs(weight - round(weight)) < _CLOSE_TO_WHOLE else None


def host_name(host: str) -> str:
    """Return the host as the gateway compares it."""
    return host.lower().removesuffix(".")


def splits_of(route: RouteDocument) -> Iterator[tuple[str, tuple[TargetDocument, ...]]]:
    """Yield the path within the route and the targets of each of its splits."""
    yield "split", route.split
    for index, rule in enumerate(route.rules):
        yield f"rules[{index}].split", rule.split


def describes(target: TargetDocument) -> bool:
    """Tell whether the entry says what the target is, and not only what it gets."""
    return bool(target.to) or any(value is not None for value in described(target).values())


def described(target: TargetDocument) -> dict[str, object]:
    """Return what an entry may say of its target besides its processes, by the field's name."""
    return {
        "protocol": target.protocol,
        "timeoutSeconds": target.timeout_seconds,
        "responseStartTimeoutSeconds": target.response_start_timeout_seconds,
        "idleTimeoutSeconds": target.idle_timeout_seconds,
        "containerConcurrency": target.container_concurrency,
    }


def routes_of(document: GatewayDocument) -> dict[str, Route]:
    """Return a row for each route; its key is its first host."""
    routes = (_route(route, document) for route in document.routes)
    return {route.key: route for route in routes}


def backends_of(document: GatewayDocument) -> dict[str, Backend]:
    """Return a row for each target; its key is its route's with its own name."""
    backends = (
        _backend(_backend_key(_key(route), target.name), target)
        for route in document.routes
        for _, split in splits_of(route)
        for target in split
        if target.to
    )
    return {backend.key: backend for backend in backends}


def timeout_s(target: TargetDocument) -> float:
    """Return how long a whole request may take."""
    return _TIMEOUT_S if target.timeout_seconds is None else target.timeout_seconds


def _key(route: RouteDocument) -> str:
    return host_name(route.hosts[0])


def _backend_key(route: str, name: str) -> str:
    return f"{route}/{name}"


def _route(route: RouteDocument, document: GatewayDocument) -> Route:
    key = _key(route)
    sticky = parse_sticky(route.sticky) if route.sticky else Stickiness()

    def split(targets: Sequence[TargetDocument], rule: str = "") -> Split:
        sessions = of_split(sticky, key, rule)
        return Split(
            f"{key}?{rule}" if rule else key,
            _shares(key, targets),
            document.splitter,
            document.seed,
            document.hash_header.lower(),
            sessions.kind,
            sessions.name,
        )

    rules = tuple(
        HeaderRule(name, rule.value, split(rule.split, f"{name}={rule.value}"))
        for rule in route.rules
        for name in [rule.header.lower()]
    )
    return Route(
        key,
        tuple(map(host_name, route.hosts)),
        split(route.split),
        rules=rules,
        host=route.host,
        service=f"{NAMESPACE}/{key}",
    )


def _shares(route: str, targets: Sequence[TargetDocument]) -> tuple[Share, ...]:
    return tuple(
        Share(
            _backend_key(route, target.name),
            WHOLE if target.percent is None else weight_of(target.percent) or 0,
            tuple(target.headers.items()),
        )
        for target in targets
    )


def _backend(key: str, target: TargetDocument) -> Backend:
    return Backend(
        key,
        target.to,
        protocol=target.protocol or "http1",
        timeout_s=float(timeout_s(target)),
        response_start_s=float(target.response_start_timeout_seconds or 0),
        idle_s=float(target.idle_timeout_seconds or 0),
        concurrency=target.container_concurrency or 0,
    )

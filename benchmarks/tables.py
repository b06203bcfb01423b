"""Tables of any size, made as the control plane makes them: the same rows, names and headers."""

from __future__ import annotations

from collections.abc import Sequence

import instance

instance.make_importable()

from gateway.contract import WEIGHT_SCALE, Backend, Route, RouteTable, Share, Split

NAMESPACE = "default"
HOST_PATTERN = "service-%05d.default.example.com"
LOCAL = ("", ".svc", ".svc.cluster.local")
ALL = 100 * WEIGHT_SCALE


def table(version: int, services: int, revisions: int, addresses: Sequence[str]) -> RouteTable:
    """Return a table of `services` Services that split evenly over their `revisions`.

    Each revision has one replica; the replicas' `addresses` are given out in turn.
    """
    routes: dict[str, Route] = {}
    backends: dict[str, Backend] = {}
    for number in range(services):
        route = row(number, evenly(revisions))
        routes[route.key] = route
        for index, share in enumerate(route.split.shares):
            address = addresses[(number + index) % len(addresses)]
            backends[share.backend] = Backend(share.backend, (address,))
    return RouteTable(version, routes, backends)


def row(number: int, weights: Sequence[int]) -> Route:
    """Return the route of one Service whose revisions have these weights."""
    name = f"service-{number:05d}"
    host = HOST_PATTERN % number
    key = f"00000000-0000-4000-8000-{number:012d}/{host}"
    shares = tuple(_share(f"{name}-{index:05d}", weight) for index, weight in enumerate(weights, 1))
    return Route(
        key,
        (host, f"{name}.{NAMESPACE}.localhost"),
        Split(key, shares),
        local_hosts=tuple(
            f"{name}.{NAMESPACE}{rest}" for rest in ("", ".svc", ".svc.cluster.local")
        ),
        service=f"{NAMESPACE}/{name}",
    )


def _share(revision: str, weight: int) -> Share:
    headers = (
        ("Knative-Serving-Namespace", NAMESPACE),
        ("Knative-Serving-Revision", revision),
    )
    return Share(f"{NAMESPACE}/{revision}", weight, headers)


def evenly(count: int) -> list[int]:
    """Return `count` weights that sum to everything."""
    return [ALL // count + (1 if index < ALL % count else 0) for index in range(count)]


def percents(count: int) -> list[int]:
    """Return `count` percents that sum to 100."""
    return [100 // count + (1 if index < 100 % count else 0) for index in range(count)]


def shifted(weights: Sequence[int], by: int) -> list[int]:
    """Return the weights with some of the first one's given to the last."""
    return [weights[0] - by, *weights[1:-1], weights[-1] + by]


def with_route(old: RouteTable, version: int, route: Route) -> RouteTable:
    """Return the table with one route replaced; all other rows are the same objects."""
    return RouteTable(version, {**old.routes, route.key: route}, old.backends)

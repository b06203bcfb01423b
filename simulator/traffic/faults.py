"""Which faults each share of a route has: Faults as rows of the RouteTable. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from gateway.contract import Fault as FaultRow
from gateway.contract import HeaderRule, Route, Split
from simulator.resources.faults import Fault


def with_faults(route: Route, faults: Iterable[Fault], seed: int | None) -> Route:
    """Return the route with the faults that are about it, in the order of their names."""
    mine = [one for one in sorted(faults, key=lambda one: one.key) if _is_about(one, route)]
    if not mine:
        return route
    rules = tuple(
        HeaderRule(rule.name, rule.value, _on_split(rule.split, mine, seed)) for rule in route.rules
    )
    return replace(route, split=_on_split(route.split, mine, seed), rules=rules)


def service_of(fault: Fault) -> str:
    """Return the service that it is about, as routes name it."""
    return f"{fault.metadata.namespace}/{fault.spec.service}"


def _is_about(fault: Fault, route: Route) -> bool:
    return route.service == service_of(fault) and fault.spec.tag in ("", route.tag)


def _on_split(split: Split, faults: list[Fault], seed: int | None) -> Split:
    shares = tuple(
        replace(share, faults=tuple(_row(one, seed) for one in faults if _hits(one, share.backend)))
        for share in split.shares
    )
    return replace(split, shares=shares)


def _hits(fault: Fault, backend: str) -> bool:
    revision = fault.spec.revision
    return not revision or backend == f"{fault.metadata.namespace}/{revision}"


def _row(fault: Fault, seed: int | None) -> FaultRow:
    spec = fault.spec
    attributes = tuple(sorted(spec.attributes.items()))
    return FaultRow(fault.metadata.name, spec.type, spec.toxicity, spec.stream, attributes, seed)

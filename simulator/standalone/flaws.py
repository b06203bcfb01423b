"""What is wrong with a file of routes beyond its types: all of it, from top to bottom. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from simulator.resources.stickiness import parse_sticky
from simulator.resources.strictyaml import Flaw
from simulator.standalone.document import (
    DEFAULT_LISTEN,
    EVERY_HOST,
    GatewayDocument,
    RouteDocument,
    TargetDocument,
)
from simulator.standalone.table import (
    WHOLE,
    address_of,
    described,
    describes,
    host_name,
    splits_of,
    timeout_s,
    weight_of,
)

HOST_CHARACTERS_MAX = 253  # RFC 1035, 2.3.4, as text
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\]")
_HOST_AND_PORT = re.compile(rf"(?:{_HOST.pattern})(?::[0-9]{{1,5}})?")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[!-~\xa0-\xff]([ \t!-~\xa0-\xff]*[!-~\xa0-\xff])?")  # RFC 9110, 5.5
# What frames a message or belongs to one connection is the gateway's to write.
_GATEWAYS_OWN = frozenset(
    (
        *("connection", "content-length", "expect", "forwarded", "http2-settings", "keep-alive"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("x-forwarded-for", "x-forwarded-proto"),
    )
)
# By which names a gateway that listens there is reached, besides that one.
_ALIASES = {
    "127.0.0.1": ("localhost",),
    "::1": ("localhost",),
    "localhost": ("127.0.0.1", "::1"),
    "0.0.0.0": ("127.0.0.1", "localhost"),  # noqa: S104 (compared, not listened on)
    "::": ("127.0.0.1", "::1", "localhost"),
}


def flaws_of(document: GatewayDocument) -> Iterator[Flaw]:
    """Yield each flaw that the types let pass."""
    listen = address_of(document.listen, port_min=0)
    if listen is None:
        example = f"want ADDRESS:PORT, such as {DEFAULT_LISTEN}"
        yield Flaw("$.listen", f"`listen` is {document.listen!r}; {example}")
    if document.hash_header and (why := _why_no_header(document.hash_header)):
        yield Flaw("$.hashHeader", f"`hashHeader` is {document.hash_header!r}; {why}")
    if not document.routes:
        yield Flaw("$.routes", "`routes` is empty; name at least one host and where it leads")
    hosts: dict[str, str] = {}
    for index, route in enumerate(document.routes):
        path = f"$.routes[{index}]"
        yield from _host_flaws(route, path, hosts)
        if route.host and _HOST_AND_PORT.fullmatch(route.host) is None:
            yield Flaw(f"{path}.host", f"`host` is {route.host!r}; want a name like app.internal")
        if route.sticky:
            try:
                parse_sticky(route.sticky)
            except ValueError as error:
                yield Flaw(f"{path}.sticky", f"`sticky` is {route.sticky!r}; {error}")
        yield from _rule_flaws(route, path)
        yield from _split_flaws(route, path)
        yield from _loop_flaws(route, path, listen)


def _host_flaws(route: RouteDocument, path: str, seen: dict[str, str]) -> Iterator[Flaw]:
    if not route.hosts:
        yield Flaw(f"{path}.hosts", '`hosts` is empty; name one, or "*" for any other host')
    for index, host in enumerate(route.hosts):
        here = f"{path}.hosts[{index}]"
        if why := _why_no_host(host):
            yield Flaw(here, f"{host!r} is no host: {why}")
            continue
        first = seen.setdefault(host_name(host), here)
        if first != here:
            where = first.removeprefix("$.")
            yield Flaw(here, f"host {host!r} is in {where} already; a host has one route")


def _why_no_host(host: str) -> str:
    if host == EVERY_HOST:
        return ""
    if EVERY_HOST in host:
        return 'write whole names, or "*" alone for any other host'
    if "/" in host:
        return "write the name alone, without a scheme or a path"
    if not host.startswith("[") and ":" in host:
        return "write the name without a port; the gateway has one port for all"
    if len(host) > HOST_CHARACTERS_MAX:
        return f"it has more than {HOST_CHARACTERS_MAX} characters"
    if _HOST.fullmatch(host) is None or ".." in host:
        return "want a name like shop.example.com"
    return ""


def _rule_flaws(route: RouteDocument, path: str) -> Iterator[Flaw]:
    seen: set[tuple[str, str]] = set()
    for index, rule in enumerate(route.rules):
        here = f"{path}.rules[{index}]"
        if why := _why_no_header(rule.header):
            yield Flaw(f"{here}.header", f"`header` is {rule.header!r}; {why}")
        if _VALUE.fullmatch(rule.value) is None:
            yield Flaw(f"{here}.value", f"`value` is {rule.value!r}; {_WANT_VALUE}")
        key = (rule.header.lower(), rule.value)
        if key in seen:
            asked = f"{rule.header}: {rule.value}"
            yield Flaw(f"{here}.value", f"a rule before has {asked!r} already; remove one")
        seen.add(key)


_WANT_VALUE = "want one line of printable Latin-1, without blanks around it"


def _why_no_header(name: str) -> str:
    if _TOKEN.fullmatch(name) is None:
        return "want a header's name, such as X-Canary"
    return ""


def _split_flaws(route: RouteDocument, path: str) -> Iterator[Flaw]:
    """Yield what is wrong with the route's splits, and with what its targets are."""
    owners: dict[str, str] = {}  # who says what a target is
    for below, split in splits_of(route):
        for index, target in enumerate(split):
            if describes(target):
                owners.setdefault(target.name, f"{below}[{index}]")
    for below, split in splits_of(route):
        here = f"{path}.{below}"
        if not split:
            yield Flaw(here, "`split` is empty; name at least one target")
            continue
        names: set[str] = set()
        for index, target in enumerate(split):
            place = f"{here}[{index}]"
            if _NAME.fullmatch(target.name) is None:
                want = "want up to 63 letters, digits and -._ between them, such as v1"
                yield Flaw(f"{place}.name", f"`name` is {target.name!r}; {want}")
            if target.name in names:
                why = f"{target.name!r} is in this split already; give each target one entry"
                yield Flaw(f"{place}.name", why)
            elif owners.get(target.name, f"{below}[{index}]") == f"{below}[{index}]":
                yield from _target_flaws(target, place)
            elif describes(target):
                said = f"{owners[target.name]} says what {target.name!r} is already"
                why = f"{said}; here its name, percent and headers are enough"
                yield Flaw(place, why)
            names.add(target.name)
            yield from _header_flaws(target, place)
        yield from _percent_flaws(split, here)


def _target_flaws(target: TargetDocument, path: str) -> Iterator[Flaw]:
    """Yield what is wrong with the entry that says what a target is."""
    if not target.to:
        why = f"`to` of {target.name!r} is missing; list its processes, such as 127.0.0.1:8001"
        yield Flaw(f"{path}.to", why)
    seen: set[str] = set()
    for index, address in enumerate(target.to):
        here = f"{path}.to[{index}]"
        if address_of(address) is None:
            want = "want HOST:PORT, such as 127.0.0.1:8001"
            yield Flaw(here, f"each entry of `to` is an address, not {address!r}; {want}")
        elif address in seen:
            yield Flaw(here, f"{address} is in this list already; a process is named once")
        seen.add(address)
    whole = timeout_s(target)
    for name in ("responseStartTimeoutSeconds", "idleTimeoutSeconds"):
        value = described(target)[name]
        if isinstance(value, int | float) and value > whole:
            why = f"`{name}` is {value:g}; want no more than `timeoutSeconds`, {whole:g}"
            yield Flaw(f"{path}.{name}", why)


def _header_flaws(target: TargetDocument, path: str) -> Iterator[Flaw]:
    seen: set[str] = set()
    for name, value in target.headers.items():
        here, lower = f"{path}.headers.{name}", name.lower()
        if why := _why_no_header(name):
            yield Flaw(f"{here} key", f"{name!r} in `headers`: {why}")
        elif lower == "host":
            yield Flaw(f"{here} key", "Host is not set here, but by the route's `host`")
        elif lower in _GATEWAYS_OWN:
            yield Flaw(f"{here} key", f"{name} is the gateway's own to write; remove it")
        elif lower in seen:
            yield Flaw(f"{here} key", f"{name} is set already, in other letters; remove one")
        if _VALUE.fullmatch(value) is None:
            yield Flaw(here, f"the value of {name} is {value!r}; {_WANT_VALUE}")
        seen.add(lower)


def _percent_flaws(split: Sequence[TargetDocument], path: str) -> Iterator[Flaw]:
    if len(split) == 1 and split[0].percent is None:
        return
    total = 0
    for index, target in enumerate(split):
        here = f"{path}[{index}]"
        if target.percent is None:
            why = f"`percent` of {target.name!r} is missing; 0 is a target without requests"
            yield Flaw(here, why)
            return
        weight = weight_of(target.percent)
        if weight is None:
            why = f"`percent` is {target.percent:g}; want steps of 0.01, such as 33.33"
            yield Flaw(f"{here}.percent", why)
            return
        total += weight
    if total != WHOLE:
        # Knative's words (serving pkg/apis/serving/v1/route_validation.go).
        why = f"Traffic targets sum to {total / 100:g}, want 100"
        yield Flaw(path, f"{why}: change a `percent` of this split")


def _loop_flaws(route: RouteDocument, path: str, listen: tuple[str, int] | None) -> Iterator[Flaw]:
    """Yield each address that is the gateway's own: requests would go round and round."""
    if listen is None:
        return
    names = {listen[0], *_ALIASES.get(listen[0], ())}
    for below, split in splits_of(route):
        for index, target in enumerate(split):
            for number, address in enumerate(target.to):
                found = address_of(address)
                if found and found[1] == listen[1] and found[0].lower() in names:
                    here = f"{path}.{below}[{index}].to[{number}]"
                    yield Flaw(here, f"{address} is the gateway itself; change it, or `listen`")

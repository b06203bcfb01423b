"""Which split a request goes to: by listener, host and header; what it carries; and why."""

from __future__ import annotations

import asyncio
import re

import pytest

from gateway.contract import Backend, HeaderRule, Route, RouteTable, Share, Split
from gateway.errors import NoRoute
from gateway.router import Router
from gateway.splitting.hashing import murmur2
from tests.support.gateway import gateway, idle_worker, read_head, revision, run


def split(key: str, backend: str, headers: tuple[tuple[str, str], ...] = ()) -> Split:
    return Split(key, (Share(backend, 10_000, headers),))


def backends(**addresses: str) -> dict[str, Backend]:
    return {f"d/{name}": Backend(f"d/{name}", (at,)) for name, at in addresses.items()}


async def showing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the request's head."""
    while True:
        head = await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))


def seen(route: Route, *lines: str, host: str = "a.test") -> bytes:
    """Return the head that a revision gets from a request with these lines."""

    async def story() -> bytes:
        async with gateway() as worker, revision(showing) as one, revision(showing) as two:
            worker.router.replace(RouteTable(1, {"r": route}, backends(one=one, two=two)))
            head = "\r\n".join(["GET /x HTTP/1.1", f"Host: {host}", "Connection: close", *lines])
            return await worker.exchange(f"{head}\r\n\r\n".encode())

    return run(story())


def test_a_clusters_inside_hosts_are_answered_on_its_own_listener_only() -> None:
    router = Router(idle_worker(), 0, lambda _: None)
    row = Route("r", ("a.test",), split("r", "d/one"), local_hosts=("a.ns.svc.cluster.local",))
    router.replace(RouteTable(1, {"r": row}, {"d/one": Backend("d/one")}))
    inside = router.local_hosts.match(b"a.ns.svc.cluster.local:80")
    assert router.local_hosts.match(b"A.TEST") is inside
    assert router.hosts.match(b"a.test") is inside
    with pytest.raises(NoRoute):
        router.hosts.match(b"a.ns.svc.cluster.local")
    router.replace(RouteTable(2))
    for table in (router.hosts, router.local_hosts):
        with pytest.raises(NoRoute):
            table.match(b"a.test")


def test_a_host_that_was_asked_for_before_follows_its_new_route() -> None:
    router = Router(idle_worker(), 0, lambda _: None)
    for version, name in enumerate(("one", "two", "three")):
        row = Route(name, ("a.test",), split(name, f"d/{name}"))
        router.replace(RouteTable(version, {name: row}, {f"d/{name}": Backend(f"d/{name}")}))
        for value in (b"a.test", b"A.test:80", b"a.test."):
            assert router.hosts.match(value).split.targets[0].backend.key == f"d/{name}"


@pytest.mark.parametrize(
    ("line", "revision_name"),
    [
        ("Knative-Serving-Tag: canary", b"two"),
        ("knative-serving-tag:canary", b"two"),
        ("Knative-Serving-Tag: Canary", b"one"),
        ("Knative-Serving-Tag: other", b"one"),
        ("X: y", b"one"),
    ],
)
def test_a_header_rule_takes_exactly_its_value(line: str, revision_name: bytes) -> None:
    rule = HeaderRule("knative-serving-tag", "canary", split("r/canary", "d/two"))
    route = Route("r", ("a.test",), split("r", "d/one"), rules=(rule,))
    answer = seen(route, line, "Knary-Explain: 1")
    assert b"Knary-Revision: " + revision_name + b"\r\n" in answer


def test_a_splits_headers_take_the_place_of_the_clients() -> None:
    headers = (("X-Who", "the split"), ("Knative-Serving-Default-Route", "true"))
    route = Route("r", ("a.test",), split("r", "d/one", headers))
    answer = seen(route, "x-who: the client", "X-Who: again", "X-Whose: kept")
    assert re.findall(rb"(?i)^x-who: (.*)\r$", answer, re.MULTILINE) == [b"the split"]
    assert b"X-Whose: kept\r\n" in answer
    assert b"Knative-Serving-Default-Route: true\r\n" in answer


def test_a_routes_host_takes_the_place_of_the_clients() -> None:
    route = Route("r", ("a.test",), split("r", "d/one"), host="inside.ns.svc.cluster.local")
    answer = seen(route)
    assert b"Host: inside.ns.svc.cluster.local\r\n" in answer
    assert b"a.test" not in answer


MIDDLE = 2**31
HALVES = ((b"one", b"1"), (b"two", b"1"))


def test_an_answer_explains_itself_when_asked_to() -> None:
    shares = (Share("d/one", 7_500), Share("d/two", 2_500))
    route = Route("r", ("a.test",), Split("r", shares), service="d/hello", tag="v1")
    answer = seen(route, "Knary-Explain: 1")
    explained = re.search(rb"^Knary-Explain: (.*)\r$", answer, re.MULTILINE)
    assert explained is not None
    assert re.fullmatch(
        rb'route="d/hello"; tag=v1; rule=host; revision=(one|two); share=0\.\d+; '
        rb"splitter=stratified; turn=1; turns=own; chance=0\.\d+; queued=0\.\d{6}",
        explained[1],
    )
    assert b"Knary-" not in seen(route)
    assert b"Knary-" not in seen(route, "Knary-Explain: 0")


def test_hash_ranges_go_by_a_header_and_else_by_the_clients_address() -> None:
    shares = (Share("d/one", 5_000), Share("d/two", 5_000))

    def explained(header: str, *lines: str) -> tuple[bytes, bytes]:
        row = Split("r", shares, "hash-ranges", hash_header=header)
        answer = seen(Route("r", ("a.test",), row), *lines, "Knary-Explain: 1")
        found = re.search(rb"revision=(\w+); .*splitter=hash-ranges;.*chance=(\S+);", answer)
        assert found is not None
        return found[1], found[2]

    first, last = (b"one", b"1"), (b"two", b"1")
    assert explained("x-user", "X-User: a") == last  # 2456313694 is above the half
    assert explained("x-user", "x-user:  abc ") == first  # 324500635
    assert explained("x-user", "X-User: a", "X-User: bc") == HALVES[murmur2(b"a, bc") > MIDDLE]
    assert explained("x-user") == first  # nobody's: the empty text, whose hash is 0
    assert explained("") == HALVES[murmur2(b"127.0.0.1") > MIDDLE]

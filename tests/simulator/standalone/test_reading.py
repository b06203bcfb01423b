"""From the text of a file of routes to the workers' table, or to why not."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contract import Backend, HeaderRule, Route, Share, Split
from gateway.router import Router
from simulator.standalone.reading import Configuration, RoutesError, parse_routes
from tests.support.gateway import idle_worker

WHOLE = """\
listen: "[::1]:9000"
workers: 2
splitter: exact
seed: 7
routes:
- hosts: [Shop.Test., www.shop.test]
  host: shop.internal:80
  split:
  - name: v1
    to: [127.0.0.1:8001, 127.0.0.1:8002]
    percent: 99.5
    headers: {X-Version: one}
  - name: v2
    to: [app.internal:8003, "[::1]:8004"]
    percent: 0.5
    protocol: h2c
    timeoutSeconds: 10
    responseStartTimeoutSeconds: 2.5
    idleTimeoutSeconds: 5
    containerConcurrency: 3
  rules:
  - header: X-Canary
    value: always
    split: [{name: v2, headers: {X-Why: asked}}]
- hosts: ["*"]
  split: [{name: any, to: [127.0.0.1:8005]}]
"""


def test_a_whole_file_becomes_a_table() -> None:
    found = parse_routes(WHOLE, "routes.yaml")
    assert (found.address, found.port, found.workers) == ("::1", 9000, 2)
    split = Split(
        "shop.test",
        (
            Share("shop.test/v1", 9950, (("X-Version", "one"),)),
            Share("shop.test/v2", 50),
        ),
        "exact",
        7,
    )
    by_rule = Split(
        "shop.test?x-canary=always",
        (Share("shop.test/v2", 10_000, (("X-Why", "asked"),)),),
        "exact",
        7,
    )
    assert found.routes == {
        "shop.test": Route(
            "shop.test",
            ("shop.test", "www.shop.test"),
            split,
            rules=(HeaderRule("x-canary", "always", by_rule),),
            host="shop.internal:80",
            service="default/shop.test",
        ),
        "*": Route(
            "*", ("*",), Split("*", (Share("*/any", 10_000),), "exact", 7), service="default/*"
        ),
    }
    assert found.backends == {
        "shop.test/v1": Backend("shop.test/v1", ("127.0.0.1:8001", "127.0.0.1:8002")),
        "shop.test/v2": Backend(
            "shop.test/v2",
            ("app.internal:8003", "[::1]:8004"),
            protocol="h2c",
            timeout_s=10.0,
            response_start_s=2.5,
            idle_s=5.0,
            concurrency=3,
        ),
        "*/any": Backend("*/any", ("127.0.0.1:8005",)),
    }


def test_what_is_left_out_has_its_default() -> None:
    found = parse_routes("routes: [{hosts: [a], split: [{name: v, to: [b:1]}]}]", "f")
    assert (found.address, found.port, found.workers) == ("127.0.0.1", 8080, 1)
    assert found.routes["a"].split == Split("a", (Share("a/v", 10_000),), "stratified", None)


def test_every_file_in_the_manual_is_right() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")
    files = re.findall(r"```yaml\n(.*?)```", manual, re.DOTALL)
    assert [list(parse_routes(text, "f").routes) for text in files] == [["*"], ["shop.test", "*"]]


# Errors: each with file, line, column, field, value and the way out.

HOSTS = "routes:\n- hosts: {}\n  split: [{{name: a, to: [b:1]}}]\n"
SPLIT = "routes:\n- hosts: [a.test]\n  split: {}\n"
TARGET = "routes:\n- hosts: [a.test]\n  split:\n  - name: a\n    to: [b:1]\n    {}\n"
TO = "routes:\n- hosts: [a.test]\n  split: [{{name: a, to: {}}}]\n"
RULES = "routes:\n- hosts: [a.test]\n  split: [{{name: a, to: [b:1]}}]\n  rules: [{}]\n"
TOP = "{}\nroutes: [{{hosts: [a.test], split: [{{name: a, to: [b:1]}}]}}]\n"
TWO = "[{{name: a, to: [b:1]{}}}, {{name: b, to: [b:2]{}}}]"

ERRORS = [
    # The file.
    pytest.param("", "f.yaml: want one YAML document with `routes`, got 0", id="nothing"),
    pytest.param(
        "routes: []\n---\nroutes: []",
        "f.yaml: want one YAML document with `routes`, got 2",
        id="two documents",
    ),
    pytest.param("[]", "f.yaml:1:1: a file of routes wants a map, got a list", id="a list"),
    pytest.param("{}", "f.yaml:1:1: `routes` is missing", id="no routes"),
    pytest.param(
        "routes: []",
        "f.yaml:1:9: `routes` is empty; name at least one host and where it leads",
        id="routes empty",
    ),
    pytest.param(
        "routes: {}", "f.yaml:1:9: `routes` wants a list, got a map", id="routes of another type"
    ),
    pytest.param(
        "routes: [\n", "f.yaml:2:1: did not find expected node content", id="no YAML at all"
    ),
    pytest.param(
        "routes:\n\t- a",
        "f.yaml:2:1: found a tab; YAML is indented with spaces",
        id="a tab",
    ),
    pytest.param(
        "workers: 1\nworkers: 2", 'f.yaml:2:1: the key "workers" is already set', id="a field twice"
    ),
    pytest.param(
        "listen: &a x\nroutes: *a", "f.yaml:2:9: the alias *a is not allowed", id="an alias"
    ),
    # The top.
    pytest.param(
        TOP.format("worker: 2"),
        "f.yaml:1:1: unknown field `worker`; did you mean `workers`?",
        id="an unknown field",
    ),
    pytest.param(
        TOP.format("workers: two"),
        "f.yaml:1:10: `workers` wants a whole number, got a text ('two')",
        id="workers in words",
    ),
    pytest.param(
        TOP.format("workers: 0"), "f.yaml:1:10: `workers` is 0; want no less than 1", id="0 workers"
    ),
    pytest.param(
        TOP.format("workers: 65"),
        "f.yaml:1:10: `workers` is 65; want no more than 64",
        id="65 workers",
    ),
    pytest.param(
        TOP.format("splitter: fair"),
        "f.yaml:1:11: 'fair' is not allowed here; allowed are exact, random, stratified",
        id="an unknown splitter",
    ),
    pytest.param(
        TOP.format("seed: x"),
        "f.yaml:1:7: `seed` wants a whole number, got a text ('x')",
        id="a seed in words",
    ),
    pytest.param(
        TOP.format("listen: 8080"),
        "f.yaml:1:9: `listen` wants a text, got a whole number (8080); quote it",
        id="a port alone, as a number",
    ),
    *(
        pytest.param(
            TOP.format(f'listen: "{text}"'),
            f"f.yaml:1:9: `listen` is '{text}'; want ADDRESS:PORT, such as 127.0.0.1:8080",
            id=f"listen {text!r}",
        )
        for text in ("8080", ":8080", "127.0.0.1", "127.0.0.1:65536", "http://x:1", "::1:80", "a:b")
    ),
    # Hosts.
    pytest.param(
        HOSTS.format("[]"),
        'f.yaml:2:10: `hosts` is empty; name one, or "*" for any other host',
        id="no host",
    ),
    pytest.param(
        HOSTS.format("a.test"),
        "f.yaml:2:10: `hosts` wants a list, got a text ('a.test')",
        id="a host without a list",
    ),
    pytest.param(
        HOSTS.format("[10]"),
        "f.yaml:2:11: each entry of `hosts` wants a text, got a whole number (10); quote it",
        id="a host that is a number",
    ),
    pytest.param(
        HOSTS.format('["*.a.test"]'),
        "f.yaml:2:11: '*.a.test' is no host: write whole names, or \"*\" alone for any other host",
        id="part of a name",
    ),
    pytest.param(
        HOSTS.format('["http://a.test"]'),
        "f.yaml:2:11: 'http://a.test' is no host: write the name alone, without a scheme or a path",
        id="a URL as host",
    ),
    pytest.param(
        HOSTS.format('["a.test:80"]'),
        "f.yaml:2:11: 'a.test:80' is no host: write the name without a port; the gateway has one",
        id="a host with a port",
    ),
    *(
        pytest.param(
            HOSTS.format(f'["{text}"]'),
            f"f.yaml:2:11: '{text}' is no host: want a name like shop.example.com",
            id=f"host {text!r}",
        )
        for text in ("", ".", "a..b", "a b", "-a", "ä.test", "[a")
    ),
    pytest.param(
        HOSTS.format(f"[{'a' * 254}]"),
        f"f.yaml:2:11: '{'a' * 254}' is no host: it has more than 253 characters",
        id="a long host",
    ),
    pytest.param(
        HOSTS.format("[a.test, A.TEST.]"),
        "f.yaml:2:19: host 'A.TEST.' is in routes[0].hosts[0] already; a host has one route",
        id="a host twice",
    ),
    pytest.param(
        HOSTS.format("[a.test]") + HOSTS.format("[b.test, a.test]").removeprefix("routes:\n"),
        "f.yaml:4:19: host 'a.test' is in routes[0].hosts[0] already; a host has one route",
        id="a host of two routes",
    ),
    pytest.param(
        HOSTS.format("[a.test]") + "  host: a b\n",
        "f.yaml:4:9: `host` is 'a b'; want a name like app.internal",
        id="a rewritten host that is none",
    ),
    # Splits.
    pytest.param(
        "routes: [{hosts: [a]}]", "f.yaml:1:10: `split` is missing", id="a route without a split"
    ),
    pytest.param(
        SPLIT.format("[]"),
        "f.yaml:3:10: `split` is empty; name at least one target",
        id="an empty split",
    ),
    pytest.param(SPLIT.format("[{to: [b:1]}]"), "f.yaml:3:11: `name` is missing", id="no name"),
    *(
        pytest.param(
            SPLIT.format(f'[{{name: "{name}", to: [b:1]}}]'),
            f"f.yaml:3:18: `name` is '{name}'; want up to 63 letters, digits and -._ between them",
            id=f"name {name!r}",
        )
        for name in ("", "a/b", "-a", "a b", "a" * 64)
    ),
    pytest.param(
        SPLIT.format("[{name: a, to: [b:1], percent: 50}, {name: a, percent: 50}]"),
        "f.yaml:3:53: 'a' is in this split already; give each target one entry",
        id="a target twice in a split",
    ),
    pytest.param(
        SPLIT.format(TWO.format(", percent: 60", ", percent: 50")),
        "f.yaml:3:10: Traffic targets sum to 110, want 100: change a `percent` of this split",
        id="more than everything",
    ),
    pytest.param(
        SPLIT.format(TWO.format(", percent: 99.99", ", percent: 0")),
        "f.yaml:3:10: Traffic targets sum to 99.99, want 100",
        id="a little less than everything",
    ),
    pytest.param(
        SPLIT.format("[{name: a, to: [b:1], percent: 0}]"),
        "f.yaml:3:10: Traffic targets sum to 0, want 100",
        id="one target with nothing",
    ),
    pytest.param(
        SPLIT.format(TWO.format(", percent: 50", "")),
        "f.yaml:3:46: `percent` of 'b' is missing; 0 is a target without requests",
        id="a percent left out",
    ),
    pytest.param(
        SPLIT.format(TWO.format(", percent: 33.333", ", percent: 66.667")),
        "f.yaml:3:41: `percent` is 33.333; want steps of 0.01, such as 33.33",
        id="a finer percent",
    ),
    pytest.param(
        SPLIT.format(TWO.format(", percent: -1", ", percent: 101")),
        "f.yaml:3:41: `percent` is -1; want no less than 0",
        id="a negative percent",
    ),
    pytest.param(
        SPLIT.format(TWO.format(", percent: 101", ", percent: 0")),
        "f.yaml:3:41: `percent` is 101; want no more than 100",
        id="a percent above 100",
    ),
    pytest.param(
        SPLIT.format(TWO.format(', percent: "50"', ", percent: 50")),
        "f.yaml:3:41: `percent` wants a number, got a text ('50')",
        id="a percent in quotes",
    ),
    # Targets.
    pytest.param(
        TO.format("[]"),
        "f.yaml:3:25: `to` of 'a' is missing; list its processes, such as 127.0.0.1:8001",
        id="no process",
    ),
    pytest.param(
        SPLIT.format("[{name: a}]"),
        "f.yaml:3:11: `to` of 'a' is missing; list its processes, such as 127.0.0.1:8001",
        id="to left out",
    ),
    *(
        pytest.param(
            TO.format(f'["{text}"]'),
            f"f.yaml:3:26: each entry of `to` is an address, not '{text}'; want HOST:PORT",
            id=f"address {text!r}",
        )
        for text in ("8001", "127.0.0.1", ":1", "b:0", "b:65536", "b:x", "http://b:1", "::1:80")
    ),
    pytest.param(
        TO.format("[b:1, b:1]"),
        "f.yaml:3:31: b:1 is in this list already; a process is named once",
        id="a process twice",
    ),
    pytest.param(
        TO.format("[localhost:8080]"),
        "f.yaml:3:26: localhost:8080 is the gateway itself; change it, or `listen`",
        id="the gateway's own address by another name",
    ),
    pytest.param(
        "listen: 0.0.0.0:9\n" + TO.format("[127.0.0.1:9]"),
        "f.yaml:4:26: 127.0.0.1:9 is the gateway itself; change it, or `listen`",
        id="the gateway's own port on any address",
    ),
    pytest.param(
        TARGET.format("protocol: h2"),
        "f.yaml:6:15: 'h2' is not allowed here; allowed are h2c, http1",
        id="another protocol",
    ),
    pytest.param(
        TARGET.format("timeoutSeconds: 0"),
        "f.yaml:6:21: `timeoutSeconds` is 0; want more than 0",
        id="no time",
    ),
    pytest.param(
        TARGET.format("timeout: 5"),
        "f.yaml:6:5: unknown field `timeout`; did you mean",
        id="a field by another name",
    ),
    pytest.param(
        TARGET.format("responseStartTimeoutSeconds: 301"),
        "f.yaml:6:34: `responseStartTimeoutSeconds` is 301; want no more than `timeout",
        id="a longer wait for the start",
    ),
    pytest.param(
        TARGET.format("idleTimeoutSeconds: -1"),
        "f.yaml:6:25: `idleTimeoutSeconds` is -1; want no less than 0",
        id="a negative wait",
    ),
    pytest.param(
        TARGET.format("containerConcurrency: 1.5"),
        "f.yaml:6:27: `containerConcurrency` wants a whole number, got a number (1.5)",
        id="half a request",
    ),
    pytest.param(
        TARGET.format("containerConcurrency: 65536"),
        "f.yaml:6:27: `containerConcurrency` is 65536; want no more than 65535",
        id="too much at once",
    ),
    # Headers.
    pytest.param(
        TARGET.format("headers: {X-A: 1}"),
        "f.yaml:6:14: each value of `headers` wants a text, got a whole number; quote it",
        id="a header that is a number",
    ),
    pytest.param(
        TARGET.format('headers: {"X A": b}'),
        "f.yaml:6:15: 'X A' in `headers`: want a header's name, such as X-Canary",
        id="no header's name",
    ),
    pytest.param(
        TARGET.format("headers: {X-A: b, x-a: c}"),
        "f.yaml:6:23: x-a is set already, in other letters; remove one",
        id="a header twice",
    ),
    pytest.param(
        TARGET.format("headers: {Host: b}"),
        "f.yaml:6:15: Host is not set here, but by the route's `host`",
        id="Host as a header",
    ),
    pytest.param(
        TARGET.format("headers: {Content-Length: '1'}"),
        "f.yaml:6:15: Content-Length is the gateway's own to write; remove it",
        id="a framing header",
    ),
    *(
        pytest.param(
            TARGET.format(f"headers: {{X-A: {json.dumps(value)}}}"),
            f"f.yaml:6:20: the value of X-A is {value!r}; want one line of printable Latin-1",
            id=f"header value {value!r}",
        )
        for value in ("", "a\r\nb: c", " a", "a ", "\0", "€")
    ),
    # Rules.
    pytest.param(
        RULES.format("{header: X-A, split: [{name: a}]}"),
        "f.yaml:4:11: `value` is missing",
        id="a rule without a value",
    ),
    pytest.param(
        RULES.format("{header: 'X A', value: b, split: [{name: a}]}"),
        "f.yaml:4:20: `header` is 'X A'; want a header's name, such as X-Canary",
        id="a rule by no header",
    ),
    pytest.param(
        RULES.format("{header: X-A, value: 'b ', split: [{name: a}]}"),
        "f.yaml:4:32: `value` is 'b '; want one line of printable Latin-1",
        id="a value that is never met",
    ),
    pytest.param(
        RULES.format(
            "{header: X-A, value: b, split: [{name: a}]}, "
            "{header: x-a, value: b, split: [{name: a}]}"
        ),
        "f.yaml:4:77: a rule before has 'x-a: b' already; remove one",
        id="a rule twice",
    ),
    pytest.param(
        RULES.format("{header: X-A, value: b, split: [{name: c}]}"),
        "f.yaml:4:43: `to` of 'c' is missing; list its processes, such as 127.0.0.1:8001",
        id="a rule to a target that nobody describes",
    ),
    pytest.param(
        RULES.format("{header: X-A, value: b, split: [{name: a, to: [b:2]}]}"),
        "f.yaml:4:43: split[0] says what 'a' is already; here its name, percent and headers are",
        id="a target described twice",
    ),
    pytest.param(
        RULES.format("{header: X-A, value: b, split: []}"),
        "f.yaml:4:42: `split` is empty; name at least one target",
        id="a rule without a split",
    ),
]


@pytest.mark.parametrize(("text", "error"), ERRORS)
def test_a_flaw_is_named_with_line_column_and_the_way_out(text: str, error: str) -> None:
    with pytest.raises(RoutesError) as raised:
        parse_routes(text, "f.yaml")
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)


def test_another_process_may_have_the_gateways_port_on_another_address() -> None:
    text = "listen: 127.0.0.1:9\n" + TO.format('["[::1]:9", 10.0.0.1:9, 127.0.0.1:10]')
    assert len(parse_routes(text, "f").backends["a.test/a"].addresses) == 3


def test_several_flaws_are_told_at_once() -> None:
    with pytest.raises(RoutesError) as raised:
        parse_routes(HOSTS.format("[a:1, b/c]"), "f.yaml")
    assert [line.split(":")[2] for line in str(raised.value).splitlines()] == ["11", "16"]


def test_a_target_may_be_described_by_a_rule_and_named_by_the_split() -> None:
    found = parse_routes(
        "routes: [{hosts: [a], split: [{name: v}], rules: "
        "[{header: X, value: y, split: [{name: v, to: [b:1]}]}]}]",
        "f",
    )
    assert found.backends == {"a/v": Backend("a/v", ("b:1",))}


# Whatever is written, is what the workers get.

NAMES = st.sampled_from(["a", "b", "v1", "v2", "shop.test", "www.shop.test", "x-y"])
PORTS = st.sets(st.integers(1, 999), min_size=1, max_size=2)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)


@st.composite
def percents(draw: st.DrawFn, count: int) -> list[float]:
    """Return so many hundredths of a percent that sum to everything, as percents."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), min_size=count - 1, max_size=count - 1)))
    edges = [0, *cuts, 10_000]
    return [(b - a) / 100 for a, b in pairwise(edges)]


@st.composite
def routes(draw: st.DrawFn, host: str) -> dict[str, Any]:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    split = [
        {
            "name": name,
            "to": [f"127.0.0.1:{port}" for port in draw(PORTS)],
            "percent": percent,
            "headers": draw(st.dictionaries(NAMES.map("X-{}".format), VALUES, max_size=2)),
            "protocol": draw(st.sampled_from(["http1", "h2c"])),
            "timeoutSeconds": draw(st.integers(1, 600)),
            "containerConcurrency": draw(st.integers(0, 9)),
        }
        for name, percent in zip(names, draw(percents(len(names))), strict=True)
    ]
    values = draw(st.lists(VALUES, max_size=2, unique=True))
    rules = [
        {"header": "X-Rule", "value": value, "split": [{"name": draw(st.sampled_from(names))}]}
        for value in values
    ]
    return {"hosts": [host], "split": split, "rules": rules}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    hosts = draw(st.lists(NAMES | st.just("*"), min_size=1, max_size=2, unique=True))
    return {
        "listen": f"127.0.0.1:{draw(st.integers(1000, 65_535))}",
        "workers": draw(st.integers(1, 64)),
        "splitter": draw(st.sampled_from(["stratified", "random", "exact"])),
        "seed": draw(st.none() | st.integers(0, 9)),
        "routes": [draw(routes(host)) for host in hosts],
    }


def written(found: Configuration) -> dict[str, Any]:
    """Return the file that asks for this."""
    return {
        "listen": f"{found.address}:{found.port}",
        "workers": found.workers,
        "splitter": next(iter(found.routes.values())).split.splitter,
        "seed": next(iter(found.routes.values())).split.seed,
        "routes": [
            {
                "hosts": list(route.hosts),
                "split": [
                    {
                        "name": share.backend.partition("/")[2],
                        "to": list(found.backends[share.backend].addresses),
                        "percent": share.weight / 100,
                        "headers": dict(share.headers),
                        "protocol": found.backends[share.backend].protocol,
                        "timeoutSeconds": found.backends[share.backend].timeout_s,
                        "containerConcurrency": found.backends[share.backend].concurrency,
                    }
                    for share in route.split.shares
                ],
                "rules": [
                    {
                        "header": "X-Rule",
                        "value": rule.value,
                        "split": [{"name": rule.split.shares[0].backend.partition("/")[2]}],
                    }
                    for rule in route.rules
                ],
            }
            for route in found.routes.values()
        ],
    }


@settings(max_examples=40)
@given(documents(), st.sampled_from([json.dumps, yaml.safe_dump]))
def test_what_is_written_is_what_is_read(document: dict[str, Any], dump: Any) -> None:
    assert written(parse_routes(dump(document), "f")) == document


@settings(max_examples=40)
@given(documents(), documents())
def test_a_worker_takes_every_file_without_flaws_and_the_next_one(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    router = Router(idle_worker(), 0, lambda _: None)
    for version, document in enumerate((first, second)):
        router.replace(parse_routes(json.dumps(document), "f").table(version))
        for route in document["routes"]:
            asked = b"else.where" if route["hosts"] == ["*"] else route["hosts"][0].encode()
            assert router.hosts.match(asked).row.key == route["hosts"][0]


@given(st.text(max_size=200) | st.sampled_from([e.values[0] for e in ERRORS]))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse_routes(text, "f")
    except RoutesError as refused:
        why = str(refused)
    else:
        why = "f: it is right"
    assert why.startswith("f:")

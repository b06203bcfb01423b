"""From the text of a file of routes to the workers' table, or to why not."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contract import SPLITTERS, Backend, HeaderRule, Route, Share, Split
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


def test_each_split_of_a_sticky_route_has_a_cookie_of_its_own() -> None:
    text = """\
routes:
- hosts: [a.test]
  sticky: {sticky}
  split: [{{name: v1, to: [b:1], percent: 50}}, {{name: v2, to: [b:2], percent: 50}}]
  rules: [{{header: X-A, value: b, split: [{{name: v1}}]}}]
- hosts: [b.test]
  split: [{{name: v1, to: [b:1]}}]
"""
    for sticky, own in (("cookie", r"knary-[0-9a-f]{8}"), ("cookie=shop", "shop")):
        first, second = parse_routes(text.format(sticky=sticky), "f").routes.values()
        assert first.split.sticky == first.rules[0].split.sticky == "cookie"
        assert re.fullmatch(own, first.split.sticky_name)
        assert re.fullmatch(r"\w+-[0-9a-f]{8}", first.rules[0].split.sticky_name)
        assert first.rules[0].split.sticky_name != first.split.sticky_name
        assert (second.split.sticky, second.split.sticky_name) == ("", "")


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
# PyYAML writes 0E0 without quotes, which is a number in YAML 1.2: such a text nobody writes so.
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8).filter(
    lambda text: not re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", text)
)


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
        "splitter": draw(st.sampled_from(SPLITTERS)),
        "hashHeader": draw(st.sampled_from(["", "x-user"])),
        "seed": draw(st.none() | st.integers(0, 9)),
        "routes": [draw(routes(host)) for host in hosts],
    }


def written(found: Configuration) -> dict[str, Any]:
    """Return the file that asks for this."""
    return {
        "listen": f"{found.address}:{found.port}",
        "workers": found.workers,
        "splitter": next(iter(found.routes.values())).split.splitter,
        "hashHeader": next(iter(found.routes.values())).split.hash_header,
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


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse_routes(text, "f")
    except RoutesError as refused:
        why = str(refused)
    else:
        why = "f: it is right"
    assert why.startswith("f:")

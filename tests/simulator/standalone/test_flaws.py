"""What is wrong with a file, its hosts and its rules: file, line, column, field, value, way out."""

from __future__ import annotations

import pytest

from tests.support.routes import HOSTS, RULES, TOP, refusal

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
        "f.yaml:1:11: 'fair' is not allowed here; allowed are edf, exact, hash-ranges, random, "
        "smooth-wrr, static-stride, stratified",
        id="an unknown splitter",
    ),
    pytest.param(
        TOP.format("hashHeader: X User"),
        "f.yaml:1:13: `hashHeader` is 'X User'; want a header's name, such as X-Canary",
        id="a hashed header that is none",
    ),
    pytest.param(
        "routes: [{hosts: [a.test], sticky: ip, split: [{name: a, to: [b:1]}]}]\n",
        "f.yaml:1:36: `sticky` is 'ip'; it must be cookie, cookie=NAME, header=NAME or address",
        id="sessions by what is not offered",
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
    why = refusal(text)
    assert why.startswith(error)
    assert "\n" not in why


def test_several_flaws_are_told_at_once() -> None:
    lines = refusal(HOSTS.format("[a:1, b/c]")).splitlines()
    assert [line.split(":")[2] for line in lines] == ["11", "16"]

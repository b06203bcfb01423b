"""What is wrong with a split and its targets: file, line, column, field, value, way out."""

from __future__ import annotations

import json

import pytest

from simulator.standalone.reading import parse_routes
from tests.support.routes import SPLIT, TARGET, TO, TWO, refusal

ERRORS = [
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
]


@pytest.mark.parametrize(("text", "error"), ERRORS)
def test_a_flaw_is_named_with_line_column_and_the_way_out(text: str, error: str) -> None:
    why = refusal(text)
    assert why.startswith(error)
    assert "\n" not in why


def test_another_process_may_have_the_gateways_port_on_another_address() -> None:
    text = "listen: 127.0.0.1:9\n" + TO.format('["[::1]:9", 10.0.0.1:9, 127.0.0.1:10]')
    assert len(parse_routes(text, "f").backends["a.test/a"].addresses) == 3

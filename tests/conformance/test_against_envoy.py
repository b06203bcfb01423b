"""One RouteTable, our gateway and a real Envoy: the same requests, the same outcome.

What a revision saw and what the client got are compared; where the two differ, the reason is in
docs/differences-from-envoy.md. A difference that is not listed fails, and one that is gone too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.envoy_cases import CASES, DIFFERENCES, OVER_H2, Case, H2Case, get, post
from tests.conformance.envoy_world import H1, H2, HOST, SPLITS, answer, table
from tests.support.bothproxies import BothProxies, Outcome, both_proxies
from tests.support.envoy import MISSING, find

PAGE = Path(__file__).parents[2] / "docs" / "differences-from-envoy.md"
BINARY = find()
REQUESTS = 500  # for each split
KNOWN = {name for names in DIFFERENCES.values() for name in names}

needs_envoy = pytest.mark.skipif(BINARY is None, reason=MISSING)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothProxies]:
    folder = tmp_path_factory.mktemp("envoy")
    with both_proxies(str(BINARY), folder, answer, (H1, H2), table) as proxies:
        yield proxies


def judge(name: str, ours: Outcome, theirs: Outcome) -> None:
    if name in KNOWN:
        assert ours != theirs, "no difference any more: take it off the list"
    else:
        assert ours.asked == theirs.asked
        assert ours.answered == theirs.answered


@needs_envoy
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id[:60])
def test_both_do_the_same(both: BothProxies, case: Case) -> None:
    ours, theirs = (
        both.ask(proxy, case.raw, case.methods, case.then) for proxy in ("ours", "Envoy")
    )
    judge(case.id, ours, theirs)


@needs_envoy
@pytest.mark.parametrize("case", OVER_H2, ids=lambda case: case.id)
def test_both_do_the_same_over_http2(both: BothProxies, case: H2Case) -> None:
    ours, theirs = (
        both.ask_h2(proxy, case.head, case.body, case.trailers) for proxy in ("ours", "Envoy")
    )
    judge(f"over h2: {case.id}", ours, theirs)


@needs_envoy
@pytest.mark.parametrize("name", SPLITS)
def test_both_split_alike_and_ours_exactly(both: BothProxies, name: str) -> None:
    """Envoy flips a coin for each request; ours stays within one of its share."""
    host = f"{name}.example.com".encode()
    ours, theirs = (both.counts(proxy, host, REQUESTS) for proxy in ("ours", "Envoy"))
    for revision, percent in zip(H1, SPLITS[name], strict=True):
        wanted = REQUESTS * percent / 100
        assert abs(ours.get(revision, 0) - wanted) <= 1
        deviation = sqrt(wanted * (1 - percent / 100))
        assert abs(theirs.get(revision, 0) - wanted) <= 6 * deviation
    assert set(ours) == {each for each, percent in zip(H1, SPLITS[name], strict=True) if percent}


# Requests by chance: what is valid, and in no row of the list.

TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-!#$&'*+.^`|~", min_size=1, max_size=20)
NAMES = TOKENS.map(lambda token: f"x-{token}".encode())
VALUES = st.binary(max_size=60).map(
    lambda raw: bytes(byte for byte in raw if byte == 9 or 32 <= byte < 127 or byte > 159).strip()
)
PATHS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-._~!$&'()*+,;=:@/%?", max_size=60).map(
    lambda text: b"/" + text.encode()
)
BODIES = st.lists(st.binary(max_size=3000), max_size=5)


def chunked(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)


@needs_envoy
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=PATHS,
    headers=st.dictionaries(NAMES, VALUES, max_size=12),
    body=BODIES,
    sized=st.booleans(),
    method=st.sampled_from([b"POST", b"PUT", b"PATCH", b"DELETE", b"GET"]),
)
def test_both_do_the_same_with_requests_by_chance(
    both: BothProxies,
    path: bytes,
    headers: dict[bytes, bytes],
    body: list[bytes],
    sized: bool,
    method: bytes,
) -> None:
    lines = [b"%b: %b" % pair for pair in headers.items()]
    if sized:
        whole = b"".join(body)
        raw = post(whole, b"Content-Length: %d" % len(whole), *lines, path=path, method=method)
    else:
        framed = chunked(body) + b"0\r\n\r\n"
        raw = post(framed, b"Transfer-Encoding: chunked", *lines, path=path, method=method)
    raw += get(b"/after")  # a body that one of them reads in another way would hide this
    ours, theirs = (both.ask(proxy, raw, (method, b"GET")) for proxy in ("ours", "Envoy"))
    assert ours == theirs
    assert ours.asked[0].body == b"".join(body)
    assert ours.asked[1].host == HOST


def test_the_page_has_every_difference_and_each_is_shown() -> None:
    told = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(DIFFERENCES)
    cases = {case.id for case in CASES} | {f"over h2: {case.id}" for case in OVER_H2}
    assert cases >= KNOWN

"""What the gateway is told of an Ingress whose sessions are sticky."""

from __future__ import annotations

import re

import pytest

from gateway.contract import Split
from simulator.resources.serving import ANNOTATION_STICKY
from simulator.resources.stickiness import Stickiness, of_split, parse_sticky
from simulator.traffic.rows import TrafficSettings, routes_of
from tests.support.traffic import ingress


def split_of(name: str, asked: str) -> Split:
    one = ingress(name, {"a": 99, "b": 1}, annotations={ANNOTATION_STICKY: asked})
    (route,) = routes_of(one, one.spec.rules, TrafficSettings())
    return route.split


def test_two_services_have_two_cookies() -> None:
    names = {split_of(name, "cookie").sticky_name for name in ("hello", "world")}
    assert len(names) == 2
    assert all(re.fullmatch(r"knary-[0-9a-f]{8}", name) for name in names)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param("cookie=shop", ("cookie", "shop"), id="a name of its own"),
        pytest.param("header=X-User", ("header", "x-user"), id="a header"),
        pytest.param("address", ("address", ""), id="the client's address"),
        pytest.param("chips", ("", ""), id="nonsense in an Ingress made by hand"),
    ],
)
def test_a_split_has_the_sessions_that_its_annotation_asks_for(
    asked: str, expected: tuple[str, str]
) -> None:
    split = split_of("hello", asked)
    assert (split.sticky, split.sticky_name) == expected


def test_a_split_that_a_header_chooses_has_its_own_cookie_whatever_name_was_given() -> None:
    wanted = parse_sticky("cookie=shop")
    own, ruled = of_split(wanted, "r"), of_split(wanted, "r", "a=b")
    assert own == Stickiness("cookie", "shop")
    assert re.fullmatch(r"shop-[0-9a-f]{8}", ruled.name)
    assert of_split(wanted, "r", "a=c") != ruled

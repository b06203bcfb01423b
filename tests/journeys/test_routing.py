"""Knative's routing with real processes: inside and outside, tags by header, mapped domains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.instance import HELLO, Instance
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def knary() -> Iterator[Instance]:
    with Instance() as running:
        yield running


INSIDE = ("{}.default", "{}.default.svc", "{}.default.svc.cluster.local", "{}.default.svc.localhost")


def test_a_private_service_is_answered_inside_alone(knary: Instance) -> None:
    knary.run("service", "create", "private", "--image", HELLO, "--cluster-local")
    assert knary.run("curl", "private").out == "Hello World!\n"
    for host in (pattern.format("private") for pattern in INSIDE):
        assert knary.request(host, inside=True).text == "Hello World!\n"
        assert knary.request(host).status == 404
    assert knary.get("private").status == 404


def test_a_public_service_is_answered_inside_and_outside(knary: Instance) -> None:
    knary.run("service", "create", "public", "--image", HELLO)
    host = "public.default.example.com"
    assert knary.request(host).status == knary.request(host, inside=True).status == 200
    assert knary.request("public.default", inside=True).status == 200
    assert knary.request("public.default").status == 404


def test_a_service_that_is_hidden_and_shown_again_changes_its_address(knary: Instance) -> None:
    knary.run("service", "create", "shy", "--image", HELLO)
    knary.run("service", "update", "shy", "--cluster-local")
    eventually("hidden", lambda: knary.get("shy").status == 404)
    assert knary.request("shy.default", inside=True).status == 200
    knary.run("service", "update", "shy", "--no-cluster-local")
    eventually("shown", lambda: knary.get("shy").status == 200)

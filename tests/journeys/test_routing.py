"""Knative's routing with real processes: inside and outside, tags by header, mapped domains."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.instance import HELLO, Instance
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def knary() -> Iterator[Instance]:
    with Instance() as running:
        yield running


INSIDE = (
    "{}.default",
    "{}.default.svc",
    "{}.default.svc.cluster.local",
    "{}.default.svc.localhost",
)


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


def test_a_worker_in_anothers_place_answers_inside_too(knary: Instance) -> None:
    knary.run("service", "create", "lasting", "--image", HELLO, "--cluster-local")
    victim = knary.pid("gateway")
    os.kill(victim, signal.SIGKILL)
    eventually("another worker", lambda: knary.pids().get("gateway", [victim]) != [victim])
    assert knary.request("lasting.default", inside=True).text == "Hello World!\n"


# Tags by header --------------------------------------------------------------------------------

TAGS = ("--tag", "tagged-00001=old", "--traffic", "tagged-00001=0,@latest=100")


def configure(knary: Instance, name: str, **data: str) -> None:
    """Set keys of one of Knative's ConfigMaps, "" for what it does without."""
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "knative-serving"},
        "data": {key.replace("_", "-"): value for key, value in data.items() if value},
    }
    knary.run("apply", "-f", "-", stdin=json.dumps(document))


def test_a_header_chooses_a_tag_while_the_feature_is_on(knary: Instance) -> None:
    knary.run("service", "create", "tagged", "--image", HELLO, "--env", "TARGET=old")
    knary.run("service", "update", "tagged", "--env", "TARGET=new", *TAGS)

    def ask(tag: str) -> str:
        headers = {"Knative-Serving-Tag": tag}
        return knary.request("tagged.default.example.com", headers=headers).text

    assert ask("old") == "Hello new!\n"
    configure(knary, "config-features", tag_header_based_routing="enabled")
    eventually("the old revision by its tag", lambda: ask("old") == "Hello old!\n")
    assert ask("unknown") == "Hello new!\n"
    assert knary.get("tagged").text == "Hello new!\n"
    assert knary.get("old-tagged").text == "Hello old!\n"
    configure(knary, "config-features", tag_header_based_routing="")
    eventually("the new revision again", lambda: ask("old") == "Hello new!\n")


def test_settings_that_cannot_be_read_are_refused_and_change_nothing(knary: Instance) -> None:
    with pytest.raises(AssertionError, match=r"strconv\.ParseInt"):
        configure(knary, "config-network", rollout_duration="soon")


# Mapped domains --------------------------------------------------------------------------------


def conditions(knary: Instance, name: str, namespace: str = "default") -> dict[str, str]:
    out = knary.run("domain", "describe", name, "-n", namespace, "-o", "json").out
    found = json.loads(out).get("status", {}).get("conditions", [])
    return {one["type"]: one["status"] for one in found}


def test_a_mapped_domain_shares_the_split_of_its_service(knary: Instance) -> None:
    shop = "www.shop.test"
    knary.run("service", "create", "shop", "--image", HELLO, "--env", "TARGET=one")
    knary.run(
        *("service", "update", "shop", "--env", "TARGET=two"),
        *("--traffic", "shop-00001=50,@latest=50"),
    )
    made = knary.run("domain", "create", shop, "--ref", "shop")
    assert made.out == f"Domain mapping '{shop}' created in namespace 'default'.\n"
    assert f"knary domain claim {shop}" in made.err
    eventually("a refusal", lambda: conditions(knary, shop).get("DomainClaimed") == "False")
    assert knary.request(shop).status == 404
    knary.run("domain", "claim", shop)
    eventually("ready", lambda: conditions(knary, shop).get("Ready") == "True")
    # One split for both hosts: of twenty requests in turn each revision gets ten.
    hosts = [shop, "shop.default.example.com"] * 10
    texts = [knary.request(host).text for host in hosts]
    assert abs(texts.count("Hello one!\n") - 10) <= 1
    assert knary.run("domain", "list").out.split()[4:] == [shop, f"http://{shop}", "True", "shop"]
    knary.run("domain", "delete", shop)
    eventually("nobody there", lambda: knary.request(shop).status == 404)
    assert knary.get("shop").status == 200


def test_a_domain_leads_to_a_private_service_and_to_another_one_later(knary: Instance) -> None:
    configure(knary, "config-network", autocreate_cluster_domain_claims="true")
    for name in ("inner", "other"):
        knary.run(
            *("service", "create", name, "--image", HELLO),
            *("--env", f"TARGET={name}", "--cluster-local"),
        )
    made = knary.run("domain", "create", "in.test", "--ref", "ksvc:inner")
    assert made.err == ""
    eventually("the first", lambda: knary.request("in.test").text == "Hello inner!\n")
    knary.run("domain", "update", "in.test", "--ref", "kroute:other")
    eventually("the second", lambda: knary.request("in.test").text == "Hello other!\n")
    knary.run("domain", "delete", "in.test")
    gone = ("get", "clusterdomainclaim", "in.test")
    eventually("no claim left", lambda: knary.run(*gone, check=False).status == 1)
    configure(knary, "config-network")


def test_a_domain_belongs_to_the_namespace_that_claimed_it(knary: Instance) -> None:
    for namespace in ("one", "two"):
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        knary.run("apply", "-f", "-", stdin=json.dumps(document))
        create = ("service", "create", "hello", "--image", HELLO, "-n", namespace)
        knary.run(*create, "--env", f"TARGET={namespace}")
    knary.run("domain", "claim", "both.test", "-n", "two")
    first = knary.run("domain", "create", "both.test", "--ref", "hello", "-n", "one")
    assert "is claimed for namespace 'two'" in first.err
    knary.run("domain", "create", "both.test", "--ref", "hello", "-n", "two")
    eventually("the owner", lambda: knary.request("both.test").text == "Hello two!\n")
    eventually("a refusal", lambda: conditions(knary, "both.test", "one").get("Ready") == "False")
    assert "DomainAlreadyClaimed" in knary.run("domain", "describe", "both.test", "-n", "one").out

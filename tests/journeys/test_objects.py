"""The objects around services with real processes: digests that hold, old revisions, namespaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import HELLO, Instance
from tests.support.waiting import eventually

IMAGE = "example.com/said:1"


@pytest.fixture(scope="module")
def knary() -> Iterator[Instance]:
    with Instance() as running:
        say(running.paths.images, "first")
        yield running


def say(images: Path, word: str) -> None:
    """Let the tag stand for an app that says this word."""
    images.write_text(f"- {{image: '{IMAGE}', app: helloworld-go, env: {{TARGET: {word}}}}}\n")


def found(knary: Instance, *words: str) -> Any:
    return json.loads(knary.run("get", *words, "-o", "json").out)


def digest(knary: Instance, revision: str) -> str:
    (status,) = found(knary, "revision", revision)["status"]["containerStatuses"]
    text: str = status["imageDigest"]
    return text


def test_a_revision_keeps_the_program_that_its_digest_stands_for(knary: Instance) -> None:
    knary.run("service", "create", "said", "--image", IMAGE)
    assert knary.get("said").text == "Hello first!\n"
    first = digest(knary, "said-00001")
    assert first.startswith("example.com/said@sha256:")

    say(knary.paths.images, "second")
    (pod,) = found(knary, "pods", "-l", "serving.knative.dev/service=said")["items"]
    assert [one["imageID"] for one in pod["status"]["containerStatuses"]] == [first]
    knary.run("delete", "pod", pod["metadata"]["name"])
    eventually("another replica", lambda: knary.get("said").text == "Hello first!\n")

    # What kn's update does: it names the digest of the last revision.
    knary.run("service", "update", "said", "--image", first, "--env", "X=1")
    assert digest(knary, "said-00002") == first
    assert knary.get("said").text == "Hello first!\n"

    knary.run("service", "update", "said", "--image", IMAGE)
    assert digest(knary, "said-00003") not in ("", first)
    assert knary.get("said").text == "Hello second!\n"


def test_a_digest_is_known_after_a_restart(knary: Instance) -> None:
    first = digest(knary, "said-00001")
    knary.stop()
    say(knary.paths.images, "third")
    knary.start()
    knary.run("service", "update", "said", "--image", first, "--env", "X=2")
    assert knary.get("said").text == "Hello first!\n"
    assert digest(knary, "said-00004") == first


def test_old_revisions_go_when_the_operator_says_so(knary: Instance) -> None:
    knary.run("service", "create", "aged", "--image", HELLO)
    for number in range(3):
        knary.run("service", "update", "aged", "--env", f"N={number}")

    def revisions() -> list[str]:
        items = found(knary, "revisions", "-l", "serving.knative.dev/service=aged")["items"]
        return [one["metadata"]["name"] for one in items]

    assert len(revisions()) == 4
    few = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "config-gc", "namespace": "knative-serving"},
        "data": {"min-non-active-revisions": "1", "max-non-active-revisions": "1"},
    }
    knary.run("apply", "-f", "-", stdin=json.dumps(few))
    eventually("two left", lambda: revisions() == ["aged-00003", "aged-00004"])
    assert knary.get("aged").status == 200


def test_a_slip_in_the_image_map_is_heard_of_at_once(knary: Instance) -> None:
    before = knary.paths.images.read_text()
    knary.paths.images.write_text("- {image: 'example.com/said:1', comand: [x]}\n")
    known = "image, command, app, workdir, env, network, reach"
    told = f"{knary.paths.images}: entry 1: unknown field 'comand'; known are {known}"

    def events() -> list[str]:
        items = found(knary, "events")["items"]
        return [one["message"] for one in items if one["reason"] == "InvalidImageMap"]

    eventually("the Event", lambda: events() == [f"{told}; the rules read before stay in force"])
    assert told in knary.log
    assert f"ERROR: {told}; the rules" in knary.run("status").out
    listed = knary.run("images", check=False)
    assert (listed.status, listed.err.splitlines()[0].startswith(f"Error: {told}")) == (1, True)
    knary.paths.images.write_text(before)
    eventually("all is well", lambda: "ERROR" not in knary.run("status").out)


OPERATORS = [
    ("config-domain", {"moved.example.org": ""}),
    ("config-autoscaler", {"min-scale": "2"}),
    ("config-defaults", {"container-concurrency": "7"}),
    ("config-logging", {"loglevel.controller": "debug"}),
]


def test_an_operators_setting_is_in_force_when_the_command_returns() -> None:
    items = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "knative-serving"},
            "data": data,
        }
        for name, data in OPERATORS
    ]
    maps = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    with Instance() as own:
        names = [f"moved-{number}" for number in range(4)]
        for name in names:
            own.run("service", "create", name, "--image", HELLO)
        told = own.run("apply", "-f", "-", stdin=maps).out.splitlines()
        assert told[len(items) :] == [
            "configmap/config-domain is in force",
            "configmap/config-autoscaler is in force",
            "configmap/config-defaults counts for what is written from now on",
            "configmap/config-logging changes nothing here (docs/configuration.md)",
        ]
        for name in names:
            assert own.request(f"{name}.default.moved.example.org").status == 200
            assert found(own, "revision", f"{name}-00001")["status"]["actualReplicas"] == 2
        again = own.run("apply", "-f", "-", "--no-wait", stdin=maps).out.splitlines()
        assert again == [f"configmap/{name} unchanged" for name, _ in OPERATORS]


def test_a_deployment_and_the_addresses_of_a_revision_are_true(knary: Instance) -> None:
    def is_true() -> bool:
        status = found(knary, "deployment", "aged-00004-deployment")["status"]
        subsets = found(knary, "endpoints", "aged-00004").get("subsets", [])
        counts = (status.get("readyReplicas"), status.get("availableReplicas"))
        return counts == (1, 1) and len(subsets) == 1

    eventually("a deployment that is available", is_true)
    services = found(knary, "svc")["items"]
    names = {one["metadata"]["name"] for one in services}
    assert {"aged", "aged-00004", "aged-00004-private", "said"} <= names


def test_a_namespace_goes_with_all_that_it_contains(knary: Instance) -> None:
    team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    knary.run("apply", "-f", "-", stdin=json.dumps(team))
    account = {"name": "default", "namespace": "team"}
    eventually(
        "its account",
        lambda: any(
            account.items() <= one["metadata"].items()
            for one in found(knary, "sa", "-n", "team")["items"]
        ),
    )
    knary.run("service", "create", "there", "--image", HELLO, "-n", "team")
    assert knary.get("there", namespace="team").status == 200
    knary.run("delete", "namespace", "team")

    def is_gone() -> bool:
        names = [one["metadata"]["name"] for one in found(knary, "namespaces")["items"]]
        return "team" not in names

    eventually("it is gone", is_gone)
    assert knary.get("there", namespace="team").status == 404

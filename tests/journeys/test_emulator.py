"""`knary.Emulator` as a test uses it: real processes, real requests, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import knary
from simulator.instance.lock import is_alive
from tests.support.emulated import service, two_revisions
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def one() -> Iterator[knary.Emulator]:
    with knary.Emulator(seed=7) as emulator:
        yield emulator


@pytest.fixture
def emulator(one: knary.Emulator) -> knary.Emulator:
    one.reset()
    return one


def kinds_there(emulator: knary.Emulator) -> list[str]:
    kinds = (
        "ksvc",
        "configurations",
        "revisions",
        "routes",
        "ingresses.networking.internal.knative.dev",
    )
    found = [(kind, emulator.objects(kind)) for kind in (*kinds, "services", "pods")]
    return [f"{kind} {each['metadata']['name']}" for kind, listed in found for each in listed]


# Objects and requests --------------------------------------------------------------------------


def test_a_canary_release(emulator: knary.Emulator) -> None:
    (made,) = emulator.apply(service("one"))
    assert made["status"]["latestReadyRevisionName"] == "hello-00001"
    answer = emulator.request("hello")
    assert (answer.status, answer.text, answer.revision) == (200, "Hello one!\n", "hello-00001")
    emulator.apply(service("two"))
    assert emulator.request("hello").text == "Hello two!\n"
    emulator.traffic("hello", {"00001": 90, "@latest": 10}, tags={"candidate": "00002"})
    report = emulator.assert_split("hello", {"00001": 90, "@latest": 10})
    assert report.counts == {"hello-00001": 90, "hello-00002": 10}
    assert emulator.request("hello", tag="candidate").revision == "hello-00002"
    assert emulator.rollback("hello") == "hello-00001"
    emulator.assert_split("hello", {"hello-00001": 100})
    assert emulator.request("hello", tag="candidate").revision == "hello-00002"
    assert emulator.revisions("hello") == ["hello-00001", "hello-00002"]
    assert "helloworld: starting server" in emulator.logs("hello")
    assert "Created" in {event["reason"] for event in emulator.events()}


def test_a_wrong_split_is_told_whatever_the_splitter(emulator: knary.Emulator) -> None:
    two_revisions(emulator, r00001=50, r00002=50)
    with pytest.raises(knary.SplitError, match="hello-0000"):
        emulator.assert_split("hello", {"00001": 90, "00002": 10})
    with pytest.raises(knary.SplitError, match="none"):
        emulator.assert_split("hello", {"00001": 100, "00002": 0})
    emulator.apply(service("two", **{"knary.dev/splitter": "random"}))
    report = emulator.assert_split("hello", {"00001": 50, "00002": 50})
    assert report.method == "sequential test"
    with pytest.raises(knary.SplitError, match="want 90 %"):
        emulator.assert_split("hello", {"00001": 90, "00002": 10})
    with pytest.raises(knary.TooFewRequests):
        emulator.assert_split("hello", {"00001": 50, "00002": 50}, requests=5)


def test_requests_of_every_kind(emulator: knary.Emulator) -> None:
    emulator.apply(service("one"))
    answer = emulator.request("hello", "/a?b=c", method="POST", headers={"X-A": "1"}, body="x=y")
    assert answer.status == 200
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.explanation["rule"] == "host"
    assert emulator.host("hello") == "hello.default.example.com"
    assert (
        emulator.url("hello")
        == f"http://hello.default.localhost:{emulator.gateway.rsplit(':')[-1]}"
    )
    emulator.apply(
        {
            **service("in"),
            "metadata": {
                "name": "in",
                "labels": {"networking.knative.dev/visibility": "cluster-local"},
            },
        }
    )
    assert emulator.host("in") == "in.default.svc.cluster.local"
    assert emulator.request("in").text == "Hello in!\n"


def test_a_fault_is_done_until_it_is_healed_or_everything_is_reset(
    emulator: knary.Emulator,
) -> None:
    emulator.apply(service("one"))
    name = emulator.fault("hello", "abort", status=503)
    assert emulator.request("hello").status == 503
    emulator.heal(name)
    assert emulator.request("hello").status == 200
    emulator.fault("hello", "abort", status=500, name="again")
    emulator.reset()
    assert emulator.objects("faults") == []
    emulator.apply(service("one"))
    assert emulator.request("hello").status == 200


def test_a_setting_is_in_force_when_it_is_applied(emulator: knary.Emulator) -> None:
    emulator.apply(service("one"))
    assert emulator.host("hello") == "hello.default.example.com"
    emulator.apply(setting("config-domain", {"shop.example": ""}))
    assert emulator.host("hello") == "hello.default.shop.example"
    assert emulator.request("hello").text == "Hello one!\n"


def setting(name: str, data: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "knative-serving"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_what_is_refused_says_why(emulator: knary.Emulator) -> None:
    with pytest.raises(knary.ApiRefused, match="not found") as missing:
        emulator.get("ksvc", "nobody")
    assert (missing.value.code, missing.value.reason) == (404, "NotFound")
    emulator.apply(service("one"))
    with pytest.raises(knary.ApiRefused, match="sum to 101, want 100"):
        emulator.traffic("hello", {"00001": 101})
    with pytest.raises(knary.EmulatorError, match="no kind called 'gadget'"):
        emulator.get("gadget", "x")
    with pytest.raises(knary.EmulatorError, match="no kind 'Gadget'"):
        emulator.apply({"apiVersion": "v1", "kind": "Gadget", "metadata": {"name": "x"}})
    with pytest.raises(knary.EmulatorError, match="no older ready revision"):
        emulator.rollback("hello")


def test_what_is_never_ready_says_why(emulator: knary.Emulator) -> None:
    broken = service("one")
    broken["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/nobody:1"
    with pytest.raises(knary.NotReady, match="nobody"):
        emulator.apply(broken)
    assert emulator.apply(service("two", "fine"), wait=False)[0]["metadata"]["name"] == "fine"
    with pytest.raises(knary.WaitTimedOut, match="not Ready after 0 s"):
        emulator.apply({**service("slow", "slow")}, timeout_s=0)


def test_programs_find_it_by_their_environment(emulator: knary.Emulator) -> None:
    emulator.apply(service("one"))
    command = [sys.executable, "-P", "-m", "knary", "get", "ksvc"]
    found = subprocess.run(
        command, env={**os.environ, **emulator.env}, capture_output=True, text=True, check=True
    )
    assert "hello" in found.stdout
    assert emulator.env["KUBECONFIG"] == str(emulator.kubeconfig)
    assert emulator.env["KNARY_GATEWAY"] == emulator.gateway
    assert emulator.status["schema"] == 1


# Reset, seed, baseline, snapshot ---------------------------------------------------------------


def test_after_a_reset_nothing_is_left_and_every_name_is_free(emulator: knary.Emulator) -> None:
    before = emulator.snapshot()["objects"]
    pods = []
    for _ in range(3):
        two_revisions(emulator, r00001=50, r00002=50)
        emulator.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}})
        emulator.apply(service("there"), namespace="mine")
        emulator.apply(setting("config-defaults", {"revision-timeout-seconds": "7"}))
        pods += [replica["pid"] for replica in emulator.status["replicas"]]
        emulator.reset()
        assert emulator.request("hello").status == 404
        assert kinds_there(emulator) == []
        with pytest.raises(knary.ApiRefused, match='namespaces "mine" not found'):
            emulator.get("namespace", "mine")
    assert names(emulator.snapshot()["objects"]) == names(before)
    found = emulator.get("configmap", "config-defaults", namespace="knative-serving")
    assert "revision-timeout-seconds" not in found["data"]
    eventually("the end of all replicas", lambda: not any(map(is_alive, pods)))


def names(objects: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
        for one in objects
    }


def test_a_reset_in_the_middle_of_changes_leaves_nothing_either(emulator: knary.Emulator) -> None:
    for number in range(8):
        for name in ("a", "b", "c"):
            emulator.apply(service(str(number), name), wait=number % 2 == 0)
        if number % 4 > 1:
            emulator.delete("ksvc", "a")
        emulator.reset()
        assert kinds_there(emulator) == []
    # Nor does who was planning at that moment write later.
    emulator.apply(service("last"))
    emulator.delete("ksvc", "hello")
    eventually("the end of the last one", lambda: kinds_there(emulator) == [])


def test_every_test_sees_the_same_turns(emulator: knary.Emulator) -> None:
    def dealt() -> str:
        two_revisions(emulator, r00001=50, r00002=50)
        return "".join(emulator.request("hello").revision[-1] for _ in range(30))

    first = dealt()
    emulator.reset()
    assert dealt() == first
    emulator.reset(seed=8)
    other = dealt()
    assert other != first
    emulator.seed(8)
    assert "".join(emulator.request("hello").revision[-1] for _ in range(30)) == other
    emulator.reset()
    assert dealt() == first


def test_a_baseline_is_what_a_reset_leads_back_to(emulator: knary.Emulator) -> None:
    two_revisions(emulator, r00001=50, r00002=50)
    emulator.baseline()
    try:
        turns = [emulator.request("hello").explanation["turn"] for _ in range(3)]
        emulator.apply(service("three"))
        emulator.apply(service("other", "other"))
        emulator.traffic("hello", {"00003": 100})
        emulator.reset()
        assert emulator.revisions("hello") == ["hello-00001", "hello-00002"]
        assert emulator.request("other").status == 404
        emulator.reset()
        # What was as it is now went on running; its splits begin anew all the same.
        assert [emulator.request("hello").explanation["turn"] for _ in range(3)] == turns
        assert turns == ["1", "2", "3"]
        emulator.assert_split("hello", {"00001": 50, "00002": 50})
        replicas = pods(emulator)
        emulator.reset()
        assert pods(emulator) == replicas
        kill_control_plane(emulator)
        emulator.apply(service("three"))
        emulator.reset()
        assert emulator.revisions("hello") == ["hello-00001", "hello-00002"]
    finally:
        emulator.delete("ksvc", "hello")
        eventually("the end of the service", lambda: kinds_there(emulator) == [])
        emulator.baseline()


def pods(emulator: knary.Emulator) -> set[str]:
    return {one["pod"] for one in emulator.status["replicas"] if one["ready"]}


def kill_control_plane(emulator: knary.Emulator) -> None:
    before = emulator.status["controlPlane"]["pid"]
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        try:
            return bool(emulator.status["controlPlane"]["pid"] != before)
        except knary.EmulatorError:
            return False

    eventually("another control plane", is_back)


def test_a_snapshot_brings_back_revisions_by_their_names(
    emulator: knary.Emulator, tmp_path: Path
) -> None:
    two_revisions(emulator, r00001=25, r00002=75)
    state = emulator.snapshot()
    emulator.reset()
    for where in (state, tmp_path / "state.json"):
        if isinstance(where, Path):
            where.write_text(json.dumps(state))
        emulator.restore(where)
        emulator.assert_split("hello", {"00001": 25, "00002": 75})
        emulator.apply(service("three"))
        assert emulator.revisions("hello")[-1] == "hello-00003"
        emulator.delete("ksvc", "hello")
    with pytest.raises(knary.ApiRefused, match="schema"):
        emulator.restore({**state, "schema": 99})


def test_a_restore_in_the_middle_of_a_deletion_brings_all_of_it_back(
    emulator: knary.Emulator,
) -> None:
    two_revisions(emulator, r00001=25, r00002=75)
    state = emulator.snapshot()
    ingress = "ingresses.networking.internal.knative.dev"
    uid = emulator.get(ingress, "hello")["metadata"]["uid"]
    for _ in range(10):
        emulator.delete("ksvc", "hello")
        emulator.restore(state)
        # Neither its collector nor who would make it anew has the last word.
        assert emulator.get(ingress, "hello")["metadata"]["uid"] == uid
        assert emulator.request("hello").status == 200


# Its life --------------------------------------------------------------------------------------

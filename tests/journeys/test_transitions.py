"""The order of transitions with real processes: every frame of real watches keeps the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.resources.scheme import BY_TYPE
from simulator.resources.serving import Configuration, Revision, Route, Service
from tests.support.frames_told import Frame, assert_lawful, in_order
from tests.support.instance import HELLO, Instance
from tests.support.waiting import eventually

GROUP = "/apis/serving.knative.dev/v1/namespaces/default"
KINDS = (Service, Configuration, Route, Revision)
OUT_OF_DATE = ("Unknown", "OutOfDate")


def frames_since(knary: Instance, version: str, plural: str) -> Iterator[Frame]:
    """Yield the frames of a kind's watch from a version on, until all its objects are gone."""
    with knary.api() as api, api.watch(f"{GROUP}/{plural}", {"resourceVersion": version}) as watch:
        alive: set[str] = set()
        for frame in watch:
            yield frame
            name = frame["object"]["metadata"]["name"]
            alive = alive - {name} if frame["type"] == "DELETED" else alive | {name}
            if not alive:
                return


def readiness(obj: dict[str, Any]) -> tuple[str, str]:
    (ready,) = [one for one in obj["status"]["conditions"] if one["type"] == "Ready"]
    return ready["status"], ready.get("reason", "")


def told_of_generations(frames: list[Frame]) -> dict[int, list[tuple[str, str]]]:
    """Return what Ready said, frame by frame, while the Service was observed at each generation."""
    told: dict[int, list[tuple[str, str]]] = {}
    for frame in frames:
        obj = frame["object"]
        if frame["type"] == "MODIFIED" and "deletionTimestamp" not in obj["metadata"]:
            observed = obj.get("status", {}).get("observedGeneration")
            if observed == obj["metadata"]["generation"]:
                told.setdefault(observed, []).append(readiness(obj))
    return told


def test_of_each_generation_the_first_word_is_out_of_date_and_the_last_one_is_true() -> None:
    with Instance() as knary:
        with knary.api() as api:
            version = api.list(BY_TYPE[Service], "default")["metadata"]["resourceVersion"]
        knary.run("service", "create", "hello", "--image", HELLO)
        knary.run("service", "update", "hello", "--env", "TARGET=Knative")
        both = "hello-00001=50,hello-00002=50"
        knary.run("service", "update", "hello", "--traffic", both)
        missing = ("--image", "nowhere.example/app:1", "--no-wait")
        knary.run("service", "update", "hello", *missing)
        eventually("False", lambda: "RevisionFailed" in knary.run("get", "ksvc", "hello").out)
        knary.run("service", "delete", "hello", "--wait")
        eventually("gone", lambda: "hello" not in knary.run("get", "revision").out)
        seen = {kind: list(frames_since(knary, version, BY_TYPE[kind].plural)) for kind in KINDS}
    assert_lawful(in_order(frame for frames in seen.values() for frame in frames))
    told = told_of_generations(seen[Service])
    assert {generation: states[0] for generation, states in told.items()} == dict.fromkeys(
        (1, 2, 3, 4), OUT_OF_DATE
    )
    assert {generation: states[-1] for generation, states in told.items()} == {
        1: ("True", ""),
        2: ("True", ""),
        3: ("True", ""),
        4: ("False", "RevisionFailed"),
    }
    # Once it is Ready at a generation, it stays so until the next one.
    for states in told.values():
        first = states.index(states[-1])
        assert set(states[first:]) == {states[-1]}

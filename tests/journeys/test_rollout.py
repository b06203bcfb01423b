"""A gradual rollout as a user has it: real processes, requests all the time, a ramp of seconds."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise

from simulator.access.resource import resource_path
from simulator.access.waiting import is_ready
from simulator.cli.kinds import SERVICE
from tests.support.instance import HELLO, Instance, RunningLoad
from tests.support.waiting import eventually

WORLD, KNATIVE = "Hello World!\n", "Hello Knative!\n"
OLD, NEW = "helloworld-go-00001", "helloworld-go-00002"
DURATION = "serving.knative.dev/rollout-duration"
UPDATE = ("service", "update", "helloworld-go", "--env", "TARGET=Knative", "--no-wait")
WITHIN_S = 20.0


def percent_of(service: dict[str, object], name: str) -> int:
    """Return what a revision gets of the requests, as the Service reports it."""
    traffic = service["status"]["traffic"]  # type: ignore[index]
    return sum(each["percent"] for each in traffic if each["revisionName"] == name)


def follow(knary: Instance, version: str, load: RunningLoad) -> list[tuple[int, str, int]]:
    """Follow the Service until it is Ready with the new revision.

    Return each percent that it reported for it, with Ready's reason and how many answers the load
    had by then.
    """
    seen: list[tuple[int, str, int]] = []
    query = {"fieldSelector": "metadata.name=helloworld-go", "resourceVersion": version}
    path = resource_path(SERVICE, "default")
    with knary.api() as client, client.watch(path, query, WITHIN_S) as watch:
        for event in watch:
            service = event["object"]
            percent = percent_of(service, NEW)
            conditions = {each["type"]: each for each in service["status"]["conditions"]}
            if percent and (not seen or seen[-1][0] != percent):
                seen.append((percent, conditions["Ready"].get("reason", ""), len(load.answers)))
            if percent == 100 and is_ready(service):
                return seen
    raise AssertionError(f"not over within {WITHIN_S} s: {seen}")


def test_a_new_revision_gets_its_traffic_step_by_step_and_no_request_fails() -> None:
    with Instance("--workers", "1") as knary:
        # Of 4 s one goes for the first percent; the others are a step each.
        annotation = ("--annotation-service", f"{DURATION}=4s")
        knary.run("service", "create", "helloworld-go", "--image", HELLO, *annotation)
        created = json.loads(knary.run("get", "ksvc", "helloworld-go", "-o", "json").out)
        assert percent_of(created, OLD) == 100
        with knary.load("helloworld-go") as load:
            knary.run(*UPDATE)
            seen = follow(knary, created["metadata"]["resourceVersion"], load)
            texts = knary.texts("helloworld-go", 100)
        assert load.failures == []
        assert Counter(texts) == {KNATIVE: 100}
        assert [percent for percent, _, _ in seen] == [1, 34, 67, 100]
        assert {reason for _, reason, _ in seen[:-1]} == {"RolloutInProgress"}
        for (percent, _, begin), (_, _, end) in pairwise(seen):
            answers = Counter(answer.text for answer in load.answers[begin:end])
            got = 100 * answers[KNATIVE.strip()] / answers.total()
            assert abs(got - percent) < 15, f"{answers} at {percent} %"
        eventually("the old replica's end", lambda: len(knary.pids()["replica"]) == 1)


def test_progress_is_told_and_a_rollback_in_the_middle_is_complete_at_once() -> None:
    with Instance("--workers", "1") as knary:
        knary.run("service", "create", "helloworld-go", "--image", HELLO)
        knary.run(*UPDATE, "--annotation", f"{DURATION}=60s")

        def told() -> str:
            return knary.run("service", "describe", "helloworld-go").out

        progress = rf"Rollout: +{NEW} has \d+% of 100%; 2% more every 1s, about \d+s to go\n"
        eventually("the pace", lambda: re.search(progress, told()))
        assert "RolloutInProgress" in told()
        assert re.search(progress, knary.run("route", "describe", "helloworld-go").out)
        assert re.search(rf"{OLD}=\d+,{NEW}=\d+", knary.run("route", "list").out)
        assert len(knary.pids()["replica"]) == 2
        with knary.load("helloworld-go") as load:
            knary.run("rollback", "helloworld-go", "--to", OLD)
            assert Counter(knary.texts("helloworld-go", 100)) == {WORLD: 100}
        assert load.failures == []
        assert "Rollout:" not in told()

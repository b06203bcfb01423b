"""kn's rule for Ready, with the time in the test's hands."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.access.errors import NotReady, WaitTimedOut
from simulator.access.resource import Named
from simulator.access.waiting import ReadyWait, Terms, current_condition, is_ready


def service(status: str, generation: int = 2, observed: int | None = 2) -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, "reason": "Why", "message": "because"}
    return {
        "metadata": {"name": "a", "generation": generation},
        "status": {"observedGeneration": observed, "conditions": [condition]},
    }


def waiting(timeout_s: float = 10.0, window_s: float = 2.0) -> ReadyWait:
    return ReadyWait("service", Named("default", "a"), Terms(timeout_s, window_s), now=100.0)


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        pytest.param(service("True"), True, id="True for this generation"),
        pytest.param(service("True", observed=1), False, id="True for the one before"),
        pytest.param(service("True", observed=None), False, id="nothing observed yet"),
        pytest.param(service("Unknown"), False, id="Unknown"),
        pytest.param({"metadata": {"name": "a", "generation": 1}}, False, id="no status yet"),
        pytest.param(
            {"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
            True,
            id="a kind without generations",
        ),
    ],
)
def test_ready_counts_for_the_present_generation(found: dict[str, Any], ready: bool) -> None:
    assert is_ready(found) is ready


ASKED, GIVEN = {"knary.dev/splitter": "random"}, {"knary.dev/splitter": "exact"}
FINER = {"knary.dev/traffic-percent": "a-1=99.9,@latest=0.1"}
REFUSED = {"knary.dev/traffic-percent-ignored": "a-1=99.9,@latest=0.1"}
SPLITTERS = [
    pytest.param("Service", ASKED, ASKED, True, id="the gateway has it"),
    pytest.param("Service", ASKED, GIVEN, False, id="the gateway has another"),
    pytest.param("Route", ASKED, None, False, id="the gateway has none"),
    pytest.param("Service", None, GIVEN, False, id="none is asked for any more"),
    pytest.param("Service", {"team": "a"}, {}, True, id="other annotations do not count"),
    pytest.param("Service", FINER, ASKED, False, id="the gateway has another annotation"),
    pytest.param("Service", FINER, REFUSED, True, id="the gateway was told to ignore it"),
    pytest.param("Service", ASKED, REFUSED, False, id="it ignores another"),
    pytest.param("Configuration", ASKED, None, True, id="a kind that splits nothing"),
]


@pytest.mark.parametrize(("kind", "asked", "given", "ready"), SPLITTERS)
def test_annotations_that_were_asked_for_must_be_in_force(
    kind: str, asked: dict[str, str] | None, given: dict[str, str] | None, ready: bool
) -> None:
    found = {"kind": kind, **service("True")}
    found["metadata"]["annotations"] = asked
    found["status"]["annotations"] = given
    assert is_ready(found) is ready


def test_a_cluster_is_not_asked_for_annotations_that_it_does_not_know() -> None:
    found = {"kind": "Service", **service("True")}
    found["metadata"]["annotations"] = ASKED
    assert not waiting().is_over(found)
    terms = Terms(10.0, is_knarys=False)
    there = ReadyWait("service", Named("default", "a"), terms, now=100.0)
    assert there.is_over(found)
    assert not there.is_over({"kind": "Service", **service("True", observed=1)})


def test_a_condition_of_another_generation_is_none() -> None:
    assert current_condition(service("False", observed=1)) is None


def test_false_must_last() -> None:
    wait = waiting()
    assert wait.saw(service("False"), 101.0) == "because"
    assert wait.left_s(101.5) == 1.5
    wait.check(102.9)
    with pytest.raises(NotReady, match=r"^Why: because$"):
        wait.check(103.0)


def test_false_is_forgotten_when_it_is_unknown_again() -> None:
    wait = waiting()
    wait.saw(service("False"), 101.0)
    wait.saw(service("Unknown"), 102.0)
    wait.check(109.0)
    assert wait.left_s(109.0) == 1.0


def test_false_again_does_not_start_the_window_anew() -> None:
    wait = waiting()
    wait.saw(service("False"), 101.0)
    wait.saw(service("False"), 102.5)
    assert wait.left_s(102.5) == 0.5


def test_false_for_another_generation_says_nothing() -> None:
    wait = waiting()
    assert wait.saw(service("False", observed=1), 101.0) == ""
    wait.check(109.0)


def test_another_condition_may_be_waited_for() -> None:
    found = service("False")
    found["status"]["conditions"].append({"type": "RoutesReady", "status": "True"})
    terms = Terms(10.0, 2.0, "RoutesReady")
    wait = ReadyWait("service", Named("default", "a"), terms, now=100.0)
    wait.saw(found, 101.0)
    wait.check(109.0)
    assert wait.is_over(found)


def test_time_is_up_in_kns_words() -> None:
    with pytest.raises(WaitTimedOut, match=r"^timeout: service 'a' not ready after 10 seconds$"):
        waiting().check(110.0)

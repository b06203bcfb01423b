"""What is told of a Pod: each thing that its status says has happened, as often as it did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.controllers.podevents import PodEventController
from simulator.reconciling.plan import Plan, Record
from simulator.reconciling.recording import first, once_more
from simulator.resources.core import (
    ContainerState,
    ContainerStatus,
    Pod,
    PodStatus,
    PodTemplateSpec,
    Running,
    Terminated,
    Waiting,
)
from simulator.resources.meta import Resource
from simulator.resources.podspec import Container
from tests.support.world import MOMENT, NOW, World, changed, pod, revision

CONTROLLER = PodEventController()
NAME = "user-container"
RUNNING = ContainerState(running=Running(started_at=MOMENT))
CRASHED = ContainerState(terminated=Terminated(1, finished_at=MOMENT))
BACK_OFF = ContainerState(waiting=Waiting("CrashLoopBackOff", "back-off 2s"))
STARTS = ["Scheduled", "Pulled", "Created", "Started"]


def replica(restarts: int = 0, **fields: Any) -> Pod:
    state, last = fields.pop("state", RUNNING), fields.pop("last", ContainerState())
    container = ContainerStatus(
        NAME, state=state, last_state=last, restart_count=restarts, image="a@sha256:1"
    )
    status = PodStatus(phase="Running", container_statuses=(container,))
    made = pod("p", revision(), status=status, **fields)
    return changed(made, spec=PodTemplateSpec(containers=(Container(NAME),), node_name="here"))


def tell(of: Pod, *known: Resource, later_s: float = 0) -> Plan:
    observed = CONTROLLER.observe(World(of, *known), of.key)
    assert observed is not None
    return CONTROLLER.plan(observed, NOW + timedelta(seconds=later_s))


def records(made: Plan) -> list[Record]:
    found = [one for one in made.actions if isinstance(one, Record)]
    assert len(found) == len(made.actions)
    return found


@pytest.mark.parametrize(
    ("of", "reasons"),
    [
        pytest.param(replica(), STARTS, id="it runs"),
        pytest.param(replica(1), STARTS, id="it runs again"),
        pytest.param(replica(1, state=BACK_OFF, last=CRASHED), [*STARTS, "BackOff"], id="a loop"),
        pytest.param(
            replica(state=ContainerState(waiting=Waiting("ErrImagePull", "no program"))),
            ["Scheduled", "Pulling", "Failed", "Failed"],
            id="no program",
        ),
        pytest.param(
            replica(state=ContainerState(waiting=Waiting("ImagePullBackOff", "no program"))),
            ["Scheduled", "BackOff", "Failed"],
            id="no program yet",
        ),
        pytest.param(
            replica(state=ContainerState(waiting=Waiting("CreateContainerError", "no port"))),
            ["Scheduled", "Failed"],
            id="no port",
        ),
        pytest.param(
            replica(state=ContainerState(waiting=Waiting("ContainerCreating"))),
            ["Scheduled"],
            id="not yet",
        ),
        pytest.param(replica(deletion_timestamp=MOMENT), [*STARTS, "Killing"], id="it is stopped"),
    ],
)
def test_what_has_happened_is_told_in_order(of: Pod, reasons: list[str]) -> None:
    assert [one.reason for one in records(tell(of))] == reasons


def test_the_words_are_the_kubelets() -> None:
    of = replica(2, state=BACK_OFF, last=CRASHED, deletion_timestamp=MOMENT)
    told = {one.reason: (one.type, one.component, one.message) for one in records(tell(of))}
    assert told == {
        "Scheduled": (
            *("Normal", "default-scheduler"),
            "Successfully assigned default/p to here",
        ),
        "Pulled": (
            *("Normal", "kubelet"),
            'Container image "a@sha256:1" already present on machine',
        ),
        "Created": ("Normal", "kubelet", f"Created container: {NAME}"),
        "Started": ("Normal", "kubelet", f"Started container {NAME}"),
        "BackOff": (
            *("Warning", "kubelet"),
            f"Back-off restarting failed container {NAME} in pod p_default(uid-p)",
        ),
        "Killing": ("Normal", "kubelet", f"Stopping container {NAME}"),
    }
    paths = {one.field_path for one in records(tell(of)) if one.component == "kubelet"}
    assert paths == {"spec.containers{user-container}"}


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        pytest.param(
            Waiting("ErrImagePull", "no program"),
            [
                ("Pulling", 'Pulling image "example.com/shop"'),
                ("Failed", 'Failed to pull image "example.com/shop": no program'),
                ("Failed", "Error: ErrImagePull"),
            ],
            id="a try",
        ),
        pytest.param(
            Waiting("ImagePullBackOff", "no program"),
            [
                ("BackOff", 'Back-off pulling image "example.com/shop"'),
                ("Failed", "Error: ImagePullBackOff"),
            ],
            id="between two",
        ),
    ],
)
def test_an_image_that_is_not_there(waiting: Waiting, words: list[tuple[str, str]]) -> None:
    container = Container(NAME, image="example.com/shop")
    spec = PodTemplateSpec(containers=(container,), node_name="here")
    of = changed(replica(state=ContainerState(waiting=waiting)), spec=spec)
    assert [(one.reason, one.message) for one in records(tell(of))][1:] == words


def test_what_was_told_is_not_told_again_and_another_start_is() -> None:
    known = [first(one, "", NOW) for one in records(tell(replica()))]
    assert tell(replica(), *known) == Plan()
    again = tell(replica(1), *known)
    assert [one.reason for one in records(again)] == ["Pulled", "Created", "Started"]
    counted = [once_more(one, NOW) if one.reason != "Scheduled" else one for one in known]
    assert tell(replica(1), *counted) == Plan()
    behind = tell(replica(3), *known)
    assert behind.requeue_after_s == 0.0, "it catches up"


def test_what_is_no_news_is_not_told() -> None:
    assert tell(replica(), later_s=61) == Plan()
    assert CONTROLLER.observe(World(), replica().key) is None


def test_an_event_names_the_container_and_who_saw_it() -> None:
    made = first(records(tell(replica()))[1], "podevent-controller", NOW)
    assert made.source.component == made.reporting_component == "kubelet"
    assert made.involved_object.field_path == "spec.containers{user-container}"

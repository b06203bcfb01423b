"""Revision: its Pods, and the conditions that follow from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.controllers.health import progress_deadline_s
from simulator.controllers.replicas import (
    make_pod,
    replica_set_name,
)
from simulator.controllers.revision import RevisionController
from simulator.images import ImageMap, ImageRule, Program
from simulator.reconciling.plan import Create, Delete, Plan, Record, UpdateStatus
from simulator.resources.conditions import FALSE, TRUE, UNKNOWN
from simulator.resources.core import (
    ContainerState,
    ContainerStatus,
    Pod,
    PodStatus,
    Terminated,
    Waiting,
)
from simulator.resources.serving import (
    ANNOTATION_MIN_SCALE,
    ANNOTATION_PROGRESS_DEADLINE,
    ContainerDigest,
    Revision,
    RevisionStatus,
    TrafficTarget,
)
from tests.support.world import (
    NOW,
    World,
    changed,
    configuration,
    is_false,
    is_true,
    pod,
    revision,
    route,
    template,
    told,
)

IMAGES = ImageMap((ImageRule("registry.example/*", Program(command=("true",))),))
CONTROLLER = RevisionController(lambda: IMAGES)
DIGESTS = (ContainerDigest("user-container", "registry.example/helloworld-go@sha256:" + "0" * 64),)
HELLO = revision(digests=DIGESTS)
QUEUED = (
    UNKNOWN,
    "Queued",
    "Requests to the target are being buffered as resources are provisioned.",
)
NO_TRAFFIC = (FALSE, "NoTraffic", "The target is not receiving traffic.")
DEPLOYING = (UNKNOWN, "Deploying", "")
HAPPY = (TRUE, "", "")
TIMED_OUT = (
    FALSE,
    "ProgressDeadlineExceeded",
    f'ReplicaSet "{replica_set_name(HELLO)}" has timed out progressing.',
)
PAST_DEADLINE = NOW + timedelta(seconds=601)


def plan(*objects: Any, of: Revision = HELLO, at: Any = NOW) -> Plan:
    observed = CONTROLLER.observe(World(of, *objects), of.key)
    assert observed is not None
    return CONTROLLER.plan(observed, at)


def status_of(made: Plan, otherwise: Revision = HELLO) -> RevisionStatus:
    writes = [one.object for one in made.actions if isinstance(one, UpdateStatus)]
    found = writes[-1] if writes else otherwise
    assert isinstance(found, Revision)
    return found.status


def facts(made: Plan) -> dict[str, tuple[str, str, str]]:
    return told(status_of(made).conditions)


def created(made: Plan) -> list[Pod]:
    return [
        one.object
        for one in made.actions
        if isinstance(one, Create) and isinstance(one.object, Pod)
    ]


def deleted(made: Plan) -> list[str]:
    return [one.object.metadata.name for one in made.actions if isinstance(one, Delete)]


def in_trouble(**state: Any) -> Pod:
    status = PodStatus(phase="Running", container_statuses=(ContainerStatus("c", **state),))
    return pod("p", HELLO, status=status)


def exited(code: int, message: str = "") -> ContainerState:
    return ContainerState(terminated=Terminated(exit_code=code, message=message))


def test_a_new_revision_gets_a_pod_and_is_deploying() -> None:
    made = plan(of=revision())
    assert len(created(made)) == 1
    assert facts(made) == {
        "Active": DEPLOYING,
        "ContainerHealthy": DEPLOYING,
        "Ready": DEPLOYING,
        "ResourcesAvailable": DEPLOYING,
    }
    (digest,) = status_of(made).container_statuses
    assert digest.name == "user-container"
    assert digest.image_digest.startswith("registry.example/helloworld-go@sha256:")
    assert (status_of(made).actual_replicas, status_of(made).desired_replicas) == (0, 1)


STARTS = [
    pytest.param(
        pod("p", HELLO), NOW, (DEPLOYING, (UNKNOWN, "", ""), DEPLOYING, QUEUED), id="it starts"
    ),
    pytest.param(pod("p", HELLO, ready=True), NOW, (HAPPY, HAPPY, HAPPY, HAPPY), id="it is ready"),
    pytest.param(
        in_trouble(last_state=exited(1, "boom")),
        NOW,
        (
            DEPLOYING,
            (FALSE, "ExitCode1", "Container failed with: boom"),
            (FALSE, "ExitCode1", "Container failed with: boom"),
            QUEUED,
        ),
        id="it crashed",
    ),
    pytest.param(
        in_trouble(state=exited(137)),
        NOW,
        (
            DEPLOYING,
            (FALSE, "ExitCode137", "Container failed with: "),
            (FALSE, "ExitCode137", "Container failed with: "),
            QUEUED,
        ),
        id="it was killed without a word",
    ),
    pytest.param(
        in_trouble(last_state=exited(0)),
        NOW,
        (
            DEPLOYING,
            (FALSE, "ExitCode0", "Container failed with: container exited with no error"),
            (FALSE, "ExitCode0", "Container failed with: container exited with no error"),
            QUEUED,
        ),
        id="it ended as if nothing was wrong",
    ),
    pytest.param(
        in_trouble(state=ContainerState(waiting=Waiting("CrashLoopBackOff", "back-off"))),
        NOW,
        (DEPLOYING, (UNKNOWN, "", ""), DEPLOYING, QUEUED),
        id="waiting is no failure before the deadline",
    ),
    pytest.param(
        in_trouble(state=ContainerState(waiting=Waiting("CrashLoopBackOff", "back-off"))),
        PAST_DEADLINE,
        (
            (FALSE, "CrashLoopBackOff", "back-off"),
            (UNKNOWN, "", ""),
            (FALSE, "CrashLoopBackOff", "back-off"),
            QUEUED,
        ),
        id="waiting is one after the deadline",
    ),
    pytest.param(
        pod("p", HELLO),
        PAST_DEADLINE,
        (TIMED_OUT, (UNKNOWN, "", ""), TIMED_OUT, QUEUED),
        id="it is not ready at the deadline",
    ),
    pytest.param(
        in_trouble(last_state=exited(1, "boom")),
        PAST_DEADLINE,
        (
            TIMED_OUT,
            (FALSE, "ExitCode1", "Container failed with: boom"),
            (FALSE, "ExitCode1", "Container failed with: boom"),
            QUEUED,
        ),
        id="why it crashes is told before the deadline that it missed",
    ),
]


@pytest.mark.parametrize(("replica", "at", "expected"), STARTS)
def test_conditions_follow_the_first_replica(replica: Pod, at: Any, expected: Any) -> None:
    found = facts(plan(replica, at=at))
    types = ("ResourcesAvailable", "ContainerHealthy", "Ready", "Active")
    assert tuple(found[type_] for type_ in types) == expected


def test_a_revision_that_becomes_ready_tells_so_once() -> None:
    made = plan(pod("p", HELLO, ready=True))
    records = [one for one in made.actions if isinstance(one, Record)]
    assert [(one.reason, one.message) for one in records] == [
        ("RevisionReady", "Revision becomes ready upon all resources being ready")
    ]
    stored = changed(HELLO, status=status_of(made))
    assert plan(pod("p", HELLO, ready=True), of=stored) == Plan()


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(in_trouble(last_state=exited(1, "boom")), id="after a crash"),
        pytest.param(pod("p", HELLO), id="after the deadline"),
    ],
)
def test_a_failed_revision_recovers_when_its_replica_gets_ready(failure: Pod) -> None:
    failed = changed(HELLO, status=status_of(plan(failure, at=PAST_DEADLINE)))
    assert told(failed.status.conditions)["Ready"][0] == FALSE
    assert facts(plan(pod("p", HELLO, ready=True), of=failed))["Ready"] == HAPPY


READY = changed(HELLO, status=status_of(plan(pod("p", HELLO, ready=True))))


def test_a_crash_later_on_is_unhealthy_until_a_replica_is_ready_again() -> None:
    made = plan(in_trouble(last_state=exited(1, "boom")), of=READY, at=PAST_DEADLINE)
    crashed = (FALSE, "ExitCode1", "Container failed with: boom")
    assert facts(made) == {
        "Active": QUEUED,
        "ContainerHealthy": crashed,
        "Ready": crashed,
        "ResourcesAvailable": HAPPY,
    }
    assert status_of(made).actual_replicas == 0
    stored = changed(READY, status=status_of(made))
    again = plan(pod("p", HELLO, ready=True), of=stored, at=PAST_DEADLINE)
    assert facts(again)["Ready"] == HAPPY


def test_a_replica_that_is_only_slow_to_come_back_is_no_failure() -> None:
    made = plan(pod("p", HELLO), of=READY, at=PAST_DEADLINE)
    assert facts(made)["Ready"] == HAPPY


def test_a_revision_that_nothing_needs_is_stopped_and_stays_ready() -> None:
    idle = READY.with_metadata(
        labels=READY.metadata.labels | {"serving.knative.dev/routingState": "reserve"}
    )
    newer = configuration(created="hello-00002", generation=2)
    made = plan(pod("p", HELLO, ready=True), newer, of=idle)
    assert deleted(made) == ["p"]
    assert made.requeue_after_s is None
    stopped = changed(idle, status=status_of(made))
    going = pod("p", HELLO, ready=True, deletion_timestamp="2026-01-02T03:04:05Z")
    made = plan(going, newer, of=stopped)
    assert facts(made)["Ready"] == HAPPY
    assert facts(made)["Active"] == NO_TRAFFIC
    assert (status_of(made).actual_replicas, status_of(made).desired_replicas) == (0, 0)


def test_one_that_a_route_means_is_not_stopped_though_nothing_marks_it() -> None:
    idle = READY.with_metadata(
        labels=READY.metadata.labels | {"serving.knative.dev/routingState": "reserve"}
    )
    pinned = TrafficTarget(revision_name="hello-00001", latest_revision=False, percent=1)
    newer = configuration(created="hello-00002", generation=2)
    made = plan(pod("p", HELLO, ready=True), newer, route(traffic=(pinned,)), of=idle)
    assert deleted(made) == []
    assert made.requeue_after_s == 1.0  # by then it is marked, or nobody means it any more


def test_one_that_was_superseded_before_it_was_ready_has_failed_at_the_deadline() -> None:
    idle = revision(digests=DIGESTS, routing="reserve")
    newer = configuration(created="hello-00002", generation=2)
    assert facts(plan(newer, of=idle))["Ready"] == DEPLOYING
    assert facts(plan(newer, of=idle, at=PAST_DEADLINE))["Ready"] == (
        FALSE,
        "ProgressDeadlineExceeded",
        "Initial scale was never achieved",
    )


def test_a_broken_image_map_is_told_of_where_an_image_is_missing() -> None:
    controller = RevisionController(lambda: ImageMap(flaw="images.yaml: not YAML"))
    waiting = revision(spec=template("nowhere.example/app:1").spec)
    observed = controller.observe(World(waiting), waiting.key)
    assert observed is not None
    made = controller.plan(observed, NOW)
    assert facts(made)["ContainerHealthy"][2].endswith(
        "see knary images (images.yaml: not YAML; the rules read before stay in force)"
    )


def test_an_image_without_a_program_is_missing_and_asked_for_again() -> None:
    image = "nowhere.example/app:1"
    made = plan(of=revision(spec=template(image).spec))
    missing = (
        FALSE,
        "ContainerMissing",
        (
            f'Unable to fetch image "{image}": failed to resolve image to digest: '
            "no program is mapped to this image; see knary images"
        ),
    )
    assert facts(made)["ContainerHealthy"] == facts(made)["Ready"] == missing
    assert facts(made)["ResourcesAvailable"] == (UNKNOWN, "ResolvingDigests", "")
    assert not created(made)
    assert [action for action in made.actions if isinstance(action, Record)] == [
        Record(revision(spec=template(image).spec), "Warning", "InternalError", missing[2])
    ]
    assert made.requeue_after_s == 10.0


def test_an_image_that_was_missing_is_deployed_once_it_has_a_program() -> None:
    missing = changed(
        revision(),
        status=RevisionStatus(
            observed_generation=1,
            conditions=(
                is_false("ContainerMissing", "m", "ContainerHealthy"),
                is_false("ContainerMissing", "m"),
            ),
        ),
    )
    made = plan(of=missing)
    assert len(created(made)) == 1
    assert facts(made)["Ready"] == DEPLOYING


def test_min_scale_replicas_must_all_be_ready() -> None:
    two = HELLO.with_metadata(annotations={ANNOTATION_MIN_SCALE: "2"})
    made = plan(of=two)
    assert len({one.metadata.name for one in created(made)}) == 2
    first = pod("p", two, ready=True)
    assert facts(plan(first, pod("q", two), of=two))["Ready"][0] == UNKNOWN
    assert facts(plan(first, pod("q", two, ready=True), of=two))["Ready"] == HAPPY


def test_until_its_deadline_it_is_looked_at_again() -> None:
    made = plan(pod("p", HELLO), at=NOW + timedelta(seconds=600))
    assert made.requeue_after_s == pytest.approx(1.0)
    assert facts(made)["Ready"] == DEPLOYING
    assert plan(pod("p", HELLO), at=PAST_DEADLINE).requeue_after_s is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2s", 2.0), ("1m30s", 90.0), ("nonsense", 600.0), (None, 600.0)],
)
def test_a_revision_may_bring_its_own_deadline(text: str | None, seconds: float) -> None:
    annotations = {} if text is None else {ANNOTATION_PROGRESS_DEADLINE: text}
    assert progress_deadline_s(HELLO.with_metadata(annotations=annotations), 600.0) == seconds


def test_what_wakes_a_revision() -> None:
    replica = make_pod(HELLO, HELLO.status, "p").with_metadata(namespace="default")
    assert CONTROLLER.wakes(replica, World()) == (HELLO.key,)
    owner = configuration(created="hello-00002")
    woken = {key.name for key in CONTROLLER.wakes(owner, World(replica))}
    assert woken == {"hello-00001", "hello-00002"}


def test_a_restart_keeps_what_is_true() -> None:
    made = plan(pod("p", HELLO, ready=True), of=READY)
    assert made == Plan()
    assert is_true() in READY.status.conditions

"""A revision's Pods: how many, which, under which names."""

from __future__ import annotations

import msgspec
import pytest

from simulator.controllers.replicas import (
    make_pod,
    replica_set_name,
    replicas_when_needed,
    to_reach,
)
from simulator.resources.core import DRAIN_FINALIZER, PROCESS_FINALIZER
from simulator.resources.serving import ANNOTATION_MIN_SCALE
from tests.support.world import pod, revision, template

HELLO = revision()


@pytest.mark.parametrize(("text", "wanted"), [("0", 1), ("3", 3), ("999", 5), ("x", 1)])
def test_replicas_are_bounded(text: str, wanted: int) -> None:
    asked = HELLO.with_metadata(annotations={ANNOTATION_MIN_SCALE: text})
    assert replicas_when_needed(asked, 5) == wanted


def test_pods_are_named_after_the_revision_and_never_after_one_that_is_still_there() -> None:
    (first,) = to_reach(1, HELLO, ()).create
    head, _, tail = first.metadata.name.rpartition("-")
    assert head == replica_set_name(HELLO)
    assert head.startswith("hello-00001-deployment-")
    assert (len(head.rpartition("-")[2]), len(tail)) == (10, 5)
    assert to_reach(1, HELLO, ()).create == (first,)
    going = first.with_metadata(deletion_timestamp="2026-01-01T00:00:00Z")
    (second,) = to_reach(1, HELLO, (going,)).create
    assert second.metadata.name != first.metadata.name


def test_of_too_many_replicas_the_unready_and_the_young_go_first() -> None:
    old, young = (
        pod("old", HELLO, ready=True, creation_timestamp="2026-01-01T00:00:00Z"),
        pod("young", HELLO, ready=True, creation_timestamp="2026-01-02T00:00:00Z"),
    )
    unready = pod("unready", HELLO, creation_timestamp="2025-01-01T00:00:00Z")
    assert to_reach(2, HELLO, (young, unready, old)).delete == (unready,)
    assert to_reach(1, HELLO, (young, unready, old)).delete == (young, unready)


def test_a_pod_has_the_revisions_containers_with_knatives_variables() -> None:
    made = make_pod(revision(spec=template(TARGET="x").spec), "p")
    (container,) = made.spec.containers
    assert [(one.name, one.value) for one in container.env] == [
        ("TARGET", "x"),
        ("K_REVISION", "hello-00001"),
        ("K_CONFIGURATION", "hello"),
        ("K_SERVICE", "hello"),
    ]
    assert container.termination_message_policy == "FallbackToLogsOnError"
    assert made.spec.termination_grace_period_seconds == 300
    assert made.metadata.finalizers == (DRAIN_FINALIZER, PROCESS_FINALIZER)
    assert made.metadata.labels == {
        "serving.knative.dev/configuration": "hello",
        "serving.knative.dev/service": "hello",
        "serving.knative.dev/configurationGeneration": "1",
        "serving.knative.dev/revision": "hello-00001",
        "serving.knative.dev/revisionUID": "uid-hello-00001",
        "app": "hello-00001",
    }
    assert "containerConcurrency" not in msgspec.to_builtins(made.spec)

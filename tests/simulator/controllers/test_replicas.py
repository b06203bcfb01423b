"""A revision's Pods: how many, which, under which names."""

from __future__ import annotations

import msgspec
import pytest

from simulator.config.autoscaler import AutoscalerConfig
from simulator.controllers.replicas import (
    make_pod,
    replica_set_name,
    replicas_when_needed,
    to_reach,
)
from simulator.resources.core import DRAIN_FINALIZER, PROCESS_FINALIZER
from simulator.resources.serving import ContainerDigest, RevisionStatus
from tests.support.world import pod, revision, template

HELLO = revision()
STATUS = HELLO.status


SCALE = "autoscaling.knative.dev"
STOCK = AutoscalerConfig()


@pytest.mark.parametrize(
    ("annotations", "config", "first", "then"),
    [
        pytest.param({}, STOCK, 1, 1, id="one"),
        pytest.param({"min-scale": "0"}, STOCK, 1, 1, id="never none"),
        pytest.param({"min-scale": "3"}, STOCK, 3, 3, id="min-scale"),
        pytest.param({"minScale": "3"}, STOCK, 3, 3, id="its older spelling"),
        pytest.param({"min-scale": "999"}, STOCK, 5, 5, id="the machine's bound"),
        pytest.param({"min-scale": "x"}, STOCK, 1, 1, id="no number"),
        pytest.param({"initial-scale": "4"}, STOCK, 4, 1, id="initial-scale is for the start"),
        pytest.param(
            {"initial-scale": "2", "min-scale": "3"}, STOCK, 3, 3, id="the larger of the two"
        ),
        pytest.param({"initial-scale": "0"}, STOCK, 1, 1, id="nothing starts from zero"),
        pytest.param(
            {"initial-scale": "4", "max-scale": "2"}, STOCK, 2, 1, id="max-scale bounds all"
        ),
        pytest.param({}, AutoscalerConfig(min_scale=2), 2, 2, id="the operator's min-scale"),
        pytest.param({}, AutoscalerConfig(initial_scale=2), 2, 1, id="the operator's start"),
        pytest.param({"min-scale": "1"}, AutoscalerConfig(min_scale=2), 1, 1, id="its own counts"),
        pytest.param({}, AutoscalerConfig(min_scale=3, max_scale=2), 2, 2, id="the operator's max"),
    ],
)
def test_how_many_replicas_run(
    annotations: dict[str, str], config: AutoscalerConfig, first: int, then: int
) -> None:
    asked = HELLO.with_metadata(
        annotations={f"{SCALE}/{key}": text for key, text in annotations.items()}
    )
    assert replicas_when_needed(asked, config, 5, is_new=True) == first
    assert replicas_when_needed(asked, config, 5, is_new=False) == then


def test_pods_are_named_after_the_revision_and_never_after_one_that_is_still_there() -> None:
    (first,) = to_reach(1, HELLO, STATUS, ()).create
    head, _, tail = first.metadata.name.rpartition("-")
    assert head == replica_set_name(HELLO)
    assert head.startswith("hello-00001-deployment-")
    assert (len(head.rpartition("-")[2]), len(tail)) == (10, 5)
    assert to_reach(1, HELLO, STATUS, ()).create == (first,)
    going = first.with_metadata(deletion_timestamp="2026-01-01T00:00:00Z")
    (second,) = to_reach(1, HELLO, STATUS, (going,)).create
    assert second.metadata.name != first.metadata.name


def test_of_too_many_replicas_the_unready_and_the_young_go_first() -> None:
    old, young = (
        pod("old", HELLO, ready=True, creation_timestamp="2026-01-01T00:00:00Z"),
        pod("young", HELLO, ready=True, creation_timestamp="2026-01-02T00:00:00Z"),
    )
    unready = pod("unready", HELLO, creation_timestamp="2025-01-01T00:00:00Z")
    assert to_reach(2, HELLO, STATUS, (young, unready, old)).delete == (unready,)
    assert to_reach(1, HELLO, STATUS, (young, unready, old)).delete == (young, unready)


def test_a_pod_has_the_revisions_containers_with_knatives_variables() -> None:
    digest = "registry.example/helloworld-go@sha256:1"
    status = RevisionStatus(container_statuses=(ContainerDigest("user-container", digest),))
    routed = {
        "serving.knative.dev/routes": "hello",
        "autoscaling.knative.dev/min-scale": "1",
        "example.com/mine": "x",
    }
    made = make_pod(revision(spec=template(TARGET="x").spec, annotations=routed), status, "p")
    (container,) = made.spec.containers
    assert [(one.name, one.value) for one in container.env] == [
        ("TARGET", "x"),
        ("K_REVISION", "hello-00001"),
        ("K_CONFIGURATION", "hello"),
        ("K_SERVICE", "hello"),
    ]
    assert container.image == digest
    assert container.termination_message_policy == "FallbackToLogsOnError"
    assert made.metadata.annotations == {
        "example.com/mine": "x",
        "kubectl.kubernetes.io/default-container": "user-container",
    }
    assert made.spec.termination_grace_period_seconds == 300
    assert made.spec.security_context == {}  # what every Pod of a cluster has
    assert (made.spec.dns_policy, made.spec.scheduler_name) == ("ClusterFirst", "default-scheduler")
    assert made.status.phase == "Pending"
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

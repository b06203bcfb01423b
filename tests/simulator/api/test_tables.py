"""What `kubectl get` prints, cell by cell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.api.tables import column_definitions, table
from simulator.resources.conditions import Condition
from simulator.resources.core import (
    ContainerState,
    ContainerStatus,
    Event,
    Namespace,
    NamespaceStatus,
    ObjectReference,
    Pod,
    PodStatus,
    PodTemplateSpec,
    Running,
    Terminated,
    Waiting,
)
from simulator.resources.meta import ObjectMeta, Resource, timestamp
from simulator.resources.podspec import Container
from simulator.resources.scheme import info_of
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    LABEL_CONFIGURATION_GENERATION,
    Revision,
    RevisionStatus,
    Service,
    ServiceStatus,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def ago(**parts: float) -> str:
    return timestamp(NOW - timedelta(**parts))


def cells(obj: Resource) -> list[Any]:
    (row,) = table(info_of(obj), [obj], "7", "None", NOW)["rows"]
    assert set(row) == {"cells"}
    return list(row["cells"])


def narrow(obj: Resource) -> list[Any]:
    """Return what is printed without `-o wide`."""
    columns = column_definitions(info_of(obj))
    return [
        cell for cell, column in zip(cells(obj), columns, strict=True) if not column["priority"]
    ]


def meta(**fields: Any) -> ObjectMeta:
    return ObjectMeta(**{"name": "n", "creation_timestamp": ago(minutes=5), **fields})


def test_a_services_row() -> None:
    status = ServiceStatus(
        url="http://n.default.example.com",
        latest_created_revision_name="n-00002",
        conditions=(Condition("Ready", "False", reason="RevisionFailed"),),
    )
    assert cells(Service(metadata=meta(), status=status)) == [
        *("n", "http://n.default.example.com", "n-00002", None),
        *("False", "RevisionFailed"),
    ]


def test_what_is_not_known_yet_is_an_empty_cell() -> None:
    assert cells(Service(metadata=meta())) == ["n", None, None, None, None, None]


def test_a_revisions_row_has_labels_and_numbers() -> None:
    labels = {LABEL_CONFIGURATION: "hello", LABEL_CONFIGURATION_GENERATION: "3"}
    status = RevisionStatus(
        conditions=(Condition("Ready", "True"),), actual_replicas=0, desired_replicas=1
    )
    row = cells(Revision(metadata=meta(labels=labels), status=status))
    assert row == ["n", "hello", "3", "True", None, 0, 1]
    types = [column["type"] for column in column_definitions(info_of(Revision))]
    assert types == ["string"] * 5 + ["integer"] * 2


def test_a_namespaces_row() -> None:
    assert cells(Namespace(metadata=meta(), status=NamespaceStatus("Active"))) == [
        *("n", "Active", "5m")
    ]


RUNNING = ContainerState(running=Running(started_at=ago(minutes=1)))
LAST = ContainerState(terminated=Terminated(exit_code=1, finished_at=ago(seconds=70)))


def container(**fields: Any) -> ContainerStatus:
    return ContainerStatus(**{"name": "user-container", **fields})


@pytest.mark.parametrize(
    ("metadata", "status", "expected"),
    [
        pytest.param({}, PodStatus(), ["0/1", "Unknown", "0"], id="nothing known"),
        pytest.param({}, PodStatus(phase="Pending"), ["0/1", "Pending", "0"], id="pending"),
        pytest.param(
            {},
            PodStatus(phase="Running", container_statuses=(container(ready=True, state=RUNNING),)),
            ["1/1", "Running", "0"],
            id="ready",
        ),
        pytest.param(
            {},
            PodStatus(phase="Running", container_statuses=(container(state=RUNNING),)),
            ["0/1", "Running", "0"],
            id="running, not ready",
        ),
        pytest.param(
            {},
            PodStatus(
                phase="Running",
                container_statuses=(
                    container(
                        state=ContainerState(waiting=Waiting("CrashLoopBackOff")),
                        last_state=LAST,
                        restart_count=3,
                    ),
                ),
            ),
            ["0/1", "CrashLoopBackOff", "3 (70s ago)"],
            id="crashing",
        ),
        pytest.param(
            {},
            PodStatus(
                phase="Failed",
                container_statuses=(
                    container(state=ContainerState(terminated=Terminated(137, signal=9))),
                ),
            ),
            ["0/1", "Signal:9", "0"],
            id="killed",
        ),
        pytest.param(
            {},
            PodStatus(
                phase="Failed",
                container_statuses=(container(state=ContainerState(terminated=Terminated(3))),),
            ),
            ["0/1", "ExitCode:3", "0"],
            id="exited",
        ),
        pytest.param(
            {"deletion_timestamp": ago(seconds=1)},
            PodStatus(phase="Running", container_statuses=(container(ready=True, state=RUNNING),)),
            ["1/1", "Terminating", "0"],
            id="terminating",
        ),
    ],
)
def test_a_pods_row(metadata: dict[str, Any], status: PodStatus, expected: list[str]) -> None:
    spec = PodTemplateSpec(containers=(Container(name="user-container"),))
    pod = Pod(metadata=meta(**metadata), spec=spec, status=status)
    assert cells(pod) == ["n", *expected, "5m", "<none>", "<none>", "<none>", "<none>"]


@pytest.mark.parametrize(
    ("times", "last_seen"),
    [
        pytest.param(
            {"last_timestamp": ago(hours=3), "first_timestamp": ago(days=9)}, "3h", id="last"
        ),
        pytest.param({"first_timestamp": ago(days=9)}, "9d", id="first"),
        pytest.param({"event_time": ago(seconds=9)}, "9s", id="event time"),
        pytest.param({}, "<unknown>", id="none"),
    ],
)
def test_an_events_row(times: dict[str, str], last_seen: str) -> None:
    event = Event(
        metadata=meta(),
        involved_object=ObjectReference(kind="Service", name="hello"),
        type="Normal",
        reason="Created",
        message="Created Configuration",
        **times,
    )
    assert narrow(event) == [
        *(last_seen, "Normal", "Created", "service/hello", "Created Configuration")
    ]


def test_a_table_is_metav1s() -> None:
    obj = Service(metadata=meta(labels={"a": "b"}, resource_version="7"))
    info = info_of(obj)
    shown = table(info, [obj], "9", "Metadata", NOW)
    assert (shown["kind"], shown["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert shown["metadata"] == {"resourceVersion": "9"}
    assert shown["columnDefinitions"][0] | {"description": ""} == {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": "",
        "priority": 0,
    }
    (row,) = shown["rows"]
    assert row["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {
            "name": "n",
            "creationTimestamp": ago(minutes=5),
            "labels": {"a": "b"},
            "resourceVersion": "7",
        },
    }
    (row,) = table(info, [obj], "9", "Object", NOW)["rows"]
    assert (row["object"]["kind"], row["object"]["apiVersion"]) == (
        "Service",
        "serving.knative.dev/v1",
    )

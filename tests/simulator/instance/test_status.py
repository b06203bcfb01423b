"""The status document and the instance's description: what programs read about an instance."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.instance import description as descriptions
from simulator.instance.status import WorkerProcess, status_document
from simulator.resources.core import ANNOTATION_PID, Pod
from tests.support.described import HERE
from tests.support.traffic import pod


def document(*pods: Pod) -> dict[str, object]:
    workers = [WorkerProcess(0, 3), WorkerProcess(1, 4)]
    return status_document(HERE, python="3.13.0", pid=2, workers=workers, pods=pods, reconciled=7)


def test_it_has_addresses_processes_and_versions() -> None:
    assert document() == {
        "schema": 1,
        "version": "0.1.0",
        "python": "3.13.0",
        "build": "interpreted",
        "gateway": "http://127.0.0.1:8080",
        "gatewayLocal": "http://127.0.0.1:8081",
        "api": "https://127.0.0.1:6443",
        "console": "http://127.0.0.1:8090",
        "domain": "example.com",
        "splitter": "stratified",
        "network": "host",
        "dataFolder": "/data",
        "images": {"error": None},
        "started": "2026-01-01T00:00:00Z",
        "parent": {"pid": 1},
        "controlPlane": {"pid": 2, "reconciled": 7},
        "workers": [
            {"index": 0, "pid": 3, "build": "interpreted", "turns": "own"},
            {"index": 1, "pid": 4, "build": "interpreted", "turns": "own"},
        ],
        "replicas": [],
        "faults": [],
    }


RUNS = {ANNOTATION_PID: "77", **pod("a", 5).metadata.annotations}


@pytest.mark.parametrize(
    ("replica", "expected"),
    [
        pytest.param(
            pod("a", 5).with_metadata(annotations=RUNS), (77, "127.0.0.1:5", True), id="ready"
        ),
        pytest.param(
            pod("a", 5, ready=False).with_metadata(annotations=RUNS),
            (77, "127.0.0.1:5", False),
            id="not ready",
        ),
        pytest.param(
            pod("a", 5, deletion_timestamp="2026-01-01T00:00:00Z").with_metadata(annotations=RUNS),
            (77, "127.0.0.1:5", False),
            id="on its way out",
        ),
        pytest.param(
            pod("a", 5, ready=False).with_metadata(annotations={}),
            (None, None, False),
            id="without a process",
        ),
    ],
)
def test_a_replica(replica: Pod, expected: tuple[int | None, str | None, bool]) -> None:
    (shown,) = document(replica)["replicas"]  # type: ignore[misc]
    assert shown == {
        "namespace": "default",
        "revision": "a",
        "pod": "a-5",
        **dict(zip(("pid", "address", "ready"), expected, strict=True)),
    }


def test_a_description_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "instance.json"
    descriptions.write(path, HERE)
    assert descriptions.read(path) == HERE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["instance.json"]


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"pid": "x"}'])
def test_what_is_no_description_is_none(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "instance.json"
    if content is not None:
        path.write_text(content)
    assert descriptions.read(path) is None

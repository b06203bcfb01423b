"""The state as a document: it comes back as it was, or it is refused whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from simulator.console import snapshots
from simulator.errors import ApiError
from simulator.resources.core import Pod
from simulator.resources.meta import ObjectMeta
from tests.support.stored import service
from tests.support.world import configuration, revision

UIDS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(9)]
OBJECTS = [
    service("hello").with_metadata(uid=UIDS[0], generation=3, labels={"a": "b"}),
    configuration("hello").with_metadata(uid=UIDS[1], resource_version=""),
    revision("hello-00001").with_metadata(
        uid=UIDS[2], resource_version="", creation_timestamp="2026-01-02T03:04:05Z"
    ),
]


def document(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(snapshots.written(OBJECTS, "0.1.0", "2026-01-02T03:04:05Z"))
    return {**found, **changes}


def test_what_is_written_is_read_as_it_was() -> None:
    body = snapshots.written(OBJECTS, "0.1.0", "2026-01-02T03:04:05Z")
    assert snapshots.read(body) == OBJECTS
    head = json.loads(body)
    del head["objects"]
    assert head == {
        "kind": "KnarySnapshot",
        "schema": 1,
        "knary": "0.1.0",
        "taken": "2026-01-02T03:04:05Z",
    }


def test_versions_and_what_runs_are_not_in_it() -> None:
    pod = Pod(metadata=ObjectMeta(name="x", namespace="default", uid=UIDS[3]))
    versioned = OBJECTS[0].with_metadata(resource_version="42")
    body = snapshots.written([versioned, pod], "0.1.0", "")
    assert snapshots.read(body) == OBJECTS[:1]
    assert b"resourceVersion" not in body


def first(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    found = document()
    change(found["objects"][0])
    return found


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param([], "no snapshot", id="no object"),
        pytest.param({}, "no snapshot", id="no kind"),
        pytest.param(document(kind="List"), "no snapshot", id="another kind"),
        pytest.param(document(schema=2), "schema 1, this one has 2", id="a newer schema"),
        pytest.param(document(objects={}), "no list of objects", id="no list"),
        pytest.param(document(objects=[3]), r"objects\[0\].*no kind", id="a number"),
        pytest.param(document(objects=[{"kind": ["x"]}]), "no kind", id="a kind that is a list"),
        pytest.param(
            first(lambda one: one.update(kind="Widget")), "no kind", id="a kind that nobody knows"
        ),
        pytest.param(
            first(lambda one: one.update(kind="Pod", apiVersion="v1")), "no kind", id="a Pod"
        ),
        pytest.param(first(lambda one: one["metadata"].pop("uid")), "no uid", id="without a uid"),
        pytest.param(
            first(lambda one: one["metadata"].update(uid="../x")),
            "no uid",
            id="a uid that is a path",
        ),
        pytest.param(
            first(lambda one: one["metadata"].update(name="../x")),
            "metadata.name",
            id="a path as name",
        ),
        pytest.param(
            first(lambda one: one.update(spec={"template": 3})), r"objects\[0\]", id="a wrong type"
        ),
        pytest.param(
            document(objects=document()["objects"][:1] * 2), "twice", id="an object twice"
        ),
    ],
)
def test_an_unfit_document_is_refused_with_its_reason(found: Any, why: str) -> None:
    with pytest.raises(ApiError, match=why):
        snapshots.read(json.dumps(found).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError):
        snapshots.read(body)

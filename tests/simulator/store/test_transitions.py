"""What a write makes of an object, as tables."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.errors import Conflict, Invalid
from simulator.resources.core import Event, ObjectReference, Pod, PodTemplateSpec
from simulator.resources.meta import FOREGROUND_FINALIZER, ORPHAN_FINALIZER, ObjectMeta, Resource
from simulator.resources.serving import Service, ServiceStatus
from simulator.store import transitions
from simulator.store.transitions import UNCHANGED, DeleteOptions, Removed, Stored
from tests.support.stored import service, with_image

NOW = "2026-01-02T03:04:05Z"
STORED = transitions.with_version(
    transitions.create(service(), name="hello", uid="u1", now="2026-01-01T00:00:00Z"), 7
)
DELETING = STORED.with_metadata(
    deletion_timestamp="2026-01-02T00:00:00Z",
    deletion_grace_period_seconds=0,
    finalizers=("a", "b"),
)


def with_status(obj: Service, url: str) -> Service:
    return msgspec.structs.replace(obj, status=ServiceStatus(url=url))


def test_a_created_object_gets_its_identity_and_forgets_what_its_client_made_up() -> None:
    made_up = service(
        uid="mine", resource_version="9", generation=4, deletion_timestamp="2020-01-01T00:00:00Z"
    )
    meta = transitions.create(made_up, name="hello", uid="u1", now=NOW).metadata
    assert meta == ObjectMeta(
        name="hello", namespace="default", uid="u1", generation=1, creation_timestamp=NOW
    )


@pytest.mark.parametrize(
    ("obj", "generation"),
    [
        pytest.param(with_image(STORED, "app:2"), 2, id="a new spec is a new generation"),
        pytest.param(STORED.with_metadata(labels={"a": "b"}), 1, id="labels are not the spec"),
        pytest.param(STORED.with_metadata(finalizers=("x",)), 1, id="nor are finalizers"),
    ],
)
def test_the_generation_counts_changes_of_the_spec(obj: Service, generation: int) -> None:
    outcome = transitions.update(STORED, obj)
    assert isinstance(outcome, Stored)
    assert outcome.object.metadata.generation == generation


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param(STORED, id="the same object"),
        pytest.param(with_status(STORED, "http://a"), id="only the status differs"),
        pytest.param(STORED.with_metadata(generation=9), id="only the generation differs"),
        pytest.param(STORED.with_metadata(creation_timestamp=None), id="no creationTimestamp"),
        pytest.param(STORED.with_metadata(resource_version=""), id="no version to check"),
    ],
)
def test_an_update_that_changes_nothing_stores_nothing(obj: Service) -> None:
    assert transitions.update(STORED, obj) == UNCHANGED


def test_an_update_keeps_the_status_and_a_status_update_keeps_the_rest() -> None:
    both = with_status(with_image(STORED, "app:2"), "http://a")
    assert transitions.update(STORED, both) == Stored(
        with_image(STORED, "app:2").with_metadata(generation=2)
    )
    both = both.with_metadata(labels={"a": "b"})
    assert transitions.update_status(STORED, both) == Stored(with_status(STORED, "http://a"))
    assert transitions.update_status(STORED, STORED) == UNCHANGED


def test_an_object_without_spec_and_status_is_taken_whole() -> None:
    stored = Event(metadata=ObjectMeta(name="e", namespace="default", generation=1), count=1)
    new = msgspec.structs.replace(stored, count=2, involved_object=ObjectReference(name="x"))
    assert transitions.update(stored, new) == Stored(new)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"resource_version": "6"}, "the object has been modified", id="an old one"),
        pytest.param({"resource_version": "8"}, "the object has been modified", id="a future one"),
        pytest.param({"uid": "u2"}, "UID in precondition: u2", id="another object of its name"),
    ],
)
def test_who_saw_another_version_is_refused(changes: dict[str, Any], message: str) -> None:
    for change in (transitions.update, transitions.update_status):
        with pytest.raises(Conflict, match=message):
            change(STORED, STORED.with_metadata(**changes))


def test_the_last_finalizer_taken_away_removes_a_deleted_object() -> None:
    fewer = DELETING.with_metadata(finalizers=("b",))
    assert transitions.update(DELETING, fewer) == Stored(fewer)
    none = DELETING.with_metadata(finalizers=())
    assert transitions.update(DELETING, none) == Removed(none)


def test_a_deleted_object_takes_no_new_finalizer() -> None:
    with pytest.raises(Invalid, match=r'found new finalizers \[\]string\{"c"\}'):
        transitions.update(DELETING, DELETING.with_metadata(finalizers=("a", "b", "c")))


@pytest.mark.parametrize(
    ("stored", "options", "finalizers"),
    [
        pytest.param(STORED, DeleteOptions(), (), id="nothing holds it"),
        pytest.param(STORED, DeleteOptions("Background"), (), id="background"),
        pytest.param(STORED, DeleteOptions("Foreground"), (FOREGROUND_FINALIZER,), id="foreground"),
        pytest.param(STORED, DeleteOptions("Orphan"), (ORPHAN_FINALIZER,), id="orphan"),
        pytest.param(
            STORED.with_metadata(finalizers=("a",)),
            DeleteOptions("Foreground"),
            ("a", FOREGROUND_FINALIZER),
            id="its own finalizer and the policy's",
        ),
        pytest.param(
            DELETING.with_metadata(finalizers=(FOREGROUND_FINALIZER,)),
            DeleteOptions("Background"),
            (),
            id="a background delete overrides a foreground one",
        ),
    ],
)
def test_deleting_removes_or_marks(
    stored: Resource, options: DeleteOptions, finalizers: tuple[str, ...]
) -> None:
    outcome = transitions.delete(stored, options, NOW)
    if not finalizers:
        assert outcome == Removed(stored)
        return
    assert isinstance(outcome, Stored)
    meta = outcome.object.metadata
    assert (meta.finalizers, meta.deletion_timestamp) == (finalizers, NOW)
    assert (meta.deletion_grace_period_seconds, meta.generation) == (0, 2)


def test_deleting_again_changes_nothing_and_hastens_a_pod() -> None:
    assert transitions.delete(DELETING, DeleteOptions(), NOW) == UNCHANGED
    spec = PodTemplateSpec(termination_grace_period_seconds=30)
    pod = Pod(metadata=ObjectMeta(name="p", finalizers=("a",), generation=1), spec=spec)

    def grace_s(pod: Resource, options: DeleteOptions) -> int | None:
        outcome = transitions.delete(pod, options, NOW)
        assert isinstance(outcome, Stored)
        return outcome.object.metadata.deletion_grace_period_seconds

    assert grace_s(pod, DeleteOptions()) == 30
    going = transitions.delete(pod, DeleteOptions(), NOW)
    assert isinstance(going, Stored)
    assert grace_s(going.object, DeleteOptions(grace_period_s=1)) == 1
    assert transitions.delete(going.object, DeleteOptions(grace_period_s=60), NOW) == UNCHANGED


def test_the_time_of_a_pods_end_is_told_and_may_only_come_nearer() -> None:
    spec = PodTemplateSpec(termination_grace_period_seconds=30)
    pod = Pod(metadata=ObjectMeta(name="p", finalizers=("a",), generation=1), spec=spec)

    def ends(pod: Resource, now: str, grace_s: int | None) -> tuple[str | None, int | None]:
        outcome = transitions.delete(pod, DeleteOptions(grace_period_s=grace_s), now)
        new = outcome.object if isinstance(outcome, Stored) else pod
        return new.metadata.deletion_timestamp, new.metadata.deletion_grace_period_seconds

    at = "2026-01-01T00:00:{:02d}Z".format
    assert ends(pod, at(0), None) == (at(30), 30)
    assert ends(pod, at(0), -1) == (at(1), 1), "less than nothing is the least"
    assert ends(pod, at(0), 0) == (at(0), 0)
    going = pod.with_metadata(deletion_timestamp=at(30), deletion_grace_period_seconds=30)
    assert ends(going, at(5), 10) == (at(10), 10), "as if it had been asked for at first"
    assert ends(going, at(15), 10) == (at(15), 1), "which is over: at once, but in order"
    assert ends(going, at(15), 0) == (at(15), 0)
    assert ends(going, at(5), 60) == ends(going, at(5), None) == (at(30), 30)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param(
            DeleteOptions(uid="u2"),
            "the UID in the precondition (u2) does not match the UID in record (u1). The object"
            " might have been deleted and then recreated",
            id="uid",
        ),
        pytest.param(
            DeleteOptions(resource_version="6"),
            "the ResourceVersion in the precondition (6) does not match the ResourceVersion in"
            " record (7). The object might have been modified",
            id="version",
        ),
    ],
)
def test_a_failed_precondition_deletes_nothing(options: DeleteOptions, why: str) -> None:
    with pytest.raises(Conflict) as refused:
        transitions.delete(STORED, options, NOW)
    assert refused.value.message.endswith(f": {why}")
    right = DeleteOptions(uid="u1", resource_version="7")
    assert transitions.delete(STORED, right, NOW) == Removed(STORED)

"""What a watcher of the API sees, told in lines: one per frame, with what is new in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

_hash = re.compile("-deployment-[a-z0-9]+")  # a replica set's name, made of a uid

Frame = dict[str, Any]
Facts = dict[str, str]

# Their values are different each time, or say nothing that the status does not say.
_UNTOLD = ("kubectl.kubernetes.io/", "serving.knative.dev/routingStateModified")


def in_order(frames: Iterable[Frame]) -> list[Frame]:
    """Return the frames of several watches in the order in which they happened."""
    return sorted(frames, key=lambda one: int(one["object"]["metadata"]["resourceVersion"]))


def told(frames: Iterable[Frame]) -> Iterator[str]:
    """Yield a line for each frame: the object, and what changed since its frame before."""
    known: dict[tuple[str, str], Facts] = {}
    for frame in frames:
        obj = frame["object"]
        key = obj["kind"], obj["metadata"]["name"]
        if frame["type"] == "DELETED":
            known.pop(key)
            yield f"{key[0]} {key[1]}: deleted"
            continue
        assert (frame["type"] == "ADDED") is (key not in known), frame
        before, after = known.get(key, {}), dict(facts(obj))
        news = [f"{name} {text}" for name, text in after.items() if before.get(name) != text]
        news += [f"no {name}" for name in before if name not in after]
        known[key] = after
        verb = "added, " if frame["type"] == "ADDED" else ""
        yield f"{key[0]} {key[1]}: {verb}{'; '.join(news) or 'nothing new'}"


def told_events(events: Iterable[Frame]) -> Iterator[str]:
    """Yield a line for each Event, in the order in which they were recorded first."""
    for event in sorted(events, key=lambda one: int(one["metadata"]["resourceVersion"])):
        about = event["involvedObject"]
        if about["kind"] == "Pod":
            continue  # a kubelet's, which is not there
        times = f" ({event['count']} times)" if event.get("count", 1) > 1 else ""
        name, text = f"{about['kind']} {about['name']}", _without_hash(event["message"])
        yield f"Event {event['type']} of {name}: {event['reason']}: {text}{times}"


def facts(obj: Frame) -> Iterator[tuple[str, str]]:
    """Yield what there is to tell of an object, by name."""
    meta, status = obj["metadata"], obj.get("status", {})
    yield "generation", str(meta.get("generation"))
    if "deletionTimestamp" in meta:
        yield "being", "deleted"
    if finalizers := meta.get("finalizers"):
        yield "finalizers", ", ".join(finalizers)
    for key, value in meta.get("annotations", {}).items():
        if not key.startswith(_UNTOLD):
            yield key.removeprefix("serving.knative.dev/"), value
    if state := meta.get("labels", {}).get("serving.knative.dev/routingState"):
        yield "routingState", state
    yield from status_facts(status)


def status_facts(status: Frame) -> Iterator[tuple[str, str]]:
    """Yield what there is to tell of a status."""
    if "observedGeneration" in status:
        yield "observed", str(status["observedGeneration"])
    for name, key in (
        ("created", "latestCreatedRevisionName"),
        ("ready", "latestReadyRevisionName"),
        ("url", "url"),
        ("address", "address"),
        ("actual", "actualReplicas"),
        ("desired", "desiredReplicas"),
    ):
        if key in status:
            value = status[key]
            yield name, value["url"] if key == "address" else str(value)
    if traffic := status.get("traffic"):
        yield "traffic", ", ".join(map(_target, traffic))
    for condition in status.get("conditions", ()):
        yield condition["type"], _condition(condition)


def assert_lawful(frames: Iterable[Frame]) -> None:
    """Check every frame of an object against the one before it, for the rules of all kinds."""
    known: dict[str, Frame] = {}
    for frame in frames:
        after = frame["object"]
        before = known.get(after["metadata"]["uid"])
        if before is not None:
            _assert_follows(before, after)
        conditions = after.get("status", {}).get("conditions", [])
        assert [one["type"] for one in conditions] == sorted(one["type"] for one in conditions)
        for one in conditions:
            assert one.get("severity", "") == ("Info" if one["type"] == "Active" else "")
        states = {one["type"]: one["status"] for one in conditions if "severity" not in one}
        if states.pop("Ready", "") == "True" and states:
            assert set(states.values()) == {"True"}
        known[after["metadata"]["uid"]] = after


def _assert_follows(before: Frame, after: Frame) -> None:
    was, now = before["metadata"], after["metadata"]
    assert int(was["resourceVersion"]) < int(now["resourceVersion"])
    is_change = before.get("spec") != after.get("spec")
    is_end = "deletionTimestamp" in now and "deletionTimestamp" not in was
    assert now["generation"] - was["generation"] == int(is_change or is_end)
    seen, sees = (one.get("status", {}).get("observedGeneration", 0) for one in (before, after))
    assert seen <= sees <= now["generation"]
    for old, new in _pairs(before, after):
        if _condition(old) == _condition(new):
            assert old["lastTransitionTime"] == new["lastTransitionTime"]
        else:
            assert old["lastTransitionTime"] <= new["lastTransitionTime"]


def assert_changes_have_their_time(frames: Iterable[Frame]) -> None:
    """Check that no condition changed without a new time; for clocks that never stand still."""
    known: dict[str, Frame] = {}
    for frame in frames:
        obj = frame["object"]
        for old, new in _pairs(known.get(obj["metadata"]["uid"], {}), obj):
            is_same = _condition(old) == _condition(new)
            assert (old["lastTransitionTime"] == new["lastTransitionTime"]) is is_same
        known[obj["metadata"]["uid"]] = obj


def _pairs(before: Frame, after: Frame) -> Iterator[tuple[Frame, Frame]]:
    """Yield each condition that both have, as it was and as it is."""
    known = {one["type"]: one for one in before.get("status", {}).get("conditions", [])}
    for one in after.get("status", {}).get("conditions", []):
        if one["type"] in known:
            yield known[one["type"]], one


def _target(target: Frame) -> str:
    latest = " latest" if target["latestRevision"] else ""
    tag = f" #{target['tag']} {target['url']}" if "tag" in target else ""
    return f"{target['revisionName']} {target['percent']}%{latest}{tag}"


def _without_hash(message: str) -> str:
    return _hash.sub("-deployment-HASH", message)


def _condition(condition: Frame) -> str:
    text = str(condition["status"])
    if severity := condition.get("severity"):
        text += f" ({severity})"
    if reason := condition.get("reason"):
        text += f" {reason}"
    if message := condition.get("message"):
        text += f': "{_without_hash(message)}"'
    return text

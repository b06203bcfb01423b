"""The indexes agree with a scan of everything, whatever was done before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.meta import Key, ObjectMeta, OwnerReference
from simulator.resources.serving import (
    LABEL_REVISION,
    LABEL_SERVICE,
    Revision,
    Route,
    RouteSpec,
    RouteStatus,
    TrafficTarget,
)
from simulator.store.indexes import KindTable

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from(["x", "y"])
LABELS = st.dictionaries(st.sampled_from([LABEL_SERVICE, LABEL_REVISION, "team"]), VALUES)
OWNERS = st.lists(VALUES, max_size=3)


def _revision(namespace: str, name: str, labels: dict[str, str], owners: list[str]) -> Revision:
    references = tuple(OwnerReference("v1", "X", uid, uid) for uid in owners)
    meta = ObjectMeta(name=name, namespace=namespace, labels=labels, owner_references=references)
    return Revision(metadata=meta)


REVISIONS = st.builds(_revision, NAMES, NAMES, LABELS, OWNERS)
STEPS = st.lists(st.tuples(st.booleans(), REVISIONS), max_size=40)


@given(STEPS, st.none() | NAMES, LABELS, VALUES)
def test_every_read_equals_a_scan(
    steps: list[tuple[bool, Revision]],
    namespace: str | None,
    labels: dict[str, str],
    owner: str,
) -> None:
    table = KindTable()
    model: dict[Key, Revision] = {}
    for puts, obj in steps:
        if puts:
            table.put(obj)
            model[obj.key] = obj
        else:
            table.remove(obj.key)
            model.pop(obj.key, None)
        # Read after each step, so that a list made earlier cannot be served again.
        table.list(namespace, labels)
    everything = [model[key] for key in sorted(model)]
    assert list(table.list(None, {})) == everything
    assert len(table) == len(everything)
    assert list(table.list(namespace, labels)) == [
        obj
        for obj in everything
        if namespace in (None, obj.metadata.namespace)
        and labels.items() <= obj.metadata.labels.items()
    ]
    assert list(table.owned_by(owner)) == [
        obj
        for obj in everything
        if owner in {reference.uid for reference in obj.metadata.owner_references}
    ]
    assert all(table.get(key) == obj for key, obj in model.items())


TRAFFIC = st.lists(st.builds(TrafficTarget, revision_name=NAMES, configuration_name=NAMES)).map(
    tuple
)


def _route(
    namespace: str,
    name: str,
    wanted: tuple[TrafficTarget, ...],
    reported: tuple[TrafficTarget, ...],
) -> Route:
    meta = ObjectMeta(name=name, namespace=namespace)
    return Route(metadata=meta, spec=RouteSpec(wanted), status=RouteStatus(traffic=reported))


ROUTES = st.builds(_route, NAMES, NAMES, TRAFFIC, TRAFFIC)


@given(st.lists(st.tuples(st.booleans(), ROUTES), max_size=20), NAMES, NAMES)
def test_what_routes_refer_to_is_found_as_by_a_scan(
    steps: list[tuple[bool, Route]], namespace: str, name: str
) -> None:
    table = KindTable()
    model: dict[Key, Route] = {}
    for puts, obj in steps:
        if puts:
            table.put(obj)
            model[obj.key] = obj
        else:
            table.remove(obj.key)
            model.pop(obj.key, None)
        table.naming(namespace, "Revision", name)
    for kind in ("Revision", "Configuration"):
        assert list(table.naming(namespace, kind, name)) == [
            model[key]
            for key in sorted(model)
            if key.namespace == namespace and (kind, name) in set(model[key].names())
        ]

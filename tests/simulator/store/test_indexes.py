"""The indexes agree with a scan of everything, whatever was done before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.meta import Key, ObjectMeta, OwnerReference
from simulator.resources.serving import LABEL_REVISION, LABEL_SERVICE, Revision
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

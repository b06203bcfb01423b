"""What cleans up: owner references, retention, namespaces, Events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.controllers.events import EventController
from simulator.controllers.garbage import GarbageController
from simulator.controllers.namespaces import NamespaceController
from simulator.controllers.retention import RetentionController
from simulator.reconciling.plan import NOTHING, Delete, Plan, Update, UpdateStatus
from simulator.resources.core import (
    CONTENTS_FINALIZER,
    ConfigMap,
    Event,
    Namespace,
    NamespaceStatus,
)
from simulator.resources.meta import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Resource,
    controller_reference,
)
from simulator.resources.serving import ANNOTATION_NO_GC, Configuration, Revision, Service
from tests.support.world import (
    MOMENT,
    NOW,
    World,
    changed,
    configuration,
    meta,
    owned,
    revision,
    service,
)

SERVICE = service()
CHILD = owned(configuration(), SERVICE)
GOING = SERVICE.with_metadata(deletion_timestamp=MOMENT, finalizers=(FOREGROUND_FINALIZER,))
ORPHANING = SERVICE.with_metadata(deletion_timestamp=MOMENT, finalizers=(ORPHAN_FINALIZER,))
REPLACED = SERVICE.with_metadata(uid="another")
PARENT, OTHER = controller_reference(SERVICE), controller_reference(service("other"))


def collect(obj: Resource, *others: Resource) -> Plan:
    controller = GarbageController(type(obj))
    observed = controller.observe(World(obj, *others), obj.key)
    assert observed is not None
    return controller.plan(observed, NOW)


DEPENDENTS = [
    pytest.param((SERVICE,), NOTHING, id="its owner is there: it stays"),
    pytest.param((), Plan((Delete(CHILD),)), id="its owner is gone: it goes"),
    pytest.param((REPLACED,), Plan((Delete(CHILD),)), id="another of that name is no owner"),
    pytest.param(
        (GOING,),
        Plan((Delete(CHILD, propagation="Foreground"),)),
        id="its owner waits for it: it goes, and its own first",
    ),
    pytest.param((ORPHANING,), NOTHING, id="its owner leaves it: it stays"),
]


@pytest.mark.parametrize(("others", "expected"), DEPENDENTS)
def test_a_dependent(others: tuple[Resource, ...], expected: Plan) -> None:
    assert collect(CHILD, *others) == expected


def test_one_of_two_owners_gone_leaves_the_other() -> None:
    both = CHILD.with_metadata(owner_references=(PARENT, OTHER))
    (update,) = collect(both, SERVICE).actions
    assert isinstance(update, Update)
    assert update.object.metadata.owner_references == (PARENT,)


def test_what_nobody_owns_stays() -> None:
    assert collect(configuration()) == NOTHING


def test_an_owner_deleted_in_the_foreground_waits_for_its_dependents() -> None:
    assert collect(GOING, CHILD) == NOTHING
    (update,) = collect(GOING).actions
    assert isinstance(update, Update)
    assert update.object.metadata.finalizers == ()


def test_a_dependent_that_does_not_block_is_not_waited_for() -> None:
    reference = changed(PARENT, block_owner_deletion=None)
    loose = CHILD.with_metadata(owner_references=(reference,))
    assert len(collect(GOING, loose).actions) == 1


def test_an_owner_that_orphans_gives_its_dependents_up_and_then_goes() -> None:
    made = collect(ORPHANING, CHILD)
    (update,) = made.actions
    assert isinstance(update, Update)
    assert update.object.metadata.owner_references == ()
    assert made.requeue_after_s == 0.0
    (update,) = collect(ORPHANING, configuration()).actions
    assert isinstance(update, Update)
    assert update.object.metadata.finalizers == ()


WAKINGS = [
    pytest.param(CHILD, (SERVICE, CHILD), set(), id="a well-owned object wakes nobody"),
    pytest.param(CHILD, (CHILD,), {"hello"}, id="one whose owner is gone wakes itself"),
    pytest.param(SERVICE, (SERVICE, CHILD), set(), id="a change of an owner wakes nobody"),
    pytest.param(SERVICE, (CHILD,), {"hello"}, id="an owner that is gone wakes its dependents"),
    pytest.param(GOING, (GOING, CHILD), {"hello"}, id="one that is going does, too"),
]


@pytest.mark.parametrize(("woken_by", "world", "expected"), WAKINGS)
def test_what_wakes_the_collection_of_configurations(
    woken_by: Resource, world: tuple[Resource, ...], expected: set[str]
) -> None:
    keys = GarbageController(Configuration).wakes(woken_by, World(*world))
    assert {key.name for key in keys} == expected


def test_a_dependent_that_is_gone_wakes_its_owner() -> None:
    assert GarbageController(Service).wakes(CHILD, World(GOING)) == (SERVICE.key,)


# Retention ---------------------------------------------------------------------------------------

FEW = {"min-non-active-revisions": "2", "max-non-active-revisions": "4"}
KEEPER = RetentionController()


def config_gc(**data: str) -> ConfigMap:
    settings = {key.replace("_", "-"): text for key, text in data.items()}
    return ConfigMap(meta("config-gc", namespace="knative-serving"), data=FEW | settings)


LONG_AGO = NOW + timedelta(hours=49)


def aged(count: int, **fields: Any) -> list[Revision]:
    """Return revisions without traffic, the first the oldest, a minute between two."""
    return [
        revision(
            f"hello-{number:05d}",
            generation=number,
            routing="reserve",
            annotations={
                "serving.knative.dev/routingStateModified": f"2026-01-02T03:{number:02d}:05Z"
            },
            **fields,
        )
        for number in range(1, count + 1)
    ]


def retain(revisions: list[Revision], at: Any, ready: str = "", **settings: str) -> Plan:
    of = configuration(ready=ready)
    observed = KEEPER.observe(World(of, config_gc(**settings), *revisions), of.key)
    assert observed is not None
    return KEEPER.plan(observed, at)


def deleted_from(revisions: list[Revision], at: Any, ready: str = "", **settings: str) -> list[str]:
    made = retain(revisions, at, ready, **settings)
    return [one.object.metadata.name[-1] for one in made.actions if isinstance(one, Delete)]


RETAINED = [
    pytest.param(aged(2), LONG_AGO, "", [], id="the minimum is kept however old"),
    pytest.param(aged(4), LONG_AGO, "", ["1", "2"], id="stale ones go, the oldest first"),
    pytest.param(aged(4), NOW, "", [], id="young ones stay"),
    pytest.param(aged(6), NOW, "", ["1", "2"], id="above the maximum even young ones go"),
    pytest.param(aged(4), LONG_AGO, "hello-00001", ["2"], id="the latest ready one never goes"),
    pytest.param(
        [one.with_metadata(annotations={ANNOTATION_NO_GC: "True"}) for one in aged(4)],
        LONG_AGO,
        "",
        [],
        id="no-gc keeps it",
    ),
    pytest.param(
        [
            one.with_metadata(
                labels=one.metadata.labels | {"serving.knative.dev/routingState": "active"}
            )
            for one in aged(4)
        ],
        LONG_AGO,
        "",
        [],
        id="what gets traffic stays",
    ),
]


@pytest.mark.parametrize(("revisions", "at", "ready", "expected"), RETAINED)
def test_which_revisions_go(
    revisions: list[Revision], at: Any, ready: str, expected: list[str]
) -> None:
    assert deleted_from(revisions, at, ready) == expected


def test_a_revision_that_never_changed_its_state_counts_from_its_creation() -> None:
    plain = [one.with_metadata(annotations={}) for one in aged(3)]
    assert deleted_from(plain, LONG_AGO) == ["1"]


OFF = "disabled"
SHORT = {"retain_since_create_time": "10m", "retain_since_last_active_time": "1m"}


@pytest.mark.parametrize(
    ("count", "settings", "expected"),
    [
        pytest.param(4, SHORT, ["1", "2"], id="times of one's own"),
        pytest.param(
            4, {**SHORT, "retain_since_create_time": "20m"}, [], id="one that is too young stays"
        ),
        pytest.param(
            4,
            {**SHORT, "retain_since_create_time": OFF},
            ["1", "2"],
            id="how old it is may not count",
        ),
        pytest.param(
            6,
            {"retain_since_create_time": OFF, "retain_since_last_active_time": OFF},
            ["1", "2"],
            id="neither counts: only the maximum does",
        ),
        pytest.param(6, {"max_non_active_revisions": OFF}, [], id="no maximum"),
        pytest.param(
            9,
            {
                "retain_since_create_time": OFF,
                "retain_since_last_active_time": OFF,
                "max_non_active_revisions": OFF,
            },
            [],
            id="all of it is off",
        ),
        pytest.param(
            4,
            {**SHORT, "min_non_active_revisions": "0", "max_non_active_revisions": "0"},
            ["1", "2", "3", "4"],
            id="none need be kept",
        ),
    ],
)
def test_the_operator_says_which_revisions_go(
    count: int, settings: dict[str, str], expected: list[str]
) -> None:
    assert deleted_from(aged(count), NOW + timedelta(minutes=15), **settings) == expected


def test_it_looks_again_when_the_next_revision_will_be_too_old() -> None:
    # The third of four was last routed to at 03:03:05, and is to stay for a minute after that.
    short = {**SHORT, "retain_since_create_time": "0s", "min_non_active_revisions": "1"}
    made = retain(aged(4), NOW, **short)
    assert deleted_from(aged(4), NOW, **short) == ["1", "2", "3"]
    assert made.requeue_after_s is None, "only the least number is left"
    later = {**short, "retain_since_last_active_time": "2m"}
    made = retain(aged(4), NOW, **later)
    assert deleted_from(aged(4), NOW, **later) == ["1", "2"]
    assert made.requeue_after_s == 60.0
    assert retain(aged(4), NOW, max_non_active_revisions=OFF).requeue_after_s == 48 * 3600.0


def test_it_is_woken_by_the_map_and_by_revisions_that_get_no_traffic_any_more() -> None:
    of = configuration()
    world = World(of)
    assert KEEPER.wakes(config_gc(), world) == (of.key,)
    other = ConfigMap(meta("config-network", namespace="knative-serving"))
    assert KEEPER.wakes(other, world) == ()
    assert KEEPER.wakes(aged(1)[0], world) == (of.key,)
    assert KEEPER.wakes(revision(), world) == ()


# Namespaces and Events ---------------------------------------------------------------------------


def namespace(**fields: Any) -> Namespace:
    known: dict[str, Any] = {"namespace": "", "finalizers": (CONTENTS_FINALIZER,)}
    return Namespace(
        metadata=meta("default", **(known | fields)), status=NamespaceStatus(phase="Active")
    )


def keep(of: Namespace, *objects: Resource) -> Plan:
    controller = NamespaceController()
    observed = controller.observe(World(of, *objects), of.key)
    assert observed is not None
    return controller.plan(observed, NOW)


def test_a_namespace_is_held_by_its_contents() -> None:
    (update,) = keep(namespace(finalizers=())).actions
    assert isinstance(update, Update)
    assert update.object.metadata.finalizers == (CONTENTS_FINALIZER,)
    assert keep(namespace(), SERVICE) == NOTHING


def test_a_deleted_namespace_is_terminating_and_empties() -> None:
    going = namespace(deletion_timestamp=MOMENT)
    phase, delete = keep(going, SERVICE).actions
    assert isinstance(phase, UpdateStatus)
    assert isinstance(phase.object, Namespace)
    assert phase.object.status.phase == "Terminating"
    assert delete == Delete(SERVICE)
    (update,) = keep(phase.object).actions
    assert isinstance(update, Update)
    assert update.object.metadata.finalizers == ()


def test_only_what_is_in_a_deleted_namespace_wakes_it() -> None:
    controller = NamespaceController()
    assert controller.wakes(SERVICE, World(namespace())) == ()
    going = namespace(deletion_timestamp=MOMENT)
    assert controller.wakes(SERVICE, World(going)) == (going.key,)


def event(**fields: Any) -> Event:
    return Event(metadata=meta("e", creation_timestamp=MOMENT), **fields)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param({"last_timestamp": MOMENT}, id="last seen"),
        pytest.param({}, id="made"),
        pytest.param({"last_timestamp": "yesterday", "event_time": MOMENT}, id="unreadable"),
        pytest.param({"last_timestamp": "2026-01-02T03:04:05"}, id="without a zone"),
    ],
)
def test_an_event_is_kept_for_an_hour_after_it_was(seen: dict[str, str]) -> None:
    controller, kept = EventController(), event(**seen)
    assert controller.plan(kept, NOW) == Plan(requeue_after_s=3600.0)
    assert controller.plan(kept, NOW + timedelta(hours=1)) == Plan((Delete(kept),))

"""Traffic entries to revisions: Knative's merging, its groups, and the reason of each refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.conditions import FALSE, UNKNOWN
from simulator.resources.meta import ObjectMeta
from simulator.resources.podspec import Container, ContainerPort
from simulator.resources.serving import (
    LABEL_SERVICE,
    Configuration,
    Revision,
    RevisionSpec,
    TrafficTarget,
)
from simulator.traffic.targets import Assigned, BadTarget, Target, assign, status_traffic
from tests.support.world import (
    changed,
    configuration,
    is_false,
    is_true,
    is_unknown,
    revision,
    route,
)

A, B = revision("a", ready=is_true()), revision("b", ready=is_true(), generation=2)
CONFIGURATION = configuration(created="b", ready="b", conditions=(is_true(),))


def latest(percent: int, tag: str = "") -> TrafficTarget:
    return TrafficTarget(configuration_name="hello", latest_revision=True, percent=percent, tag=tag)


def pin(name: str, percent: int | None, tag: str = "") -> TrafficTarget:
    return TrafficTarget(revision_name=name, latest_revision=False, percent=percent, tag=tag)


def assigned(
    *traffic: TrafficTarget,
    revisions: tuple[Revision, ...] = (A, B),
    configurations: tuple[Configuration, ...] = (CONFIGURATION,),
    service: str = "hello",
) -> Assigned | BadTarget:
    labels = {LABEL_SERVICE: service} if service else {}
    return assign(
        route(traffic=traffic, labels=labels),
        {one.metadata.name: one for one in configurations},
        {one.metadata.name: one for one in revisions},
    )


SPLITS = [
    pytest.param([latest(100)], {"": {"b": 100}}, [("b", 100)], id="latest is the latest ready"),
    pytest.param(
        [pin("a", 90), latest(10)],
        {"": {"a": 90, "b": 10}},
        [("a", 90), ("b", 10)],
        id="a pinned revision beside the latest",
    ),
    pytest.param(
        [pin("a", 100), pin("b", None, "next")],
        {"": {"a": 100, "b": 0}, "next": {"b": 100}},
        [("a", 100), ("b", 0)],
        id="a tag without percent is reached by its host only",
    ),
    pytest.param(
        [pin("a", 80), pin("b", 20, "next")],
        {"": {"a": 80, "b": 20}, "next": {"b": 100}},
        [("a", 80), ("b", 20)],
        id="a tag with percent takes part in the main split",
    ),
    pytest.param(
        [pin("b", 40), latest(60)],
        {"": {"b": 100}},
        [("b", 40), ("b", 60)],
        id="one revision named in two ways gets all, status keeps both",
    ),
    pytest.param(
        [pin("a", 40), pin("b", 30), pin("a", 30)],
        {"": {"a": 70, "b": 30}},
        [("a", 70), ("b", 30)],
        id="equal entries are merged in status too",
    ),
    pytest.param(
        [pin("a", 100, "x"), pin("a", 0, "y")],
        {"": {"a": 100}, "x": {"a": 100}, "y": {"a": 100}},
        [("a", 100), ("a", 0)],
        id="two tags on one revision are two hosts",
    ),
]


@pytest.mark.parametrize(("traffic", "groups", "status"), SPLITS)
def test_traffic_is_assigned(
    traffic: list[TrafficTarget],
    groups: dict[str, dict[str, int]],
    status: list[tuple[str, int]],
) -> None:
    found = assigned(*traffic)
    assert isinstance(found, Assigned)
    assert {
        tag: {one.revision_name: one.percent for one in group}
        for tag, group in found.groups.items()
    } == groups
    assert [(one.revision_name, one.percent) for one in found.targets] == status


NOT_READY = configuration(conditions=(is_unknown(),))
NEVER_READY = configuration(conditions=(is_false("RevisionFailed", "m"),))
STARTING, FAILED = revision("c", ready=is_unknown()), revision("d", ready=is_false("R", "m"))

REFUSALS = [
    pytest.param(
        [latest(100)],
        {"configurations": (NOT_READY,)},
        BadTarget(
            UNKNOWN,
            "RevisionMissing",
            'Configuration "hello" is waiting for a Revision to become ready.',
        ),
        id="no revision is ready yet",
    ),
    pytest.param(
        [latest(100)],
        {"configurations": (NEVER_READY,)},
        BadTarget(
            FALSE, "RevisionMissing", 'Configuration "hello" does not have any ready Revision.'
        ),
        id="the first revision failed",
    ),
    pytest.param(
        [latest(100)],
        {"configurations": ()},
        BadTarget(
            FALSE, "ConfigurationMissing", 'Configuration "hello" referenced in traffic not found.'
        ),
        id="there is no such configuration",
    ),
    pytest.param(
        [pin("z", 100)],
        {},
        BadTarget(FALSE, "RevisionMissing", 'Revision "z" referenced in traffic not found.'),
        id="there is no such revision",
    ),
    pytest.param(
        [latest(100)],
        {"revisions": (A,)},
        BadTarget(FALSE, "RevisionMissing", 'Revision "b" referenced in traffic not found.'),
        id="the latest ready revision was deleted",
    ),
    pytest.param(
        [pin("c", 100)],
        {"revisions": (STARTING,)},
        BadTarget(UNKNOWN, "RevisionMissing", 'Revision "c" is not yet ready.'),
        id="a pinned revision is starting",
    ),
    pytest.param(
        [pin("d", 100)],
        {"revisions": (FAILED,)},
        BadTarget(FALSE, "RevisionMissing", 'Revision "d" failed to become ready.'),
        id="a pinned revision has failed",
    ),
    pytest.param(
        [pin("a", 100)],
        {"service": "other"},
        BadTarget(
            FALSE,
            "RevisionNotOwned",
            'Revision "a" belongs to Service "hello", not Service "other".',
        ),
        id="the revision is another Service's",
    ),
    pytest.param(
        [pin("e", 100)],
        {"revisions": (revision("e", ready=is_true(), service=""),)},
        BadTarget(FALSE, "RevisionNotOwned", 'Revision "e" does not belong to Service "hello".'),
        id="the revision is no Service's",
    ),
    pytest.param(
        [pin("d", 50), pin("c", 50)],
        {"revisions": (STARTING, FAILED)},
        BadTarget(FALSE, "RevisionMissing", 'Revision "d" failed to become ready.'),
        id="what failed goes before what is starting",
    ),
    pytest.param(
        [pin("c", 50), pin("d", 25), pin("z", 25)],
        {"revisions": (STARTING, FAILED)},
        BadTarget(FALSE, "RevisionMissing", 'Revision "z" referenced in traffic not found.'),
        id="of several failures the last is told",
    ),
    pytest.param(
        [pin("a", 100)],
        {"configurations": ()},
        BadTarget(
            FALSE, "ConfigurationMissing", 'Configuration "hello" referenced in traffic not found.'
        ),
        id="the pinned revision's configuration is gone",
    ),
]


@pytest.mark.parametrize(("traffic", "world", "bad"), REFUSALS)
def test_a_bad_target_says_why(
    traffic: list[TrafficTarget], world: dict[str, object], bad: BadTarget
) -> None:
    assert assigned(*traffic, **world) == bad  # type: ignore[arg-type]


def test_a_route_on_its_own_may_serve_any_services_revisions() -> None:
    assert isinstance(assigned(pin("a", 100), service=""), Assigned)


def test_a_revision_that_speaks_h2c_is_marked() -> None:
    port = ContainerPort(container_port=8080, name="h2c")
    spec = RevisionSpec(containers=(Container(name="c", image="i", ports=(port,)),))
    found = assigned(pin("a", 100), revisions=(changed(A, spec=spec),))
    assert isinstance(found, Assigned)
    expected = Target("a", 100, h2c=True, configuration_name="hello")
    assert found.groups[""] == (expected,)


def test_status_tells_percent_and_latest_always_and_urls_of_tags() -> None:
    found = assigned(pin("a", 100), latest(0, "next"))
    assert isinstance(found, Assigned)
    assert status_traffic(found, {"next": "http://next"}) == (
        TrafficTarget(revision_name="a", latest_revision=False, percent=100),
        TrafficTarget(
            tag="next", revision_name="b", latest_revision=True, percent=0, url="http://next"
        ),
    )


def test_a_revision_that_was_not_observed_at_its_generation_is_not_ready() -> None:
    unobserved = A.with_metadata(generation=2)
    found = assigned(pin("a", 100), revisions=(unobserved,))
    assert isinstance(found, BadTarget)


entries = st.lists(
    st.builds(
        lambda kind, percent, tag: (
            latest(percent, tag) if kind == "latest" else pin(kind, percent, tag)
        ),
        st.sampled_from(["latest", "a", "b"]),
        st.integers(0, 100),
        st.sampled_from(["", "x", "y"]),
    ),
    min_size=1,
    max_size=6,
)


@given(entries)
def test_no_percent_is_lost_and_no_revision_comes_twice(traffic: list[TrafficTarget]) -> None:
    found = assigned(*traffic)
    assert isinstance(found, Assigned)
    total = sum(entry.percent or 0 for entry in traffic)
    assert sum(one.percent for one in found.targets) == total
    main = found.groups[""]
    assert len({one.revision_name for one in main}) == len(main)
    assert sum(one.percent for one in main) == (100 if len(main) == 1 else total)
    assert set(found.groups) == {""} | {entry.tag for entry in traffic}
    assert {one.revision_name for one in main} == {
        "b" if entry.configuration_name else entry.revision_name for entry in traffic
    }


@given(entries)
def test_assigning_does_not_depend_on_anything_but_its_arguments(
    traffic: list[TrafficTarget],
) -> None:
    assert assigned(*traffic) == assigned(*traffic)


def test_an_entry_that_names_nothing_is_passed_over() -> None:
    nothing = TrafficTarget(percent=100)
    unnamed = route(traffic=(nothing,))
    assert assign(unnamed, {}, {}) == Assigned((), {})
    assert unnamed.metadata != ObjectMeta()

"""Configuration: names by generation, the latest created, the latest ready."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.controllers.configuration import ConfigurationController, make_revision
from simulator.reconciling.plan import Create, Plan, Record, UpdateStatus
from simulator.resources.conditions import FALSE, TRUE, UNKNOWN
from simulator.resources.core import ConfigMap
from simulator.resources.meta import OwnerReference
from simulator.resources.serving import Configuration, Revision
from tests.support.world import (
    MOMENT,
    NOW,
    World,
    changed,
    configuration,
    is_false,
    is_true,
    is_unknown,
    meta,
    revision,
    template,
    told,
)

CONTROLLER = ConfigurationController()
FAILED = is_false("ExitCode1", "Container failed with: boom")


def plan(of: Configuration, *revisions: Revision) -> Plan:
    observed = CONTROLLER.observe(World(of, *revisions), of.key)
    assert observed is not None
    return CONTROLLER.plan(observed, NOW)


def status_of(made: Plan) -> Any:
    (write,) = [one for one in made.actions if isinstance(one, UpdateStatus)]
    assert isinstance(write.object, Configuration)
    return write.object.status


def events(made: Plan) -> list[tuple[str, str, str]]:
    records = [one for one in made.actions if isinstance(one, Record)]
    return [(one.type, one.reason, one.message) for one in records]


def made_revision(made: Plan) -> Revision:
    (create,) = [one for one in made.actions if isinstance(one, Create)]
    assert isinstance(create.object, Revision)
    return create.object


def test_a_new_generation_gets_a_revision_of_its_number() -> None:
    made = plan(configuration(generation=12, observed=11))
    assert made_revision(made).metadata.name == "hello-00012"
    assert events(made) == [("Normal", "Created", 'Created Revision "hello-00012"')]
    status = status_of(made)
    assert status.latest_created_revision_name == "hello-00012"
    assert status.observed_generation == 12
    assert told(status.conditions) == {"Ready": (UNKNOWN, "", "")}


OWNER = OwnerReference("example.com/v1", "Thing", "t", "uid-t")


def with_template(**metadata: Any) -> Configuration:
    of = template()
    return configuration(spec=changed(of, metadata=changed(of.metadata, **metadata)))


def test_a_revision_has_the_templates_finalizers_and_owners_beside_its_configuration() -> None:
    of = with_template(finalizers=("example.com/wait",), owner_references=(OWNER,))
    made = made_revision(plan(of)).metadata
    assert made.finalizers == ("example.com/wait",)
    assert [one.uid for one in made.owner_references] == ["uid-t", of.uid]


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        pytest.param(
            {"owner_references": (changed(OWNER, controller=True),)},
            "metadata.ownerReferences: Invalid value: ",
            id="two controllers",
        ),
        pytest.param(
            {"finalizers": ("a b",)},
            'metadata.finalizers: Invalid value: "a b": name part must consist',
            id="a finalizer that is no name",
        ),
    ],
)
def test_a_revision_that_no_server_would_take_is_told_of_once(
    metadata: dict[str, Any], why: str
) -> None:
    of = with_template(**metadata)
    refused = f'Revision.serving.knative.dev "hello-00001" is invalid: {why}'
    made = plan(of)
    ((type_, reason, message),) = events(made)
    assert (type_, reason) == ("Warning", "CreationFailed")
    assert message.startswith(f"Failed to create Revision: {refused}")
    status, reason, message = told(status_of(made).conditions)["Ready"]
    assert (status, reason) == (FALSE, "RevisionFailed")
    assert message.startswith(f"Revision creation failed with message: {refused}")
    assert plan(changed(of, status=status_of(made))) == Plan(())


def test_a_new_revision_gets_the_operators_default_for_what_its_template_leaves_out() -> None:
    assert made_revision(plan(configuration())).spec.enable_service_links is False
    links = ConfigMap(
        meta("config-defaults", namespace="knative-serving"),
        data={"enable-service-links": "true"},
    )
    observed = CONTROLLER.observe(World(configuration(), links), configuration().key)
    assert observed is not None
    assert made_revision(CONTROLLER.plan(observed, NOW)).spec.enable_service_links is True


def test_a_revision_carries_the_templates_metadata_and_knatives_labels() -> None:
    of = configuration(
        labels={"serving.knative.dev/service": "hello", "team": "blue"},
        annotations={
            "serving.knative.dev/routes": "hello",
            "serving.knative.dev/lastModifier": "me",
        },
        spec=changed(
            template(), metadata=changed(template().metadata, labels={"x": "y"}, annotations={})
        ),
    )
    made = make_revision(of, NOW).metadata
    assert made.labels == {
        "x": "y",
        "serving.knative.dev/configuration": "hello",
        "serving.knative.dev/service": "hello",
        "serving.knative.dev/configurationGeneration": "1",
        "serving.knative.dev/configurationUID": "uid-hello-configuration",
        "serving.knative.dev/routingState": "active",
    }
    assert made.annotations == {
        "serving.knative.dev/creator": "me",
        "serving.knative.dev/routes": "hello",
        "serving.knative.dev/routingStateModified": MOMENT,
    }


def test_a_revision_that_no_route_knows_is_pending() -> None:
    made = make_revision(configuration(), NOW).metadata
    assert made.labels["serving.knative.dev/routingState"] == "pending"


def test_a_long_name_is_shortened_by_a_hash() -> None:
    made = make_revision(configuration("x" * 63), NOW)
    assert len(made.metadata.name) == 63
    assert made.metadata.name.endswith("-00001")


def of_generation(number: int, **fields: Any) -> Revision:
    return revision(f"hello-{number:05d}", generation=number, **fields)


STATES = [
    pytest.param(
        configuration(),
        [of_generation(1, ready=is_unknown("Deploying"))],
        ("hello-00001", "", (UNKNOWN, "", "")),
        [],
        id="it is starting",
    ),
    pytest.param(
        configuration(),
        [of_generation(1, ready=is_true())],
        ("hello-00001", "hello-00001", (TRUE, "", "")),
        ["Configuration becomes ready", 'LatestReadyRevisionName updated to "hello-00001"'],
        id="the first one is ready",
    ),
    pytest.param(
        configuration(),
        [of_generation(1, ready=FAILED)],
        (
            "hello-00001",
            "",
            (
                FALSE,
                "RevisionFailed",
                'Revision "hello-00001" failed with message: Container failed with: boom.',
            ),
        ),
        ['Latest created revision "hello-00001" has failed'],
        id="the first one failed",
    ),
    pytest.param(
        configuration(generation=2, created="hello-00001", ready="hello-00001"),
        [of_generation(1, ready=is_true()), of_generation(2, ready=FAILED)],
        (
            "hello-00002",
            "hello-00001",
            (
                FALSE,
                "RevisionFailed",
                'Revision "hello-00002" failed with message: Container failed with: boom.',
            ),
        ),
        ['Latest created revision "hello-00002" has failed'],
        id="the second one failed: the first stays the latest ready",
    ),
    pytest.param(
        configuration(generation=3, created="hello-00002", ready="hello-00001"),
        [
            of_generation(1, ready=is_true()),
            of_generation(2, ready=is_true()),
            of_generation(3, ready=is_unknown()),
        ],
        ("hello-00003", "hello-00002", (UNKNOWN, "", "")),
        ['LatestReadyRevisionName updated to "hello-00002"'],
        id="the newest ready one counts while the last is starting",
    ),
    pytest.param(
        configuration(generation=3, created="hello-00003", ready="hello-00002"),
        [
            of_generation(1, ready=is_true()),
            of_generation(2, ready=FAILED),
            of_generation(3, ready=is_unknown()),
        ],
        ("hello-00003", "hello-00002", (UNKNOWN, "", "")),
        [],
        id="the latest ready one never moves back",
    ),
    pytest.param(
        configuration(generation=2, created="hello-00002", ready="hello-00002"),
        [of_generation(1, ready=is_true()), of_generation(2, ready=FAILED)],
        (
            "hello-00002",
            "hello-00002",
            (
                FALSE,
                "RevisionFailed",
                'Revision "hello-00002" failed with message: Container failed with: boom.',
            ),
        ),
        ['Latest ready revision "hello-00002" has failed'],
        id="the latest ready one failed",
    ),
]


@pytest.mark.parametrize(("of", "revisions", "expected", "messages"), STATES)
def test_its_status_follows_its_revisions(
    of: Configuration, revisions: list[Revision], expected: Any, messages: list[str]
) -> None:
    made = plan(of, *revisions)
    status = status_of(made)
    created, ready, condition = expected
    assert status.latest_created_revision_name == created
    assert status.latest_ready_revision_name == ready
    assert told(status.conditions) == {"Ready": condition}
    assert [message for _, _, message in events(made)] == messages


def test_a_deleted_revision_of_the_present_generation_is_made_again() -> None:
    made = plan(configuration(created="hello-00001", ready="hello-00001"))
    assert made_revision(made).metadata.name == "hello-00001"


def test_a_revision_that_an_earlier_configuration_left_is_not_taken_over() -> None:
    left = of_generation(1, of=configuration(uid="earlier"), ready=is_true())
    made = plan(configuration(), left)
    assert made_revision(made).metadata.name == "hello-00001"  # clashes until the old one is gone
    assert status_of(made).latest_ready_revision_name == ""


NAMED = template(name="hello-one", TARGET="new")


def test_a_named_revision_is_made_under_its_name() -> None:
    assert made_revision(plan(configuration(spec=NAMED))).metadata.name == "hello-one"


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(revision("hello-one", of=configuration("other")), id="of another owner"),
        pytest.param(revision("hello-one", generation=9), id="with another spec"),
    ],
)
def test_a_name_that_is_taken_fails_it(taken: Revision) -> None:
    made = plan(configuration(spec=NAMED), taken)
    assert told(status_of(made).conditions)["Ready"] == (
        FALSE,
        "RevisionFailed",
        (
            "Revision creation failed with message: revisions.serving.knative.dev"
            ' "hello-one" already exists.'
        ),
    )


def test_naming_an_older_equal_revision_rolls_back() -> None:
    of = configuration(generation=3, spec=NAMED, created="hello-two", ready="hello-two")
    old = revision("hello-one", generation=1, ready=is_true(), spec=NAMED.spec)
    new = revision("hello-two", generation=2, ready=is_true())
    status = status_of(plan(of, old, new))
    assert status.latest_created_revision_name == "hello-one"
    assert status.latest_ready_revision_name == "hello-one"
    assert told(status.conditions)["Ready"] == (TRUE, "", "")


def test_a_settled_configuration_writes_and_tells_nothing() -> None:
    first = plan(configuration(), of_generation(1, ready=FAILED))
    (write,) = [one for one in first.actions if isinstance(one, UpdateStatus)]
    assert isinstance(write.object, Configuration)
    assert plan(write.object, of_generation(1, ready=FAILED)) == Plan()


def test_a_revision_wakes_its_configuration() -> None:
    assert CONTROLLER.wakes(of_generation(1), World()) == (configuration().key,)

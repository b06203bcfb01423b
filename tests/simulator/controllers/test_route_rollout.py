"""A Route's gradual rollout, driven look by look with a clock turned by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.controllers.route import RouteController, rollout_duration_s
from simulator.reconciling.plan import Create, Plan, Update, UpdateStatus
from simulator.resources.conditions import TRUE, UNKNOWN
from simulator.resources.core import ConfigMap
from simulator.resources.meta import ObjectMeta
from simulator.resources.networking import ANNOTATION_ROLLOUT, Ingress
from simulator.resources.serving import Configuration, Revision, Route, TrafficTarget
from tests.support.clocks import ManualClock
from tests.support.world import (
    World,
    changed,
    configuration,
    is_true,
    revision,
    route,
    told,
    without_placeholders,
)

LATEST = TrafficTarget(configuration_name="hello", latest_revision=True, percent=100)
DURATION = "serving.knative.dev/rollout-duration"
IN_PROGRESS = (
    UNKNOWN,
    "RolloutInProgress",
    "A gradual rollout of the latest revision(s) is in progress.",
)
READY = (TRUE, "", "")


class Story:
    """A Route, its Configuration and its Ingress, and a controller that looks at them."""

    def __init__(self, duration: str = "60s", *traffic: TrafficTarget) -> None:
        self.clock = ManualClock()
        self.controller = RouteController()
        self.route = route(traffic=traffic or (LATEST,), annotations={DURATION: duration})
        self.configuration: Configuration = configuration()
        self.revisions: list[Revision] = []
        self.ingress: Ingress | None = None
        self.maps: list[ConfigMap] = []
        self.made = Plan()

    def release(self, name: str) -> None:
        """Let a revision become the latest ready one."""
        self.revisions.append(revision(name, ready=is_true()))
        status = self.configuration.status
        self.configuration = changed(
            self.configuration,
            status=changed(
                status, latest_created_revision_name=name, latest_ready_revision_name=name
            ),
        )

    def look(self) -> Plan:
        """Plan once, and carry it out as the store does."""
        objects: list[Any] = [self.route, self.configuration, *self.revisions, *self.maps]
        world = World(*objects, *([self.ingress] if self.ingress else []))
        observed = self.controller.observe(world, self.route.key)
        assert observed is not None
        self.made = without_placeholders(self.controller.plan(observed, self.clock.now()))
        for action in self.made.actions:
            if isinstance(action, Create):
                assert isinstance(action.object, Ingress)
                self.ingress = action.object.with_metadata(uid="i", generation=1)
            elif isinstance(action, Update):
                assert isinstance(action.object, Ingress)
                self._update(action.object)
            elif isinstance(action, UpdateStatus):
                assert isinstance(action.object, Route)
                self.route = action.object
        return self.made

    def _update(self, new: Ingress) -> None:
        assert self.ingress is not None
        generation = self.ingress.metadata.generation or 0
        bumped = generation + (new.spec != self.ingress.spec)
        self.ingress = new.with_metadata(generation=bumped)

    def serve(self) -> None:
        """Let the gateway serve the Ingress as it is, if there is one."""
        if self.ingress is None:
            return
        status = msgspec.structs.replace(
            self.ingress.status,
            observed_generation=self.ingress.metadata.generation,
            conditions=(is_true(),),
        )
        self.ingress = changed(self.ingress, status=status)

    def settle(self) -> None:
        """Serve and look until there is nothing left to write."""
        self.serve()
        while self.look().actions:
            self.serve()

    def wait(self) -> None:
        """Let the time pass that the plan asked for."""
        assert self.made.requeue_after_s is not None
        self.clock.advance(self.made.requeue_after_s)

    def change(self, *traffic: TrafficTarget) -> None:
        meta = self.route.metadata
        self.route = changed(
            self.route.with_metadata(generation=(meta.generation or 0) + 1),
            spec=changed(self.route.spec, traffic=traffic),
        )

    @property
    def split(self) -> dict[str, int]:
        """What the Route's own host is served by."""
        assert self.ingress is not None
        (path,) = self.ingress.spec.rules[0].http.paths
        return {one.service_name: one.percent for one in path.splits}

    @property
    def told(self) -> list[tuple[str, int | None]]:
        return [(one.revision_name, one.percent) for one in self.route.status.traffic]

    @property
    def ready(self) -> tuple[str, str, str]:
        found = told(self.route.status.conditions)
        assert found["Ready"] == found["IngressReady"]
        return found["Ready"]


def begun(duration: str = "60s") -> Story:
    """Return a Route that served `a` alone, and then got `b`."""
    story = Story(duration)
    story.release("a")
    story.settle()
    assert (story.ready, story.split) == (READY, {"a": 100})
    story.release("b")
    return story


def test_the_first_revision_is_served_at_once() -> None:
    story = Story()
    story.release("a")
    story.settle()
    assert (story.ready, story.split) == (READY, {"a": 100})
    assert story.made.requeue_after_s is None


def test_a_new_revision_begins_with_1_percent_and_gets_a_pace_once_that_is_served() -> None:
    story = begun()
    assert story.look().requeue_after_s is None
    assert (story.ready, story.split) == (IN_PROGRESS, {"a": 99, "b": 1})
    assert story.told == [("a", 99), ("b", 1)]
    story.clock.advance(0.02)
    assert story.look().requeue_after_s is None
    story.serve()
    # The pace is noted on the Ingress without a new generation of it.
    assert [type(one) for one in story.look().actions] == [Update]
    assert story.made.requeue_after_s == pytest.approx(1.0)
    assert story.ingress is not None
    assert story.ingress.is_ready


def test_the_whole_ramp() -> None:
    story = begun()
    story.settle()
    percents = [story.split["b"]]
    while story.made.requeue_after_s is not None:
        assert story.ready == IN_PROGRESS
        story.wait()
        story.settle()
        percents.append(story.split["b"])
        assert sum(story.split.values()) == 100
        assert story.told == list(story.split.items())
    assert percents == [*range(1, 100, 2), 100]
    assert (story.ready, story.told) == (READY, [("b", 100)])


def test_a_look_too_early_asks_for_the_rest_of_the_time() -> None:
    story = begun()
    story.settle()
    story.clock.advance(0.25)
    assert story.look().actions == ()
    assert story.made.requeue_after_s == pytest.approx(0.75)


def test_a_step_does_not_wait_for_the_gateway_but_the_end_does() -> None:
    story = begun("5s")
    story.settle()
    for percent in (26, 51, 76, 100):
        story.clock.advance(1.0)
        story.look()
        assert story.split["b"] == percent
    assert story.ready[1] == "IngressNotConfigured"
    story.settle()
    assert story.ready == READY


def test_another_controller_goes_on_from_the_ingress_alone() -> None:
    story = begun()
    story.settle()
    story.controller = RouteController()
    story.wait()
    story.settle()
    assert story.split == {"a": 97, "b": 3}


def test_a_third_revision_in_the_middle_takes_over_and_the_first_two_leave_in_turn() -> None:
    story = begun("5s")
    story.settle()
    story.wait()
    story.settle()
    assert story.split == {"a": 74, "b": 26}
    story.release("c")
    story.settle()
    assert story.split == {"a": 74, "b": 25, "c": 1}
    seen = []
    while story.made.requeue_after_s is not None:
        story.wait()
        story.settle()
        seen.append(story.split)
    assert seen == [{"a": 74, "c": 26}, {"a": 49, "c": 51}, {"a": 24, "c": 76}, {"c": 100}]


def test_going_back_by_name_is_no_rollout_and_done_at_once() -> None:
    story = begun()
    story.settle()
    story.change(TrafficTarget(revision_name="a", latest_revision=False, percent=100))
    assert story.look().requeue_after_s is None
    assert story.split == {"a": 100}
    story.settle()
    assert (story.ready, story.told) == (READY, [("a", 100)])


def test_a_revision_that_is_there_by_name_and_by_rollout_has_one_split() -> None:
    story = Story("60s", LATEST)
    story.release("a")
    story.settle()
    pinned = TrafficTarget(revision_name="a", latest_revision=False, percent=40)
    story.change(
        TrafficTarget(configuration_name="hello", latest_revision=True, percent=60), pinned
    )
    story.release("b")
    story.settle()
    assert story.split == {"a": 99, "b": 1}
    assert story.told == [("a", 59), ("b", 1), ("a", 40)]


@pytest.mark.parametrize(
    "corrupt",
    [
        pytest.param("", id="there is none"),
        pytest.param("{", id="it is no JSON"),
        pytest.param('{"configurations":[{"configurationName":"x","percent":200}]}', id="unsound"),
    ],
)
def test_a_state_that_cannot_be_read_ends_the_rollout(corrupt: str) -> None:
    story = begun()
    story.settle()
    assert story.ingress is not None
    annotations = story.ingress.metadata.annotations | {ANNOTATION_ROLLOUT: corrupt}
    story.ingress = story.ingress.with_metadata(annotations=annotations)
    story.settle()
    assert (story.ready, story.split) == (READY, {"b": 100})


def test_without_the_annotation_in_the_middle_all_moves_at_once() -> None:
    story = begun()
    story.settle()
    story.route = story.route.with_metadata(annotations={})
    story.settle()
    assert (story.ready, story.split) == (READY, {"b": 100})


DURATIONS = [
    pytest.param({}, 0, 0, id="none at all"),
    pytest.param({}, 30, 30, id="the instance's"),
    pytest.param({DURATION: "1m30s"}, 30, 90, id="the route's own goes first"),
    pytest.param({DURATION: "0s"}, 30, 30, id="0 is none, as Knative's"),
    pytest.param({DURATION: ""}, 30, 30, id="empty is none"),
    pytest.param({DURATION: "1.9s"}, 30, 1, id="parts of a second do not count"),
    pytest.param({DURATION: "soon"}, 30, 30, id="what got past the webhook"),
    pytest.param({"serving.knative.dev/rolloutDuration": "7s"}, 0, 7, id="the older spelling"),
]


@pytest.mark.parametrize(("annotations", "stock_s", "expected"), DURATIONS)
def test_the_duration(annotations: dict[str, str], stock_s: int, expected: int) -> None:
    assert rollout_duration_s(route(annotations=annotations), stock_s) == expected


def test_config_networks_duration_counts_for_a_route_without_one() -> None:
    story = begun("")
    meta = ObjectMeta(name="config-network", namespace="knative-serving")
    story.maps.append(ConfigMap(meta, {"rollout-duration": "60"}))
    story.settle()
    assert (story.ready, story.split) == (IN_PROGRESS, {"a": 99, "b": 1})

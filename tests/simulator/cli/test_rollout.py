"""A gradual rollout in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.cli.describing import Described, describe_route, describe_service
from simulator.cli.rollout import is_in_progress, progress_lines, traffic_cell
from simulator.traffic.rollout import (
    ConfigurationRollout,
    RevisionRollout,
    Rollout,
    StepParams,
    serialize,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = 10**9
NOW_NS = int(NOW.timestamp()) * SECOND
REASON = {"type": "Ready", "status": "Unknown", "reason": "RolloutInProgress"}
TRAFFIC = [
    {"revisionName": "shop-00001", "percent": 63, "latestRevision": True},
    {"revisionName": "shop-00002", "percent": 37, "latestRevision": True},
    {"revisionName": "shop-00001", "percent": 0, "tag": "old", "url": "http://old"},
]


def noted(*configurations: ConfigurationRollout) -> dict[str, Any]:
    """Return an Ingress that notes this state."""
    text = serialize(Rollout(configurations))
    return {"metadata": {"annotations": {"networking.internal.knative.dev/rollout": text}}}


def moving(percent: int, tag: str = "", **pace: int) -> ConfigurationRollout:
    revisions = (
        RevisionRollout("shop-00001", 100 - percent),
        RevisionRollout("shop-00002", percent),
    )
    return ConfigurationRollout(
        configuration_name="shop",
        tag=tag,
        percent=100,
        revisions=revisions,
        step_params=StepParams(**pace),
    )


PACE = {"start_time": 1, "next_step_time": NOW_NS + SECOND // 2, "step_duration": SECOND}
PROGRESS = [
    pytest.param(
        moving(37, step_size=2, **PACE),
        ["shop-00002 has 37% of 100%; 2% more every 1s, about 32s to go"],
        id="half a second, and 31 steps after it",
    ),
    pytest.param(
        moving(98, step_size=2, **(PACE | {"next_step_time": 5})),
        ["shop-00002 has 98% of 100%; 2% more every 1s, about 0s to go"],
        id="the last step is due",
    ),
    pytest.param(
        moving(1, step_size=1, **(PACE | {"step_duration": 36_363_636_363})),
        ["shop-00002 has 1% of 100%; 1% more every 36.4s, about 59m24s to go"],
        id="an hour",
    ),
    pytest.param(
        moving(1, "next", start_time=1),
        ["shop-00002 has 1% of #next; the gateway does not serve it yet"],
        id="a tag's host, without a pace",
    ),
]


@pytest.mark.parametrize(("one", "lines"), PROGRESS)
def test_progress(one: ConfigurationRollout, lines: list[str]) -> None:
    over = ConfigurationRollout(
        configuration_name="else", percent=100, revisions=(RevisionRollout("e", 100),)
    )
    assert progress_lines(noted(one, over), NOW_NS) == lines


def test_an_ingress_without_a_state_has_no_progress() -> None:
    assert progress_lines({"metadata": {}}, NOW_NS) == []
    assert progress_lines(noted(), NOW_NS) == []


def test_who_gets_the_requests_fits_in_a_cell() -> None:
    tagged = {"revisionName": "shop-00003", "percent": 5, "tag": "next"}
    assert traffic_cell({"status": {"traffic": [*TRAFFIC, tagged]}}) == (
        "shop-00001=63,shop-00002=37,shop-00003#next=5"
    )
    assert traffic_cell({}) == ""


def revision(number: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"shop-{number:05d}",
            "labels": {"serving.knative.dev/configurationGeneration": str(number)},
        },
        "spec": {"containers": [{"image": "shop:v1"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def test_a_service_tells_its_rollout_and_calls_only_the_newest_latest() -> None:
    service = {
        "metadata": {"name": "shop", "namespace": "default"},
        "status": {"conditions": [REASON], "latestReadyRevisionName": "shop-00002"},
    }
    assert is_in_progress(service)
    shown = [Described(revision(1), TRAFFIC[0]), Described(revision(2), TRAFFIC[1])]
    lines = describe_service(service, shown, NOW, verbose=False, rollout=["half way"])
    text = "\n".join(line.rstrip() for line in lines)
    assert "\nRollout:    half way\n" in text
    assert "\n   37%  @latest (shop-00002) [2]" in text
    assert "\n   63%  shop-00001 [1]" in text


def test_a_route_is_described_as_kn_describes_it() -> None:
    route = {
        "metadata": {
            "name": "shop",
            "namespace": "default",
            "ownerReferences": [
                {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "shop"}
            ],
        },
        "status": {
            "url": "http://shop.default.example.com",
            "conditions": [REASON],
            "traffic": TRAFFIC,
        },
    }
    lines = describe_route(route, NOW, verbose=False, rollout=["a third", "and a tag"])
    assert [line.rstrip() for line in lines] == [
        "Name:       shop",
        "Namespace:  default",
        "Age:",
        "URL:        http://shop.default.example.com",
        "Service:    shop",
        "Rollout:    a third",
        "            and a tag",
        "",
        "Traffic Targets:",
        "   63%  @latest (shop-00001)",
        "   37%  @latest (shop-00002)",
        "    0%  shop-00001 #old",
        "        URL:  http://old",
        "",
        "Conditions:",
        "  OK TYPE     AGE REASON",
        "  ?? Ready        RolloutInProgress",
    ]
    verbose = describe_route(route, NOW, verbose=True)
    assert "Service:    shop (serving.knative.dev/v1)" in [line.rstrip() for line in verbose]

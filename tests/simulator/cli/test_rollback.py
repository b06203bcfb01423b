"""Which revision `knary rollback` goes back to."""

from __future__ import annotations

from typing import Any

import pytest

from knary.traffic import NoWayBack, rollback_target
from simulator.cli.rollback import all_to


def revision(number: int, ready: str = "True") -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"shop-{number:05d}",
            "labels": {"serving.knative.dev/configurationGeneration": str(number)},
        },
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def service(
    taking: dict[int, int], *, latest_share: int = 0, latest_created: int = 0
) -> dict[str, Any]:
    traffic = [{"revisionName": f"shop-{number:05d}", "percent": n} for number, n in taking.items()]
    spec = [{"latestRevision": True, "percent": latest_share}] if latest_share else traffic
    return {
        "metadata": {"name": "shop"},
        "spec": {"traffic": spec},
        "status": {
            "traffic": traffic,
            "latestCreatedRevisionName": f"shop-{latest_created:05d}",
        },
    }


@pytest.mark.parametrize(
    ("found", "revisions", "target"),
    [
        pytest.param(service({2: 100}), [revision(1), revision(2)], 1, id="the one before"),
        pytest.param(
            service({3: 100}),
            [revision(1), revision(2, "False"), revision(3)],
            1,
            id="the newest that is ready",
        ),
        pytest.param(
            service({1: 50, 2: 50}),
            [revision(1), revision(2)],
            1,
            id="in the middle of a canary, the stable one",
        ),
        pytest.param(
            service({2: 90, 3: 0, 10: 10}),
            [revision(2), revision(3), revision(10)],
            3,
            id="older than the newest that takes traffic, by number and not by name",
        ),
        pytest.param(
            service({1: 100}, latest_share=100, latest_created=2),
            [revision(1), revision(2, "False")],
            1,
            id="from a latest revision that failed, to the one that serves",
        ),
        pytest.param(
            service({2: 100}),
            [revision(3), revision(2), revision(1)],
            1,
            id="never to a newer one",
        ),
    ],
)
def test_the_newest_older_ready_revision_is_chosen(
    found: dict[str, Any], revisions: list[dict[str, Any]], target: int
) -> None:
    assert rollback_target(found, revisions, None) == f"shop-{target:05d}"


@pytest.mark.parametrize(
    ("found", "to", "message"),
    [
        pytest.param(service({1: 100}), None, "no older ready revision", id="nothing older"),
        pytest.param(service({}), None, "no older ready revision", id="nothing takes traffic"),
        pytest.param(
            service({2: 100}), "x", "has no revision 'x'; it has: shop-00001", id="unknown"
        ),
        pytest.param(service({2: 100}), "shop-00003", "is not ready", id="not ready"),
    ],
)
def test_what_cannot_be_gone_back_to_is_refused(
    found: dict[str, Any], to: str | None, message: str
) -> None:
    revisions = [revision(1), revision(2), revision(3, "False")]
    with pytest.raises(NoWayBack, match=message):
        rollback_target(found, revisions, to)


def test_a_named_revision_may_be_a_newer_one() -> None:
    found = service({1: 100})
    assert rollback_target(found, [revision(1), revision(2)], "shop-00002") == "shop-00002"


def test_everything_goes_to_the_revision_and_tags_stay() -> None:
    found = service({1: 50, 2: 50})
    found["spec"]["traffic"][1]["tag"] = "new"
    assert all_to("shop-00001", found) == [
        {"revisionName": "shop-00001", "percent": 100},
        {"revisionName": "shop-00002", "percent": 0, "tag": "new"},
    ]

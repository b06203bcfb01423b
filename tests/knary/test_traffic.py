"""What `traffic` writes: percents by revision, and the tags that were there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from knary.traffic import full_name, split_among


def to(revision: str, percent: int, **more: str) -> dict[str, Any]:
    return {"revisionName": revision, "latestRevision": False, "percent": percent, **more}


@pytest.mark.parametrize(
    ("percents", "tags", "before", "expected"),
    [
        pytest.param({"shop-00001": 100}, {}, [], [to("shop-00001", 100)], id="all to one"),
        pytest.param(
            {"00001": 90, "00002": 10},
            {},
            [],
            [to("shop-00001", 90), to("shop-00002", 10)],
            id="named without the service",
        ),
        pytest.param(
            {"@latest": 100}, {}, [], [{"latestRevision": True, "percent": 100}], id="the latest"
        ),
        pytest.param(
            {"00001": 100},
            {"candidate": "00002"},
            [],
            [to("shop-00002", 0, tag="candidate"), to("shop-00001", 100)],
            id="a tag without traffic",
        ),
        pytest.param(
            {"00001": 60, "00002": 40},
            {},
            [to("shop-00002", 100, tag="candidate")],
            [to("shop-00002", 40, tag="candidate"), to("shop-00001", 60)],
            id="a tag of before stays, on its share",
        ),
        pytest.param(
            {"00001": 100},
            {"a": "00003"},
            [to("shop-00002", 0, tag="a")],
            [to("shop-00003", 0, tag="a"), to("shop-00001", 100)],
            id="a tag moves",
        ),
    ],
)
def test_the_traffic_of_percents(
    percents: Mapping[str, int],
    tags: Mapping[str, str],
    before: list[dict[str, Any]],
    expected: list[dict[str, Any]],
) -> None:
    assert split_among("shop", percents, tags, before) == expected


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("00002", "shop-00002"),
        ("shop-00002", "shop-00002"),
        ("v2", "shop-v2"),
        ("@latest", "@latest"),
    ],
)
def test_a_revision_may_be_named_without_its_service(given: str, full: str) -> None:
    assert full_name("shop", given) == full

"""Columns, ages, conditions and descriptions as kubectl and kn print them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.cli import conditions, describing
from simulator.cli.describe import describe_object
from simulator.cli.describing import Described, describe_service
from simulator.cli.output import clean, without_managed_fields
from simulator.cli.revision import order, revision_cells, shortened
from simulator.cli.service_list import service_cells
from simulator.cli.tabs import aligned
from simulator.resources.ages import age, human_duration, short_duration

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def ago(seconds: int) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("seconds", "text", "short"),
    [
        (0, "0s", "0s"),
        (-1, "0s", "0s"),
        (-5, "<invalid>", "<invalid>"),
        (119, "119s", "1m"),
        (120, "2m", "2m"),
        (150, "2m30s", "2m"),
        (10 * 60 + 5, "10m", "10m"),
        (179 * 60, "179m", "2h"),
        (3 * 3600 + 60, "3h1m", "3h"),
        (47 * 3600, "47h", "1d"),
        (50 * 3600, "2d2h", "2d"),
        (10 * 86_400, "10d", "10d"),
        (800 * 86_400, "2y70d", "2y"),
        (9 * 365 * 86_400, "9y", "9y"),
    ],
)
def test_durations_are_rounded_as_kubernetes_does(seconds: int, text: str, short: str) -> None:
    assert (human_duration(seconds), short_duration(seconds)) == (text, short)


def test_an_age_of_nothing_is_unknown() -> None:
    assert [age(None, NOW), age("soon", NOW), age(ago(61), NOW)] == ["<unknown>"] * 2 + ["61s"]


def test_columns_are_three_spaces_apart_and_at_least_six_wide() -> None:
    assert aligned([["NAME", "READY"], ["helloworld", "True"], ["a", ""]]) == [
        "NAME         READY",
        "helloworld   True",
        "a            ",
    ]
    assert aligned([["A", "B"], ["1", "2"]]) == ["A     B", "1     2"]


def test_a_column_ends_where_a_line_has_no_such_cell() -> None:
    rows = [["a", "x"], ["bbbb", "y"], ["alone"], ["c", "z"]]
    assert aligned(rows, minimum=0, padding=1) == ["a    x", "bbbb y", "alone", "c z"]


def test_what_the_api_says_cannot_drive_the_terminal() -> None:
    assert clean("a\x1b[31mb\x1b]0;title\x07c\x00\td\ne") == "ab0;titlec\td\ne"


def test_bookkeeping_is_not_shown() -> None:
    found = {"metadata": {"name": "a", "managedFields": [1]}}
    assert without_managed_fields({"items": [found]}) == {"items": [{"metadata": {"name": "a"}}]}


def ready(status: str, **more: str) -> dict[str, Any]:
    return {"type": "Ready", "status": status, "lastTransitionTime": ago(30), **more}


SERVICE = {
    "metadata": {
        "name": "shop",
        "namespace": "default",
        "creationTimestamp": ago(150),
        "annotations": {"serving.knative.dev/creator": "me", "team": "a"},
    },
    "spec": {},
    "status": {
        "url": "http://shop.default.example.com",
        "latestReadyRevisionName": "shop-00002",
        "latestCreatedRevisionName": "shop-00003",
        "conditions": [
            ready("False", reason="RevisionFailed", message="it crashed"),
            {"type": "RoutesReady", "status": "True"},
            {"type": "Active", "status": "Unknown", "severity": "Info"},
        ],
        "traffic": [
            {"revisionName": "shop-00001", "percent": 90, "latestRevision": False, "tag": "old"},
            {"revisionName": "shop-00002", "percent": 10, "latestRevision": True},
        ],
    },
}


def revision(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"shop-{number:05d}",
            "namespace": "default",
            "creationTimestamp": ago(150),
            "labels": {
                "serving.knative.dev/service": "shop",
                "serving.knative.dev/configurationGeneration": str(number),
            },
        },
        "spec": {"containers": [{"image": "shop:v1", "env": [{"name": "A", "value": "1"}]}]},
        "status": {"conditions": [ready(status, reason="Why")], **more},
    }


REVISIONS = {number: revision(number, "True") for number in (1, 2)} | {3: revision(3, "False")}


def test_a_service_is_a_row_of_kns_table() -> None:
    assert service_cells(SERVICE, NOW) == [
        "shop",
        "http://shop.default.example.com",
        "shop-00002",
        "2m30s",
        "1 OK / 3",
        "False",
        "RevisionFailed : it crashed",
    ]


def test_a_revision_is_a_row_with_its_traffic_and_tags() -> None:
    services = {("default", "shop"): SERVICE}
    cells = revision_cells(REVISIONS[1], services, NOW)
    assert cells == ["shop-00001", "shop", "90%", "old", "1", "2m30s", "1 OK / 1", "True", ""]
    assert revision_cells(REVISIONS[3], services, NOW)[2:4] == ["", ""]


def test_revisions_are_listed_newest_first() -> None:
    listed = sorted(REVISIONS.values(), key=order)
    assert [each["metadata"]["name"][-1] for each in listed] == ["3", "2", "1"]


def test_long_cells_are_cut_as_kn_cuts_them() -> None:
    assert (shortened("x" * 50), shortened("x" * 51)) == ("x" * 50, "x" * 46 + " ...")


def test_an_object_without_conditions_is_unknown() -> None:
    assert conditions.ready_of({}) == conditions.reason_of({}) == "<unknown>"
    assert conditions.ok_of_all({}) == "0 OK / 0"


def test_a_service_is_described_as_kn_describes_it() -> None:
    traffic = SERVICE["status"]["traffic"]  # type: ignore[index]
    shown = [
        Described(REVISIONS[1], traffic[0]),
        Described(REVISIONS[2], traffic[1]),
        Described(REVISIONS[3], None),
    ]
    lines = describe_service(SERVICE, shown, NOW, verbose=False)
    assert [line.rstrip() for line in lines] == [
        "Name:         shop",
        "Namespace:    default",
        "Annotations:  team=a",
        "Age:          2m",
        "URL:          http://shop.default.example.com",
        "",
        "Revisions:",
        "     !  shop-00003 (latest created) [3] (2m)",
        "        Error:  Why",
        "        Image:  shop:v1",
        "   10%  @latest (shop-00002) [2] (2m)",
        "        Image:  shop:v1",
        "   90%  shop-00001 #old [1] (2m)",
        "        Image:  shop:v1",
        "",
        "Conditions:",
        "  OK TYPE           AGE REASON",
        "  !! Ready          30s RevisionFailed",
        "  ++ RoutesReady",
        "  ?? Active",
    ]


def test_a_pinned_image_is_shown_by_the_name_that_the_user_gave() -> None:
    pinned = revision(1, "True", containerStatuses=[{"imageDigest": "shop@sha256:abcdef0123"}])
    pinned["metadata"]["annotations"] = {"client.knative.dev/user-image": "shop:v1"}
    rows = describe_service(SERVICE, [Described(pinned, None)], NOW, verbose=False)
    assert any("Image:  shop:v1 (pinned to abcdef)" in row for row in rows)


def test_verbose_shows_what_a_revision_was_given() -> None:
    lines = describe_service(SERVICE, [Described(REVISIONS[1], None)], NOW, verbose=True)
    assert any(line.split() == ["Env:", "A=1"] for line in lines)
    assert "RevisionFailed (it crashed)" in "\n".join(lines)


def test_a_revision_without_its_generation_is_an_error_that_says_so() -> None:
    lost = revision(1, "True")
    del lost["metadata"]["labels"]
    with pytest.raises(describing.KnaryError, match="configuration generation for revision shop"):
        describe_service(SERVICE, [Described(lost, None)], NOW, verbose=False)


def test_any_object_is_described_with_its_fields_in_words_and_its_events() -> None:
    events = [
        {
            "metadata": {},
            "type": "Warning",
            "reason": "BackOff",
            "message": "again",
            "lastTimestamp": ago(5),
            "count": 3,
            "source": {"component": "supervisor"},
        }
    ]
    found = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"latestRevision": True, "ports": [{"containerPort": 80}], "empty": []},
    }
    assert [line.rstrip() for line in describe_object(found, events, NOW)] == [
        "Name:         p",
        "Namespace:    n",
        "Labels:       <none>",
        "Annotations:  <none>",
        "API Version:  v1",
        "Kind:         Pod",
        "Metadata:",
        "  Uid:  u",
        "Spec:",
        "  Latest Revision:  true",
        "  Ports:",
        "    Container Port:  80",
        "  Empty:",
        "Events:",
        "  Type     Reason   Age      From        Message",
        "  ----     ------   ---      ----        -------",
        "  Warning  BackOff  5s (x3)  supervisor  again",
    ]

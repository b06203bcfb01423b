"""Traffic splits with kn: the scenarios of its own end-to-end suite (TestTrafficSplit), as a table.

Each begins with `create`, goes on with `update`, and ends with what status.traffic must be.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from tests.support.clients import Client

pytestmark = pytest.mark.timeout(120)

NAMED = "--revision-name echo-rev-1"  # the create that most begin with
V1 = "--env TARGET=v1"
V2 = "--env TARGET=v2"
REV1, REV2, REV3 = "echo-rev-1", "echo-rev-2", "echo-rev-3"
FIRST, SECOND = "echo-00001", "echo-00002"


class Target(NamedTuple):
    """An entry of status.traffic."""

    tag: str
    revision: str
    percent: int
    is_latest: bool = False


# Name, create's options, updates (with "!" before one that kn or the server refuses), targets.
SPLITS = [
    (
        "50:50",
        "",
        [
            f"{V1} --revision-name {REV1}",
            f"{V2} --revision-name {REV2}",
            f"--tag {REV1}=v1,{REV2}=v2 --traffic v1=50,v2=50",
        ],
        [Target("v1", REV1, 50), Target("v2", REV2, 50)],
    ),
    (
        "20:80",
        "",
        [
            f"{V1} --revision-name {REV1}",
            f"{V2} --revision-name {REV2}",
            f"--traffic {REV1}=20,{REV2}=80",
        ],
        [Target("", REV1, 20), Target("", REV2, 80)],
    ),
    (
        "45:55, the rest given by itself",
        "",
        [f"{V1} --traffic 80", f"--traffic {FIRST}=45"],
        [Target("", FIRST, 45), Target("", SECOND, 55)],
    ),
    (
        "45 to a new @latest, the rest to the one before",
        "",
        [f"{V1} --traffic @latest=45"],
        [Target("", SECOND, 45, True), Target("", FIRST, 55)],
    ),
    (
        "45 to the one before, the rest to a new @latest",
        "",
        [f"{V1} --traffic {FIRST}=45"],
        [Target("", SECOND, 55, True), Target("", FIRST, 45)],
    ),
    (
        "no rest given by itself with three revisions",
        "",
        [
            f"{V1} --traffic 40",
            f"{V2} --traffic {FIRST}=10,{SECOND}=20",
            f"! --traffic {FIRST}=50",
        ],
        [Target("", "echo-00003", 70, True), Target("", FIRST, 10), Target("", SECOND, 20)],
    ),
    (
        "no rest given by itself with three revisions and @latest",
        "",
        [f"{V1} --traffic 20", f"! {V2} --traffic @latest=50"],
        [Target("", SECOND, 20, True), Target("", FIRST, 80)],
    ),
    (
        "TagCandidate",
        NAMED,
        [f"{V1} --revision-name {REV2}", f"--tag {REV1}=candidate"],
        [Target("", REV2, 100, True), Target("candidate", REV1, 0)],
    ),
    (
        "TagCandidate:2:98",
        NAMED,
        [
            f"{V1} --revision-name {REV2}",
            f"--tag {REV1}=candidate --traffic candidate=2%,@latest=98%",
        ],
        [Target("", REV2, 98, True), Target("candidate", REV1, 2)],
    ),
    (
        "TagCurrent",
        NAMED,
        [
            f"{V2} --revision-name {REV2}",
            f"--env TARGET=v3 --revision-name {REV3}",
            f"--tag {REV1}=current,{REV2}=candidate",
            f"--untag current,candidate --tag {REV2}=current",
        ],
        [Target("", REV3, 100, True), Target("current", REV2, 0)],
    ),
    (
        "TagStagingLatest",
        NAMED,
        ["--tag @latest=testing", "--untag testing --tag @latest=staging"],
        [Target("staging", REV1, 100, True)],
    ),
    (
        "TagStagingNonLatest",
        NAMED,
        [
            f"{V2} --revision-name {REV2}",
            f"--tag {REV1}=testing",
            f"--untag testing --tag {REV1}=staging",
        ],
        [Target("", REV2, 100, True), Target("staging", REV1, 0)],
    ),
    (
        "RemoveTag",
        NAMED,
        [
            f"{V2} --revision-name {REV2}",
            f"--tag {REV1}=old --traffic old=2,@latest=98",
            "--untag old --traffic @latest=100",
        ],
        [Target("", REV2, 100, True)],
    ),
    (
        "TagStable:50:50",
        NAMED,
        [
            f"{V2} --revision-name {REV2}",
            f"--tag {REV1}=stable,{REV1}=current --traffic stable=50%,current=50%",
        ],
        [Target("stable", REV1, 50), Target("current", REV1, 50)],
    ),
    (
        "RevertToLatest",
        NAMED,
        [f"{V2} --revision-name {REV2}", f"--traffic {REV1}=100", "--traffic @latest=100"],
        [Target("", REV2, 100, True)],
    ),
    (
        "TagLatestAsCurrent",
        NAMED,
        ["--tag @latest=current"],
        [Target("current", REV1, 100, True)],
    ),
    (
        "TagLatestAsCurrentWithoutKey",
        NAMED,
        ["--tag current"],
        [Target("current", REV1, 100, True)],
    ),
    (
        "TagMisspelledLatestAsCurrent",
        NAMED,
        ["! --tag @ltest=current"],
        [Target("", REV1, 100, True)],
    ),
    (
        "UpdateTag:100:0",
        NAMED,
        [
            f"{V2} --revision-name {REV2}",
            f"--tag @latest=current,{REV1}=candidate --traffic current=90,candidate=10",
            f"--untag candidate --tag {REV1}=testing --traffic testing=100",
        ],
        [Target("current", REV2, 0, True), Target("testing", REV1, 100)],
    ),
    (
        "TagReplace",
        NAMED,
        [
            f"{V2} --revision-name {REV2}",
            f"--tag {REV1}=latest",
            f"--untag latest --tag {REV1}=old,{REV2}=latest",
        ],
        [Target("", REV2, 100, True), Target("old", REV1, 0), Target("latest", REV2, 0)],
    ),
    (
        "CreateWithTag",
        f"{NAMED} --tag foo",
        [],
        [Target("foo", REV1, 100, True)],
    ),
    (
        "UntagNonExistentTag",
        NAMED,
        [f"--tag {REV1}=latest", "! --untag foo"],
        [Target("", REV1, 100, True), Target("latest", REV1, 0)],
    ),
    (
        "UntagNonExistentTagAndValidTag",
        NAMED,
        [f"--tag {REV1}=latest", "! --untag latest --untag foo"],
        [Target("", REV1, 100, True), Target("latest", REV1, 0)],
    ),
]


@pytest.mark.parametrize(
    ("create", "updates", "expected"), [pytest.param(*row[1:], id=row[0]) for row in SPLITS]
)
def test_a_split_ends_as_kns_own_suite_wants(
    create: str, updates: list[str], expected: list[Target], kn: Client
) -> None:
    made = kn.run("service", "create", "echo", "--image", "helloworld-go", *create.split())
    assert "Ready" in made.out
    try:
        for update in updates:
            is_refused = update.startswith("! ")
            words = update.removeprefix("! ").split()
            done = kn.run("service", "update", "echo", *words, check=False)
            assert (done.status != 0) == is_refused, (update, done.out, done.err)
        described = kn.run("service", "describe", "echo", "-o", "json").out
        traffic = json.loads(described)["status"]["traffic"]
        assert [as_target(entry) for entry in traffic] == expected
    finally:
        kn.run("service", "delete", "echo", "--wait")


def as_target(entry: dict[str, object]) -> Target:
    return Target(
        str(entry.get("tag", "")),
        str(entry["revisionName"]),
        int(str(entry["percent"])),
        bool(entry["latestRevision"]),
    )

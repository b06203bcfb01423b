"""Faults as a user has them: only the canary suffers, workers restart, and clear ends it all."""

from __future__ import annotations

import http.client
import json
from collections import Counter

from tests.support.instance import HELLO, REQUEST_S_MAX, Instance


def statuses(knary: Instance, count: int) -> Counter[int]:
    """Return how many of so many answers, on one connection, had each status."""
    connection = http.client.HTTPConnection(*knary.gateway, timeout=REQUEST_S_MAX)
    found: Counter[int] = Counter()
    for _ in range(count):
        connection.request("GET", "/", headers={"Host": "ill.default.example.com"})
        answer = connection.getresponse()
        answer.read()
        found[answer.status] += 1
    connection.close()
    return found


def test_only_the_canary_suffers_until_all_is_cleared() -> None:
    with Instance("--workers", "2") as knary:
        knary.run("service", "create", "ill", "--image", HELLO)
        knary.run(
            *("service", "update", "ill", "--env", "TARGET=Knative"),
            *("--traffic", "ill-00001=90,@latest=10"),
        )
        knary.run("fault", "add", "ill", "abort", "--status", "503", "--revision", "ill-00002")
        assert statuses(knary, 200) == {200: 180, 503: 20}
        listed = json.loads(knary.run("status", "-o", "json").out)["faults"]
        assert [one["name"] for one in listed] == ["ill-abort"]
        assert "ill-abort" in knary.run("status").out
        assert "ill-abort" in knary.run("get", "faults").out
        knary.run("restart-workers")
        assert statuses(knary, 200)[503] == 20
        knary.run("fault", "clear")
        assert statuses(knary, 40) == {200: 40}
        assert knary.run("fault", "list").out == "No faults.\n"

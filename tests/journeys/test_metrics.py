"""What a user of Prometheus, of `knary top` and of the access log sees of a real instance."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.instance import HELLO, Instance
from tests.support.scraping import Series, scraped, total
from tests.support.waiting import eventually

REQUESTS = 50
COUNTERS = ("_total", "_count", "_bucket", "_sum")


@pytest.fixture(scope="module")
def log_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "access.log"


@pytest.fixture(scope="module")
def knary(log_file: Path) -> Iterator[Instance]:
    with Instance("--workers", "2", "--access-log", str(log_file)) as instance:
        instance.run("service", "create", "hello", "--image", HELLO)
        yield instance


def check_never_less(before: Series, after: Series) -> None:
    for key, value in before.items():
        if key[0].endswith(COUNTERS) and not key[0].startswith("kube_"):
            assert after.get(key, 0.0) >= value, key


def test_every_request_is_counted_and_logged_once(knary: Instance, log_file: Path) -> None:
    before = scraped(knary)
    knary.texts("hello", REQUESTS)
    assert knary.request("nowhere.default.example.com").status == 404
    expected = total(before, "revision_request_count", "2xx") + REQUESTS

    # Each of the two workers shows what it counted at its own time.
    def counted() -> bool:
        seen = scraped(knary)
        answered = total(seen, "revision_request_count", "2xx") >= expected
        return answered and total(seen, "knary_heads_refused_total", "404") >= 1

    eventually("the counts", counted)
    after = scraped(knary)
    check_never_less(before, after)
    assert total(after, "revision_request_count", "2xx", "hello-00001") == expected
    assert total(after, "revision_request_latencies_count", "2xx") == expected
    assert total(after, "knary_revision_requests_begun_total") == expected
    assert total(after, "knary_revision_requests_in_flight") == 0
    assert total(after, "knary_revision_replicas_ready", "hello-00001") == 1
    assert total(after, "knary_heads_refused_total", "404") == 1
    assert total(after, "knary_worker_up") == 2
    assert total(after, "knary_table_version") > 0
    assert total(after, "knary_tables_installed_total") >= 2
    eventually("the log", lambda: log_file.read_text().count('"path":"/"') > REQUESTS)
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    answered = [line for line in lines if line["revision"] == "default/hello-00001"]
    assert len(answered) == expected
    assert {(line["status"], line["service"]) for line in answered} == {(200, "default/hello")}
    assert [line["status"] for line in lines if not line["revision"]] == [404]


def test_counters_never_go_back_when_workers_are_killed(knary: Instance) -> None:
    knary.texts("hello", REQUESTS)
    eventually("counts", lambda: total(scraped(knary), "revision_request_count") >= REQUESTS)
    before = scraped(knary)
    with knary.load("hello", 100.0) as load:
        for _ in range(2):
            victim = knary.pid("gateway")
            os.kill(victim, signal.SIGKILL)

            def is_replaced(victim: int = victim) -> bool:
                nonlocal before
                after = scraped(knary)
                check_never_less(before, after)
                before = after
                pids = knary.pids().get("gateway", [])
                return victim not in pids and total(after, "knary_worker_up") == 2

            eventually("another worker", is_replaced)
        seen = len(load.answers)
        eventually("more answers", lambda: len(load.answers) > seen + 50)
    assert total(scraped(knary), "knary_worker_starts_total") == 4

    def all_ended() -> bool:
        nonlocal before
        after = scraped(knary)
        check_never_less(before, after)
        before = after
        begun = total(after, "knary_revision_requests_begun_total")
        ended = total(after, "revision_request_count")
        ended += total(after, "knary_revision_requests_aborted_total")
        return begun == ended and total(after, "knary_revision_requests_in_flight") == 0

    eventually("the end of all requests", all_ended)


def test_a_restarted_control_plane_goes_on_counting(knary: Instance) -> None:
    before = scraped(knary)
    victim = knary.pid("control-plane")
    os.kill(victim, signal.SIGKILL)

    def is_replaced() -> bool:
        return victim not in knary.pids().get("control-plane", [victim])

    eventually("another control plane", is_replaced)
    eventually("status", lambda: knary.run("status", check=False).status == 0)
    check_never_less(before, scraped(knary))


def test_top_shows_what_was_asked(knary: Instance) -> None:
    knary.texts("hello", REQUESTS)

    # Each of the two workers shows what it counted at its own time.
    def shown() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]]
        rows = json.loads(knary.run("top", "hello", "-o", "json").out)["rows"]
        return rows if sum(row["answers"] for row in rows) >= REQUESTS else []

    (row,) = eventually("the requests", shown)
    assert row["revision"] == "hello-00001"
    assert row["p99Microseconds"] >= row["p50Microseconds"] > 0
    table = knary.run("top").out.splitlines()
    assert table[0].split()[:4] == ["SERVICE", "REVISION", "TAG", "REQUESTS"]
    assert table[1].split()[:2] == ["hello", "hello-00001"]
    assert knary.run("top", "nobody").err == (
        "No requests were counted yet for service 'nobody'; `knary get ksvc -A` lists what there"
        " is.\n"
    )

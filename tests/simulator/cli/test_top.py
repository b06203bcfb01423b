"""`knary top`: what it computes and how it is shown."""

from __future__ import annotations

import pytest

from simulator.cli.top import cells, duration, sessions, with_rates

ROW = {
    "namespace": "default",
    "service": "hello",
    "revision": "hello-00001",
    "tag": "",
    "requests": 10,
    "answers": 9,
    "errors": 1,
    "inFlight": 1,
    "sessionsNew": 7,
    "sessionsMoved": 2,
    "p50Microseconds": 850,
    "p99Microseconds": 1234,
}


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        pytest.param(0, "", id="no answer yet"),
        pytest.param(7, "7µs", id="one digit"),
        pytest.param(850, "850µs", id="microseconds"),
        pytest.param(999, "999µs", id="the last of them"),
        pytest.param(1_234, "1.2ms", id="few milliseconds"),
        pytest.param(35_000, "35ms", id="milliseconds"),
        pytest.param(999_600, "1.0s", id="rounded up"),
        pytest.param(2_400_000, "2.4s", id="seconds"),
        pytest.param(600_000_000, "600s", id="the longest time-out"),
    ],
)
def test_a_duration_is_short(microseconds: int, expected: str) -> None:
    assert duration(microseconds) == expected


def test_the_rate_is_of_the_time_between_the_two_answers() -> None:
    before = {"monotonicSeconds": 10.0, "rows": [ROW]}
    newer = {**ROW, "requests": 40}
    fresh = {**ROW, "revision": "hello-00002", "requests": 4}
    after = {"monotonicSeconds": 12.0, "rows": [newer, fresh]}
    assert [row["requestsPerSecond"] for row in with_rates(before, after)] == [15.0, 2.0]


@pytest.mark.parametrize(
    ("row", "with_namespace", "expected"),
    [
        pytest.param({}, False, "hello", id="one namespace"),
        pytest.param({}, True, "default/hello", id="several"),
        pytest.param({"service": "", "revision": "", "namespace": ""}, True, "others", id="rest"),
    ],
)
def test_a_row_names_its_service(row: dict[str, str], with_namespace: bool, expected: str) -> None:
    shown = cells({**ROW, "requestsPerSecond": 3.26, **row}, with_namespace=with_namespace)
    assert shown[0] == expected
    assert shown[3:] == (10, "3.3/s", 1, "850µs", "1.2ms", 1)


def test_sessions_are_shown_apart_from_requests() -> None:
    assert sessions(ROW) == (7, 2)

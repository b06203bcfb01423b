"""What the load generators say, and what is made of it."""

from __future__ import annotations

import pytest

from benchmarks.harness.drivers import h2load, wrk

H2LOAD = """\
starting benchmark...
finished in {took}, 123.00 req/s, 1.20MB/s
requests: {total} total, {total} started, {done} done, {ok} succeeded, {bad} failed, \
{bad} errored, 0 timeout
status codes: {codes} 2xx, 0 3xx, 0 4xx, {other} 5xx
traffic: 1.00MB (1000000) total
"""


def h2load_says(**changed: object) -> str:
    values = {"took": "2.50s", "total": 300, "done": 300, "ok": 300, "bad": 0, "codes": 300}
    return H2LOAD.format(**{**values, "other": 0, **changed})


def test_wrks_last_line_is_its_counts() -> None:
    said = "Running 1s test\n  stuff\n\nRESULT 5000 2000000 0 321 987\n"
    counts = wrk.parsed(said)
    assert (counts.requests, counts.elapsed_s, counts.p50_us, counts.p99_us) == (5000, 2, 321, 987)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param("wrk: unable to connect", "no result", id="wrk did not run"),
        pytest.param("RESULT 10 1000000 3 1 2", "3 of 10", id="requests failed"),
        pytest.param("RESULT 0 1000000 0 0 0", "0 of 0", id="nothing was sent"),
    ],
)
def test_a_failed_run_of_wrk_counts_nothing(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wrk.parsed(said)


@pytest.mark.parametrize(
    ("took", "seconds"), [("2.50s", 2.5), ("250.00ms", 0.25), ("900us", 0.0009), ("1.5m", 90)]
)
def test_h2loads_summary_is_its_counts_in_any_unit(took: str, seconds: float) -> None:
    counts = h2load.parsed(h2load_says(took=took))
    assert counts.requests == 300
    assert counts.elapsed_s == pytest.approx(seconds)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("Could not resolve the host", id="it did not run"),
        pytest.param(h2load_says(ok=299, bad=1), id="one failed"),
        pytest.param(h2load_says(codes=200, other=100), id="some were answered 503"),
        pytest.param(h2load_says(total=0, done=0, ok=0, codes=0), id="nothing was sent"),
    ],
)
def test_a_failed_run_of_h2load_counts_nothing(said: str) -> None:
    with pytest.raises(ValueError, match=r"no result|succeeded"):
        h2load.parsed(said)


def test_h2loads_log_has_a_latency_per_line() -> None:
    log = "1700000000000000\t200\t150\n1700000000000100\t200\t350\n"
    assert h2load.latencies_us(log) == [150.0, 350.0]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", id="one with a body"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="one without"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nX: 1\r\n\r\n", id="an empty one"),
    ],
)
def test_the_paced_driver_knows_where_an_answer_ends(load, answer: bytes) -> None:
    whole_bytes = load("drivers.paced").whole_bytes
    assert whole_bytes(answer) == len(answer)
    for cut in range(len(answer)):
        assert whole_bytes(answer[:cut]) > cut

"""What /metrics says is read by Prometheus' own parsers, and says exactly what was counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from gateway.metrics.cell import CLIENT_GONE, Cell
from gateway.metrics.layout import WORKER_COUNTERS, WORKER_GAUGES
from simulator.metrics.counts import CellCounts, WorkerCounts, summed
from simulator.metrics.exposition import OPENMETRICS, TEXT, Family, format_for, text_of
from simulator.metrics.families import BOUNDS_MS, BOUNDS_US, cell_families, worker_families
from simulator.metrics.replicas import ReplicaSeen, build_family, replica_families
from tests.support.metrics_cells import counted

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", TEXT, id="nothing asked"),
        pytest.param("*/*", TEXT, id="curl"),
        pytest.param("text/html,*/*;q=0.8", TEXT, id="a browser"),
        pytest.param("text/plain;version=0.0.4", TEXT, id="the text format"),
        pytest.param("application/openmetrics-text", OPENMETRICS, id="OpenMetrics"),
        pytest.param("application/openmetrics-text; version=1.0.0", OPENMETRICS, id="its version"),
        pytest.param("application/openmetrics-text;q=0", TEXT, id="refused"),
        pytest.param("application/openmetrics-text;version=9.0.0", TEXT, id="not offered"),
        pytest.param("APPLICATION/OPENMETRICS-TEXT", OPENMETRICS, id="in capitals"),
        pytest.param("application/openmetrics-text;q=0.2,text/plain;q=0.9", TEXT, id="text first"),
        pytest.param("application/openmetrics-text;q=x", OPENMETRICS, id="a malformed weight"),
        pytest.param(PROMETHEUS_3, OPENMETRICS, id="Prometheus 3"),
    ],
)
def test_the_format_is_the_one_that_is_asked_for(accept: str, expected: str) -> None:
    assert format_for(accept) == expected


def parsed(families: list[Family], content_type: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return samples by name, then by label values, as Prometheus' own parser reads them."""
    text = text_of(families, content_type)
    read = openmetrics_parser if content_type == OPENMETRICS else parser
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in read.text_string_to_metric_families(text):
        for sample in family.samples:
            # This parser, unlike Prometheus itself, ends every counter's name in _total.
            written = f"\n{sample.name}{{" in text
            name = sample.name if written else sample.name.removesuffix("_total")
            series = found.setdefault(name, {})
            labels = tuple(sample.labels.values())
            assert labels not in series, "one series, one sample"
            series[labels] = sample.value
    return found


def hello() -> tuple[CellCounts, ...]:
    cell = Cell("default/hello", "default/hello-00001", "")
    tagged = Cell("default/hello", "default/hello-00002", "blue")
    others = Cell("", "", "")
    cell.begun = 4
    cell.done(200, 1024, 0, 13)
    cell.done(200, 1025, 0, 13)
    cell.done(503, 20, 5, 30)
    cell.called(0, 200)
    cell.called(13, 200)
    cell.called(14, 503)
    cell.answered_here += 1
    cell.waited(3_000_000)
    tagged.begun = 1
    tagged.sessions_new, tagged.sessions_moved = 3, 2
    tagged.aborted(CLIENT_GONE, 0, 9)
    others.begun = 1
    return counted(cell, tagged, others)


def worker() -> WorkerCounts:
    counters = dict(zip(WORKER_COUNTERS, range(1, 100), strict=False))
    gauges = dict(zip(WORKER_GAUGES, range(1, 100), strict=False))
    return WorkerCounts(0, 4711, 2, 5_000_000_000, counters, gauges)


def everything() -> list[Family]:
    replica = ReplicaSeen("default", "hello-00001", "hello-00001-x", 3, is_ready=True)
    return [
        *cell_families(hello()),
        *worker_families([worker()], 5_500_000_000),
        *replica_families([replica]),
        build_family("0.2.0", "3.11.7", ["interpreted", "interpreted"]),
    ]


@pytest.mark.parametrize("content_type", [TEXT, OPENMETRICS], ids=["text", "openmetrics"])
def test_both_formats_say_what_was_counted(content_type: str) -> None:
    found = parsed(everything(), content_type)
    one = ("default", "hello", "hello", "hello-00001", "DEFAULT")
    two = ("default", "hello", "hello", "hello-00002", "blue")
    rest = ("", "_others", "_others", "_others", "DEFAULT")
    assert found["revision_request_count"] == {(*one, "2xx"): 2, (*one, "5xx"): 1}
    latency = found["revision_request_latencies_bucket"]
    assert latency[(*one, "2xx", "0.768")] == 0
    assert latency[(*one, "2xx", "1.024")] == 1  # exact: an upper edge belongs to its bucket
    assert latency[(*one, "2xx", "1.536")] == 2
    assert latency[(*one, "2xx", "+Inf")] == 2
    assert latency[(*one, "5xx", "0.512")] == 1
    assert found["revision_request_latencies_count"][(*one, "2xx")] == 2
    assert found["revision_request_latencies_sum"][(*one, "2xx")] == pytest.approx(2.049)
    assert found["knary_revision_requests_begun_total"] == {one: 4, two: 1, rest: 1}
    assert found["knary_revision_requests_in_flight"] == {one: 1, two: 0, rest: 1}
    assert found["knary_revision_requests_aborted_total"] == {(*two, "client_gone"): 1}
    calls = found["knary_revision_grpc_calls_total"]
    assert calls == {(*one, "OK"): 1, (*one, "INTERNAL"): 1, (*one, "UNAVAILABLE"): 1}
    sessions = found["knary_revision_sessions_total"]
    assert sessions == {(*two, "new"): 3, (*two, "moved"): 2}
    assert hello()[1].errors == 2  # the 503 is one of them already
    assert found["knary_revision_gateway_answers_total"][one] == 1
    assert found["knary_revision_request_bytes_total"][one] == 5
    assert found["knary_revision_response_bytes_total"][one] == 56
    assert found["knary_revision_queue_time_seconds_sum"] == {one: 3.0}
    assert found["knary_worker_up"] == {("0",): 1}
    assert found["knary_worker_heartbeat_age_seconds"] == {("0",): 0.5}
    assert found["envoy_http_downstream_cx_total"] == {("0",): 2}
    assert found["envoy_cluster_upstream_cx_active"] == {("0",): 7}
    assert found["knary_sessions_forgotten_total"] == {("0",): 13}
    assert found["knary_heads_refused_total"][("0", "400")] == 15
    assert found["knary_revision_replicas_ready"] == {("default", "hello-00001"): 1}
    assert found["kube_pod_container_status_restarts_total"] == {("default", "hello-00001-x"): 3}
    assert found["knary_build_info"] == {("0.2.0", "3.11.7", "interpreted"): 1}


def test_a_series_has_one_name_in_both_formats() -> None:
    names = [set(parsed(everything(), content_type)) for content_type in (TEXT, OPENMETRICS)]
    assert names[0] == names[1]


def test_openmetrics_names_units_and_ends() -> None:
    lines = text_of(everything(), OPENMETRICS).splitlines()
    assert lines[-1] == "# EOF"
    assert "# UNIT knary_worker_cpu_seconds seconds" in lines
    assert "# TYPE knary_worker_cpu_seconds counter" in lines
    assert "# TYPE revision_request_count unknown" in lines
    assert "# TYPE revision_request_count counter" in text_of(everything(), TEXT).splitlines()


def test_nothing_counted_is_an_empty_page_that_parses() -> None:
    assert text_of([], TEXT) == ""
    assert text_of([], OPENMETRICS) == "# EOF\n"
    assert parsed(cell_families(()), OPENMETRICS) == {}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_a_label_holds_comes_out_as_it_is(text: str) -> None:
    family = Family("knary_x", "gauge", "help with \\ and \n newline")
    family.add((("label", text),), 1)
    for content_type in (TEXT, OPENMETRICS):
        if content_type == OPENMETRICS or not _breaks_lines(text):
            assert parsed([family], content_type) == {"knary_x": {(text,): 1.0}}


def _breaks_lines(text: str) -> bool:
    """Tell whether the text parser of Python, not Prometheus', would take it for two lines."""
    return len(text.splitlines()) > 1 or text.splitlines() != [text]


@given(st.lists(st.integers(1, 1 << 32), max_size=30))
def test_cumulative_counts_are_exact_at_every_bound(durations_us: list[int]) -> None:
    cell = Cell("a/b", "a/c", "")
    for duration in durations_us:
        cell.begun += 1
        cell.done(200, duration, 0, 0)
    found = parsed(cell_families(counted(cell)), OPENMETRICS)
    for bound_us, bound in zip((*BOUNDS_US, math.inf), (*BOUNDS_MS, "+Inf"), strict=True):
        expected = sum(duration <= bound_us for duration in durations_us)
        if durations_us:
            key = ("a", "b", "b", "c", "DEFAULT", "2xx", bound)
            assert found["revision_request_latencies_bucket"][key] == expected


def test_files_of_two_workers_add_up() -> None:
    one, other = Cell("a/b", "a/c", ""), Cell("a/b", "a/c", "")
    for cell, number in ((one, 2), (other, 3)):
        for _ in range(number):
            cell.begun += 1
            cell.done(200, 100, 1, 2)
    (both,) = counted(one, other)
    assert (both.begun, both.answers, both.bytes_up, both.bytes_down) == (5, 5, 5, 10)
    assert summed(()).cells == ()

"""What every figure is called. Pure.

A revision's requests have Knative's names and labels (queue-proxy's), connections and what happens
towards replicas Envoy's, and what neither has begins with knary_. docs/metrics.md is the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from gateway.metrics.histogram import bucket_of
from gateway.metrics.layout import REFUSED_STATUSES
from simulator.metrics.counts import CellCounts, WorkerCounts
from simulator.metrics.exposition import Family, Histogram

# Bounds are edges of the gateway's buckets, so the counts are exact. Two for each power of two
# from 0.5 ms to 17 s, then one, to 9 minutes; the longest timeoutSeconds is 10.
BOUNDS_US = (
    *(edge for power in range(9, 25) for edge in (1 << power, 3 << (power - 1))),
    *(1 << power for power in range(25, 30)),
)
_BUCKETS = tuple(bucket_of(edge) for edge in BOUNDS_US)
BOUNDS_MS = tuple(str(edge / 1e3) for edge in BOUNDS_US)
BOUNDS_S = tuple(str(edge / 1e6) for edge in BOUNDS_US)

UNTAGGED = "DEFAULT"  # queue-proxy's route_tag of a request that no tag was asked for
OTHERS = "_others"  # no name of Kubernetes': what had no cell of its own


def cell_families(cells: Iterable[CellCounts]) -> list[Family]:
    """Return the figures by service, revision and tag."""
    count = Family(
        "revision_request_count", "counter", "Requests whose answer went out whole, by status class"
    )
    latency = Family(
        "revision_request_latencies",
        "histogram",
        "Milliseconds from a request's head to its answer's last byte",
        bounds=BOUNDS_MS,
    )
    begun = Family("knary_revision_requests_begun_total", "counter", "Requests given a revision")
    flying = Family("knary_revision_requests_in_flight", "gauge", "Requests not ended yet")
    aborted = Family(
        "knary_revision_requests_aborted_total",
        "counter",
        "Requests whose answer did not go out whole, by reason",
    )
    calls = Family(
        "knary_revision_grpc_calls_total",
        "counter",
        "gRPC calls whose answer went out whole, by the status that their client reads",
    )
    here = Family(
        "knary_revision_gateway_answers_total",
        "counter",
        "Answers that the gateway made itself, such as 502, 503 and 504",
    )
    up = Family("knary_revision_request_bytes_total", "counter", "Bytes of request bodies", "bytes")
    down = Family(
        "knary_revision_response_bytes_total", "counter", "Bytes of answers' bodies", "bytes"
    )
    waits = Family(
        "knary_revision_queue_time_seconds",
        "histogram",
        "Waits for a replica or a connection, of requests that waited",
        "seconds",
        BOUNDS_S,
    )
    sessions = Family(
        "knary_revision_sessions_total",
        "counter",
        "Sticky sessions given a revision: new ones, and those moved there by a change of shares",
    )
    for cell in cells:
        labels = _labels(cell)
        for status_class, counts in cell.latency.items():
            classed = (*labels, ("response_code_class", status_class))
            count.add(classed, sum(counts))
            latency.add(classed, _histogram(counts, cell.latency_us[status_class] / 1e3))
        begun.add(labels, cell.begun)
        flying.add(labels, cell.in_flight)
        for reason, number in cell.aborts.items():
            aborted.add((*labels, ("reason", reason)), number)
        for status, number in cell.calls.items():
            calls.add((*labels, ("grpc_status", status)), number)
        here.add(labels, cell.answered_here)
        up.add(labels, cell.bytes_up)
        down.add(labels, cell.bytes_down)
        if cell.sessions_new or cell.sessions_moved:
            sessions.add((*labels, ("how", "new")), cell.sessions_new)
            sessions.add((*labels, ("how", "moved")), cell.sessions_moved)
        if any(cell.waits):
            waits.add(labels, _histogram(cell.waits, cell.waits_us / 1e6))
    return [count, latency, begun, flying, aborted, calls, here, up, down, sessions, waits]


def worker_families(workers: Sequence[WorkerCounts], now_ns: int) -> list[Family]:
    """Return the figures by worker; `now_ns` is of the system's monotonic clock."""
    families = [
        Family("knary_worker_up", "gauge", "Whether a process serves as this worker"),
        Family("knary_worker_starts_total", "counter", "Processes that served as this worker"),
        Family(
            "knary_worker_heartbeat_age_seconds",
            "gauge",
            "Since the worker last wrote its counts; ten times a second is usual",
            "seconds",
        ),
        Family("knary_worker_cpu_seconds_total", "counter", "User and system time", "seconds"),
    ]
    up, starts, age, cpu = families
    refused = Family(
        "knary_heads_refused_total", "counter", "Requests refused before they had a revision"
    )
    for worker in workers:
        labels = (("worker", str(worker.worker)),)
        up.add(labels, int(worker.pid > 0))
        starts.add(labels, worker.lives)
        if worker.pid:
            age.add(labels, max(0, now_ns - worker.heartbeat_ns) / 1e9)
        cpu.add(labels, worker.counters["cpu_us"] / 1e6)
        for status in REFUSED_STATUSES:
            if number := worker.counters[f"refused_{status}"]:
                refused.add((*labels, ("response_code", str(status))), number)
    return [*families, *_counters(workers), refused, *_gauges(workers)]


_COUNTERS = (
    ("connections_accepted", "envoy_http_downstream_cx_total", "Clients' connections"),
    (
        "connections_refused",
        "envoy_listener_downstream_cx_overflow",
        "Clients' connections refused: connections_max were open",
    ),
    (
        "h2_connections_accepted",
        "envoy_http_downstream_cx_http2_total",
        "Clients' connections in HTTP/2",
    ),
    ("h2_streams_begun", "envoy_http_downstream_rq_http2_total", "Requests in HTTP/2"),
    ("dials", "envoy_cluster_upstream_cx_total", "Connections to replicas that were begun"),
    (
        "dial_failures",
        "envoy_cluster_upstream_cx_connect_fail",
        "Connections to replicas that failed",
    ),
    ("retries", "envoy_cluster_upstream_rq_retry", "Requests that were sent a second time"),
    ("tables_installed", "knary_tables_installed_total", "Route tables taken into use"),
    ("tables_refused", "knary_tables_refused_total", "Route tables that did not compile"),
    ("access_log_lines", "knary_access_log_lines_total", "Lines for the access log"),
    (
        "access_log_dropped",
        "knary_access_log_dropped_total",
        "Lines lost because the access log could not be written in time",
    ),
    (
        "sessions_forgotten",
        "knary_sessions_forgotten_total",
        "Sticky sessions by header or address that made room for others: sessions_max are too few",
    ),
    (
        "turns_alone",
        "knary_turns_alone_total",
        "Turns of splits that a worker took by itself: others were faster too often",
    ),
)
_GAUGES = (
    ("connections_open", "envoy_http_downstream_cx_active", "Clients' connections open"),
    (
        "h2_connections_open",
        "envoy_http_downstream_cx_http2_active",
        "Clients' connections in HTTP/2 open",
    ),
    (
        "requests_waiting",
        "envoy_cluster_upstream_rq_pending_active",
        "Requests that wait for a replica or a connection",
    ),
    ("table_version", "knary_table_version", "Version of the route table in use"),
    (
        "splits_alone",
        "knary_splits_alone",
        "Splits whose turns a worker takes by itself: there was no place for them",
    ),
)


def _counters(workers: Sequence[WorkerCounts]) -> list[Family]:
    families = []
    for field, name, text in _COUNTERS:
        family = Family(name, "counter", text)
        for worker in workers:
            family.add((("worker", str(worker.worker)),), worker.counters[field])
        families.append(family)
    return families


def _gauges(workers: Sequence[WorkerCounts]) -> list[Family]:
    families = []
    for field, name, text in _GAUGES:
        family = Family(name, "gauge", text)
        for worker in workers:
            family.add((("worker", str(worker.worker)),), worker.gauges[field])
        families.append(family)
    active = Family("envoy_cluster_upstream_cx_active", "gauge", "Connections to replicas")
    pool = Family("knary_upstream_connections", "gauge", "Connections to replicas, idle or in use")
    install = Family(
        "knary_table_install_seconds",
        "gauge",
        "How long the last route table took to get into use",
        "seconds",
    )
    for worker in workers:
        labels, gauges = (("worker", str(worker.worker)),), worker.gauges
        active.add(labels, gauges["pool_idle"] + gauges["pool_in_use"])
        pool.add((*labels, ("state", "idle")), gauges["pool_idle"])
        pool.add((*labels, ("state", "in_use")), gauges["pool_in_use"])
        install.add(labels, gauges["table_install_us"] / 1e6)
    return [*families, active, pool, install]


def _labels(cell: CellCounts) -> tuple[tuple[str, str], ...]:
    namespace, _, service = cell.service.rpartition("/")
    revision_namespace, _, revision = cell.revision.rpartition("/")
    if not revision:
        namespace, service, revision = "", OTHERS, OTHERS
    return (
        ("namespace_name", namespace or revision_namespace),
        ("service_name", service),
        ("configuration_name", service),  # a Service's Configuration has its name
        ("revision_name", revision),
        ("route_tag", cell.tag or UNTAGGED),
    )


def _histogram(counts: Sequence[int], total: float) -> Histogram:
    below = list(accumulate(counts))
    return Histogram([*(below[bucket] for bucket in _BUCKETS), below[-1]], total)

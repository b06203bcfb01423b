"""`knary bench gateway` as a user starts it: real processes, sockets and peers."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.harness.documents.envelope import Document
from benchmarks.harness.documents.gateway import GatewayResult
from benchmarks.harness.gateway.command import FELL_BEHIND
from benchmarks.harness.peers import proxies
from tests.support.instance import HELLO, Instance
from tests.support.knary import all_gone, knary, read_until, start

pytestmark = pytest.mark.timeout(120)  # 10 s on an idle machine; a busy one is no failure

SHORT = ("bench", "gateway", "--duration", "500ms", "--warm-up", "100ms")
# A closed loop has no schedule, so that a busy machine cannot make it fall behind.
CLOSED = (*SHORT, "--closed", "--connections", "4")
TRIES = 5  # until the machine is quiet enough for half a second of open loop


def document(text: str) -> Document[GatewayResult]:
    return msgspec.json.decode(text, type=Document[GatewayResult])


def value(made: Document[GatewayResult], name: str, **labels: str) -> float:
    (found,) = [each.value for each in made.measures if (each.name, each.labels) == (name, labels)]
    return found


def left_behind(home: Path) -> list[Path]:
    return [path for path in home.iterdir() if path.is_dir()]


def test_alone_it_measures_an_instance_of_its_own_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    for _ in range(TRIES):
        done = knary(tmp_path, *SHORT, "--rate", "200", "--traffic", "80/20", "--json", "-")
        if done.returncode != FELL_BEHIND:
            break
    assert done.returncode == 0, done.stderr
    made = document(done.stdout)
    (ours,) = made.results.gateways
    assert (ours.name, ours.splitter, ours.workers) == ("knary", "stratified", 1)
    assert ours.shares == {"bench-00001": 0.8, "bench-00002": 0.2}
    assert value(made, "requests", gateway="knary") == 100
    assert value(made, "failed", gateway="knary") == 0
    assert value(made, "requests", gateway="knary", revision="bench-00001") == 80
    assert value(made, "split_error_percent", gateway="knary") == 0
    assert value(made, "split_lag_requests", gateway="knary") < value(
        made, "split_bound_requests", gateway="knary"
    )
    assert value(made, "cold_starts", gateway="knary") == 0
    if sys.platform.startswith("linux"):
        assert value(made, "cpu_us_per_request", gateway="knary") > 0
        assert value(made, "memory_bytes", gateway="knary") > 1e6
    assert left_behind(tmp_path) == []


def test_beside_a_peer_both_take_turns_before_the_same_replicas(tmp_path: Path) -> None:
    if proxies.missing(("nginx",)):
        pytest.skip("nginx is not installed")
    words = ("--peers", "nginx,envoy", "--pairs", "2", "--json", "result.json")
    done = knary(tmp_path, *CLOSED, *words)
    assert done.returncode == 0, done.stderr
    for word in ("GATEWAY", "CPU/REQUEST", "nginx", "cannot tell", "bench-00002"):
        assert word in done.stdout
    made = document((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert made.peers["nginx"] == proxies.version("nginx")
    first_turns = [sample.gateway for sample in made.results.samples if not sample.void]
    assert first_turns[0] != first_turns[-len(set(first_turns))]  # another one begins each pair
    for sample in made.results.samples:
        assert sample.metrics["requests"] > 10
        assert set(sample.revisions) == {"bench-00001", "bench-00002"}
    told = {each.metric: each for each in made.results.comparisons if each.peer == "nginx"}
    assert len(told["p50_us"].ratios) == 2
    assert told["p50_us"].verdict == "cannot tell"
    assert left_behind(tmp_path) == []


def test_a_running_service_is_measured_and_left_alone() -> None:
    with Instance("--workers", "2") as instance:
        instance.run("service", "create", "hello", "--image", HELLO)
        before = instance.status()["replicas"]
        told = instance.run(*CLOSED, "--service", "hello", "--json", "-")
        made = document(told.out)
        assert value(made, "requests", gateway="knary", revision="hello-00001") > 10
        assert made.results.gateways[0].workers == 2
        assert instance.status()["replicas"] == before


def test_stopped_half_way_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with start(tmp_path, "bench", "gateway", "--duration", "60s") as bench:
        read_until(bench, "turn 1 of 1")
        pids = set(descendants(bench.pid))
        assert len(pids) >= 5  # an instance, its workers and replicas, a load
        bench.send_signal(signal.SIGINT)
        assert bench.stdout is not None
        rest = bench.stdout.read()
    assert bench.returncode == 130
    assert "nothing was left behind" in rest
    assert "Traceback" not in rest
    all_gone(pids)
    assert left_behind(tmp_path) == []


def descendants(pid: int) -> list[int]:
    """Return the processes below one, as /proc tells; none where there is no /proc."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        pytest.param(("--url", "http://127.0.0.1:9"), 1, "nothing answers", id="nobody there"),
        pytest.param(("--service", "hello"), 3, "knary is not running", id="nothing runs"),
        pytest.param(("--peers", "apache"), 2, "no such peer", id="an unknown peer"),
        pytest.param(("--traffic", "10/10"), 2, "sum to 100", id="percents"),
        pytest.param(("--closed", "--rate", "5"), 2, "--closed excludes", id="no rate at all"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(
    tmp_path: Path, words: tuple[str, ...], status: int, told: str
) -> None:
    done = knary(tmp_path, "bench", "gateway", *words)
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_generator_that_fell_behind_ends_with_5_and_no_numbers(tmp_path: Path) -> None:
    words = ("--rate", "100000", "--duration", "50ms", "--warm-up", "0", "--json", "-")
    done = knary(tmp_path, "bench", "gateway", *words)
    assert done.returncode == FELL_BEHIND == 5
    assert done.stdout == ""
    assert "fell behind" in done.stderr
    assert "Nothing is reported" in done.stderr


def test_it_ends_with_99_when_a_threshold_is_broken_and_makes_a_page(tmp_path: Path) -> None:
    page = tmp_path / "result.html"
    wanted = ("--threshold", "error_rate<1%", "cpu_per_request<1us", "--html", str(page))
    done = knary(tmp_path, *CLOSED, *wanted)
    assert done.returncode == 99, done.stderr
    assert "kept    error_rate<1%" in done.stderr
    assert "BROKEN  cpu_per_request<1us" in done.stderr
    assert "cpu_per_request" in page.read_text(encoding="utf-8")
    unread = knary(tmp_path, *CLOSED, "--threshold", "p9<5s")
    assert unread.returncode == 2
    assert "no metric 'p9'; did you mean p99" in unread.stderr

"""Real loads on a server that stalls, stops, or is too fast for the generator."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.gateway.contender import Contender
from benchmarks.harness.gateway.deviation import Due
from benchmarks.harness.gateway.plan import GatewayPlan
from benchmarks.harness.gateway.run import FellBehind, Outcome, measure
from benchmarks.harness.gateway.subjects import Found, whoever_answers
from benchmarks.harness.gateway.turns import Judge, why_void
from tests.support.load_server import Answering, LoadServer, Reply, load_server

EVEN = {"hello-00001": 0.5, "hello-00002": 0.5}


def measured(
    plan: GatewayPlan,
    answering: Answering,
    watch: Callable[[LoadServer], None] = lambda _: None,
    judge: Judge = lambda _: "",  # whatever else this machine does
) -> Outcome:
    async def main() -> Outcome:
        async with load_server(answering) as server:
            watch(server)

            @contextlib.asynccontextmanager
            async def subject() -> AsyncIterator[Found]:
                due = Due(EVEN, "stratified", 1, from_first_turn=True)
                yield Found(Contender("knary", "127.0.0.1", server.port, "hello.test", due))

            return await measure(plan, subject(), lambda _: None, judge)

    return asyncio.run(main())


def in_turn(number: int) -> Reply:
    return Reply(revision=f"hello-0000{1 + number % 2}")


def test_a_stall_shows_in_the_corrected_percentiles_of_its_slices() -> None:
    """At 200 a second for a second, 0.3 s of silence is 60 requests that were all late."""
    go: list[asyncio.Event] = []

    def answering(number: int) -> Reply:
        if number == 0:
            go.append(asyncio.Event())
        if number == 60:
            asyncio.get_running_loop().call_later(0.3, go[0].set)
        late = number >= 60 and not go[0].is_set()
        return Reply(revision=f"hello-0000{1 + number % 2}", after=go[0] if late else None)

    plan = GatewayPlan(rates_per_s=(200.0,), duration_s=1.0, warm_s=0.0, connections=100)
    (sample,) = measured(plan, answering).result.samples
    assert sample.metrics["requests"] == 200
    # The slowest tenth of all is in the last third of the stall; the fastest half never met it.
    assert sample.metrics["p90_us"] >= 150_000
    assert sample.metrics["max_us"] >= 295_000
    stalled = [each for each in sample.slices if 0.35 < each.begin_s < 0.4]
    assert stalled
    assert all(each.latency_us["min"] >= 150_000 for each in stalled)


def test_the_split_is_followed_over_all_turns_and_their_warm_ups() -> None:
    plan = GatewayPlan(
        rates_per_s=(200.0,), duration_s=0.3, warm_s=0.1, connections=1, pairs=2, processes=1
    )
    heads: list[LoadServer] = []
    outcome = measured(plan, in_turn, watch=heads.append)
    assert len(heads[0].heads) == 2 * 80
    assert outcome.broken == ()
    for sample in outcome.result.samples:
        assert sample.metrics["split_lag_requests"] <= sample.metrics["split_bound_requests"]
        assert sample.metrics["split_error_percent"] == 0
        assert set(sample.revisions) == set(EVEN)
        assert sum(each.requests for each in sample.slices) == 60


def test_a_splitter_that_breaks_its_bound_is_named() -> None:
    plan = GatewayPlan(rates_per_s=(200.0,), duration_s=0.2, warm_s=0.0)
    outcome = measured(plan, lambda n: Reply(revision=f"hello-0000{2 if n % 4 == 3 else 1}"))
    (told,) = outcome.broken
    assert "knary strayed" in told
    assert "stratified allows" in told


def test_a_generator_that_fell_behind_reports_nothing() -> None:
    """100,000 a second are more than one process can send: it never rests, and says so."""
    plan = GatewayPlan(rates_per_s=(100_000.0,), duration_s=0.03, warm_s=0.0, connections=8)
    with pytest.raises(FellBehind, match=r"generator fell behind: (it worked|.* left more than)"):
        measured(plan, in_turn, judge=why_void)


def test_nobody_answering_is_an_error_that_says_why() -> None:
    plan = GatewayPlan(rates_per_s=(50.0,), duration_s=0.1, warm_s=0.0, timeout_s=0.2)
    with pytest.raises(BenchmarkError, match="answered no request"):
        measured(plan, lambda _: Reply(reset=True))


def test_whoever_answers_at_a_url_is_known_by_the_first_answer() -> None:
    async def main() -> tuple[Contender, Contender]:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
        ours = b"Knary-Explain: rule=host; splitter=exact; queued=0.000000\r\n\r\n"
        said = [Reply(raw=head + ours), Reply(raw=head + b"Server: envoy\r\n\r\n")]
        async with load_server(lambda n: said[n]) as server:
            url = f"http://127.0.0.1:{server.port}"
            ask = lambda: whoever_answers(url, "hello.test", EVEN, ())  # noqa: E731
            found = [await asyncio.to_thread(ask) for _ in said]
            assert b"Host: hello.test" in server.heads[0]
        return found[0], found[1]

    knary, other = asyncio.run(main())
    assert (knary.name, knary.due.splitter, knary.due.bound()) == ("knary", "exact", None)
    assert (other.name, other.due.splitter) == ("envoy", "")

"""A run in words and tables, for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.harness.documents.envelope import Measure
from benchmarks.harness.documents.gateway import Comparison, Gateway, GatewayResult, Sample
from benchmarks.harness.gateway.plan import GatewayPlan

LATENCIES = ("p50_us", "p90_us", "p99_us", "p99.9_us", "p99.99_us", "max_us")
MIB = 1024 * 1024
ABSENT = ""

Cells = list[list[object]]
Values = Mapping[str, Measure]


def load_in_words(plan: GatewayPlan) -> str:
    """Return what was sent, in a line."""
    if plan.closed:
        rate = f"as fast as {plan.connections} connections go"
    else:
        ends = [f"{rate:,g}" for rate in dict.fromkeys((plan.rates_per_s[0], plan.rates_per_s[-1]))]
        steps = f" in {len(plan.rates_per_s)} steps" if len(plan.rates_per_s) > 1 else ""
        rate = f"{' to '.join(ends)} requests per second{steps}, {plan.arrivals} arrivals"
    turns = "one turn" if plan.pairs == 1 else f"{plan.pairs} turns each"
    return f"{rate}, {plan.protocol}, {plan.duration_s:g} s, {turns}"


def gateway_in_words(gateway: Gateway) -> str:
    """Return who was measured, in a line."""
    shares = ", ".join(f"{name} {share:.4g}" for name, share in gateway.shares.items())
    workers = "one worker" if gateway.workers == 1 else f"{gateway.workers} workers"
    known = [part for part in (gateway.splitter, workers, shares) if part]
    return f"{gateway.name} {gateway.version}".strip() + f": {'; '.join(known)}"


def gateways(result: GatewayResult, measures: Iterable[Measure]) -> Cells:
    """Return a row for each gateway: medians of its turns."""
    heads = ["P50", "P90", "P99", "P99.9", "P99.99", "MAX", "CPU/REQUEST", "MEMORY", "PEAK"]
    rows: Cells = [["GATEWAY", "REQUESTS", "FAILED", *heads, "NOISE OF P99"]]
    kept = list(measures)
    for gateway in result.gateways:
        found = _of(kept, {"gateway": gateway.name})
        rows.append(
            [
                gateway.name,
                *_counts(found),
                *_latencies(found),
                _number(found, "cpu_us_per_request", "{:.1f} µs"),
                _number(found, "memory_bytes", "{:.1f} MiB", MIB),
                _number(found, "peak_requests_per_s", "{:,.0f}/s"),
                _noise(found.get("p99_us")),
            ]
        )
    return _without_empty_columns(rows)


def revisions(result: GatewayResult, measures: Iterable[Measure]) -> Cells:
    """Return a row for each revision of the subject that answered."""
    ours = result.gateways[0].name
    heads = ["P50", "P90", "P99", "P99.9", "P99.99", "MAX"]
    rows: Cells = [["REVISION", "REQUESTS", "FAILED", *heads]]
    kept = list(measures)
    names = {each for sample in result.samples for each in sample.revisions}
    for name in sorted(names):
        if found := _of(kept, {"gateway": ours, "revision": name}):
            rows.append([name, *_counts(found), *_latencies(found)])
    return _without_empty_columns(rows)


def steps(plan: GatewayPlan, samples: Iterable[Sample]) -> Cells:
    """Return a row for each gateway and step of the rate, of its last turn that counts."""
    heads = ["P50", "P90", "P99", "P99.9", "MAX"]
    rows: Cells = [["GATEWAY", "RATE", "REQUESTS", "FAILED", *heads]]
    last = {sample.gateway: sample for sample in samples if not sample.void}
    for name, sample in last.items():
        for each in sample.slices:
            rate = plan.rates_per_s[round(each.begin_s / plan.slice_s)]
            latencies = [
                f"{each.latency_us[key] / 1000:.2f} ms" if key in each.latency_us else ABSENT
                for key in ("p50", "p90", "p99", "p99.9", "max")
            ]
            rows.append([name, f"{rate:,g}/s", f"{each.requests:,}", each.failed, *latencies])
    return _without_empty_columns(rows)


def split_in_words(gateway: Gateway, samples: Iterable[Sample]) -> str:
    """Return how well a gateway kept its shares, in a line; "" when nobody knows them."""
    turns = [
        each.metrics
        for each in samples
        if each.gateway == gateway.name
        and {"split_lag_requests", "split_error_percent"} <= set(each.metrics)
    ]
    if not turns:
        return ""
    error = max(each["split_error_percent"] for each in turns)
    worst = max(
        turns, key=lambda each: each["split_lag_requests"] - each.get("split_bound_requests", 0.0)
    )
    bound = worst.get("split_bound_requests")
    may = "nothing bounds that" if bound is None else f"it may be {bound:.2f}"
    return (
        f"Split of {gateway.name}: at worst {worst['split_lag_requests']:.2f} requests from its due"
        f" ({may}); {error:.3f} points off over the worst turn"
    )


def comparisons(found: Sequence[Comparison], ours: str) -> Cells:
    """Return a row for each metric beside each peer."""
    rows: Cells = [
        ["METRIC", "PEER", f"{ours.upper()} / PEER", "INTERVAL", "", f"{ours.upper()} IS"]
    ]
    for each in found:
        held = "too few pairs"
        if each.low is not None and each.high is not None:
            held = f"{each.low:.3f} to {each.high:.3f}"
        rows.append(
            [
                *(each.metric, each.peer, f"{each.median:.3f}", held),
                *(f"{each.confidence:.1%}", each.verdict),
            ]
        )
    return rows


def _of(measures: Iterable[Measure], labels: Mapping[str, str]) -> Values:
    return {each.name: each for each in measures if each.labels == labels}


def _counts(found: Values) -> list[object]:
    return [_number(found, name, "{:,.0f}") for name in ("requests", "failed")]


def _latencies(found: Values) -> list[object]:
    return [_number(found, name, "{:.2f} ms", 1000) for name in LATENCIES]


def _number(found: Values, name: str, form: str, unit: float = 1) -> str:
    return form.format(found[name].value / unit) if name in found else ABSENT


def _noise(measure: Measure | None) -> str:
    if measure is None or measure.noise_percent is None:
        return ABSENT
    return f"{measure.noise_percent:.0f} %"


def _without_empty_columns(rows: Cells) -> Cells:
    kept = [index for index, _ in enumerate(rows[0]) if any(row[index] for row in rows[1:])]
    return [[row[index] for index in kept] for row in rows]

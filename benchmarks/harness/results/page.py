"""The page of results as Markdown: where knary loses comes first, then each measurement. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from benchmarks.harness.documents.envelope import Document
from benchmarks.harness.documents.splitters import SplittersResult
from benchmarks.harness.results.charts import Bar
from benchmarks.harness.results.ranking import OURS, Beside, beside

OUR_SPLITTERS = ("stratified", "exact")
BUSY_MIN = 0.7  # of a core; a proxy that used less had to wait for others
COIN = "random"  # what Knative does

Table = Mapping[str, Any]


class Found(Struct, frozen=True):
    """What was measured; None and () for what was not."""

    command: str
    machine: Mapping[str, Any]
    peers: Mapping[str, str]
    matrices: tuple[Table, ...] = ()  # of gateway_matrix.py, one for each build
    updates: Table | None = None
    accuracy: Table | None = None
    splitters: Document[SplittersResult] | None = None
    missing: tuple[str, ...] = ()


def results_page(found: Found, plots: Mapping[str, str]) -> str:
    """Return the page; `plots` are the files of plots, as it refers to them, by their titles."""
    return "\n".join(_lines(found, plots)).rstrip("\n") + "\n"


def _lines(found: Found, plots: Mapping[str, str]) -> Iterator[str]:
    yield "# Results\n"
    yield f"Made by `{found.command}`, which overwrites it; nothing here is typed by hand."
    yield "[How to read the numbers](README.md#how-to-read-the-numbers).\n"
    machine = found.machine
    yield from _table(
        ("what", "value"),
        [
            ("measured", machine["when"]),
            ("machine", f"{machine['processor'] or machine['cpu']}, {machine['cores']} cores"),
            ("system", machine["system"]),
            ("load when it began", f"{machine['load_1m']:g} on {machine['cores']} cores"),
            ("Python", machine["python"]),
            *((f"peer {name}", version) for name, version in found.peers.items()),
        ],
    )
    if machine["load_1m"] > machine["cores"]:
        yield (
            f"**The machine was busy with other work** (load {machine['load_1m']:g} on"
            f" {machine['cores']} cores). Times are bad for that reason, and ratios wide; run it"
            " on a quiet machine before quoting any.\n"
        )
    comparisons = [each for matrix in found.matrices for each in beside(matrix)]
    yield "## Where knary loses\n"
    losses = [*_cpu_losses(comparisons), *_split_losses(found), *_update_losses(found)]
    yield from (f"- {each}" for each in losses or ["Nothing that these runs can tell."])
    yield ""
    yield from _cpu(found.matrices, comparisons, plots)
    yield from _updates(found.updates)
    yield from _accuracy(found.accuracy)
    yield from _splitters(found.splitters, plots)
    if found.missing:
        yield "## Not measured\n"
        yield from (f"- {each}" for each in found.missing)


def _cpu_losses(comparisons: Iterable[Beside]) -> Iterator[str]:
    worst_first = sorted(comparisons, key=lambda each: -each.ratio)
    for each in worst_first:
        whose = f"CPU per request, {each.load}, {each.build}"
        if each.word == "more":
            yield f"{whose}: **{each.ratio:.2f} times {each.peer}'s** ({_interval(each)})"
        elif each.word == "cannot tell" and each.ratio > 1:
            yield (
                f"{whose}: {each.ratio:.2f} times {each.peer}'s in the middle, which these rounds"
                f" cannot tell from 1 ({_interval(each)})"
            )
    for each in worst_first:
        if each.goal is not None and each.ratio > each.goal:
            yield (
                f"The goal of {each.goal:g} times {each.peer}'s CPU is missed: {each.load},"
                f" {each.build}, {each.ratio:.2f}"
            )


def _split_losses(found: Found) -> Iterator[str]:
    if found.splitters is None:
        return
    best = _worst_lags(found.splitters.results)
    ours = best.get("stratified")
    ahead = sorted(name for name, lag in best.items() if ours is not None and lag < ours - 1e-9)
    if ahead:
        told = ", ".join(f"{name} {best[name]:.2f}" for name in ahead)
        yield f"Worst lag of the default splitter: {ours:.2f} requests, of {told}"
    costs = _pick_costs(found.splitters.results)
    dearer = sorted(
        (cost, name) for name, cost in costs.items() if cost < costs.get("stratified", 0.0)
    )
    if dearer:
        told = ", ".join(f"{name} {cost:.0f}" for cost, name in dearer[:5])
        yield f"A pick of the default splitter: {costs['stratified']:.0f} ns, of {told}"


def _update_losses(found: Found) -> Iterator[str]:
    updates = found.updates
    if updates and (updates["failed"] or updates["to_a_revision_at_0"]):
        yield (
            f"Updates under load: {updates['failed']} requests failed,"
            f" {updates['to_a_revision_at_0']} reached a revision at 0 %"
        )
    if updates and updates["late_share"] > 0.01:
        yield (
            f"Updates under load: the load itself left late in {updates['late_share']:.1%} of its"
            " sends, so its latencies say nothing"
        )


def _cpu(
    matrices: Sequence[Table], comparisons: Sequence[Beside], plots: Mapping[str, str]
) -> Iterator[str]:
    if not matrices:
        return
    yield "## CPU per request beside the peers\n"
    yield "One worker each, in turns; over 1 is a loss. 95 %: of the median of the rounds.\n"
    rows = [
        (
            each.load,
            each.build,
            each.peer,
            f"{each.ratio:.2f}",
            f"{each.least:.2f} to {each.most:.2f}",
            _interval(each),
            each.word,
        )
        for each in comparisons
    ]
    heads = ("load", "gateway", "peer", "knary / peer", "least to greatest", "95 %", "knary uses")
    yield from _table(heads, rows)
    waiting = sorted(
        {
            name
            for matrix in matrices
            for case in matrix["cases"].values()
            for name, proxy in case.get("proxies", {}).items()
            if proxy["busy"]["median"] < BUSY_MIN
        }
    )
    if waiting:
        yield (
            f"{', '.join(waiting)} did not have the core to themselves: other programs took it, and"
            " CPU per request, counted in hundredths of a second, is coarse.\n"
        )
    yield from _plots(plots, "CPU")


def cpu_bars(matrix: Table, load: str) -> list[Bar]:
    """Return the median CPU per request of each proxy under one load, the least first."""
    proxies = matrix["cases"].get(load, {}).get("proxies", {})
    rows = [Bar(name, each["cpu_us"]["median"], name == OURS) for name, each in proxies.items()]
    return sorted(rows, key=lambda row: row.value)


def lag_bars(result: SplittersResult) -> list[Bar]:
    """Return each algorithm's worst lag over all weights, the least first."""
    rows = [Bar(name, lag, name in OUR_SPLITTERS) for name, lag in _worst_lags(result).items()]
    return sorted(rows, key=lambda row: row.value)


def _updates(updates: Table | None) -> Iterator[str]:
    if updates is None:
        return
    yield "## Updates under load\n"
    latency = updates["latency_us"]
    yield from _table(
        ("what", "value"),
        [
            ("changes of the split", updates["updates"]),
            ("requests", updates["requests"]),
            ("failed", updates["failed"]),
            ("reached a revision at 0 % afterwards", updates["to_a_revision_at_0"]),
            ("a change, by the command, median", f"{updates['change']['median_ms']:g} ms"),
            *(
                (f"latency {key}", f"{latency[key] / 1000:.2f} ms")
                for key in ("p50", "p99", "max")
                if key in latency
            ),
        ],
    )


def _accuracy(accuracy: Table | None) -> Iterator[str]:
    if accuracy is None:
        return
    yield "## Split accuracy over sockets\n"
    yield "The worst lag is in requests, over every prefix of what was sent.\n"
    rows = [
        (
            each["splitter"],
            each["split"],
            f"{each['worst_lag']:.2f}",
            "none" if each["bound"] is None else f"{each['bound']:.2f}",
            f"{each['final_share_off_points']:.2f}",
        )
        for each in accuracy["results"]
    ]
    yield from _table(("splitter", "split", "worst lag", "bound", "points off at the end"), rows)


def _splitters(
    document: Document[SplittersResult] | None, plots: Mapping[str, str]
) -> Iterator[str]:
    if document is None:
        return
    yield "## Splitters, without a network\n"
    lags, costs = _worst_lags(document.results), _pick_costs(document.results)
    rows = [
        (each.name, each.used_by, f"{lags[each.name]:.2f}", f"{costs[each.name]:.0f}", each.known)
        for each in sorted(document.results.algorithms, key=lambda each: lags.get(each.name, 0))
        if each.name in lags
    ]
    heads = ("algorithm", "used by", "worst lag, requests", "ns per pick", "known flaw")
    yield from _table(heads, rows)
    yield from _plots(plots, "lag")


def _worst_lags(result: SplittersResult) -> dict[str, float]:
    worst: dict[str, float] = {}
    for split in result.splits:
        worst[split.algorithm] = max(worst.get(split.algorithm, 0.0), split.worst_lag_requests)
    return worst


def _pick_costs(result: SplittersResult) -> dict[str, float]:
    costs: dict[str, list[float]] = {}
    for split in result.splits:
        costs.setdefault(split.algorithm, []).append(split.pick_ns)
    return {name: sorted(each)[len(each) // 2] for name, each in costs.items()}


def _plots(plots: Mapping[str, str], about: str) -> Iterator[str]:
    for title, file in plots.items():
        if about in title:
            yield f"![{title}]({file})\n"


def _interval(each: Beside) -> str:
    if each.low is None or each.high is None:
        return f"too few rounds: {each.rounds}"
    return f"{each.low:.2f} to {each.high:.2f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(cell: object) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")

"""What the control plane computes for a table: compiled from objects, and made into frames.

Its own event loop does this, not a worker's: a change waits for it, no request does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import instance
import report
import tables

instance.make_importable()

from gateway.contract import RouteTable
from simulator.gatewaylink.frames import frames
from simulator.gatewaylink.settings import LinkSettings
from simulator.resources.conditions import READY, TRUE, Condition
from simulator.resources.core import ANNOTATION_ADDRESS, Pod, PodStatus
from simulator.resources.meta import ObjectMeta
from simulator.resources.networking import (
    VISIBILITY_EXTERNAL,
    Ingress,
    IngressHttp,
    IngressPath,
    IngressRule,
    IngressSpec,
    IngressSplit,
)
from simulator.resources.serving import LABEL_REVISION
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import TableCompiler

ADDRESS = "127.0.0.1:1"
CHANGES = 10
T = TypeVar("T")


def ingress(number: int, percents: Sequence[int], generation: int) -> Ingress:
    """Return the Ingress of one Service whose revisions have these percents."""
    name = f"service-{number:05d}"
    splits = tuple(
        IngressSplit(tables.NAMESPACE, f"{name}-{index:05d}", 80, percent)
        for index, percent in enumerate(percents, 1)
    )
    rule = IngressRule(
        (tables.HOST_PATTERN % number,),
        VISIBILITY_EXTERNAL,
        IngressHttp((IngressPath(splits),)),
    )
    meta = ObjectMeta(
        name=name, namespace=tables.NAMESPACE, uid=f"uid-{name}", generation=generation
    )
    return Ingress(metadata=meta, spec=IngressSpec(rules=(rule,)))


def pod(revision: str) -> Pod:
    """Return a ready replica of a revision."""
    meta = ObjectMeta(
        name=f"{revision}-pod",
        namespace=tables.NAMESPACE,
        labels={LABEL_REVISION: revision},
        annotations={ANNOTATION_ADDRESS: ADDRESS},
    )
    return Pod(metadata=meta, status=PodStatus(conditions=(Condition(READY, TRUE),)))


def measured(services: int, revisions: int) -> dict[str, Any]:
    """Return how long a whole table takes, and one route's change in it, in milliseconds."""
    report.say("what the control plane computes")
    percents = tables.percents(revisions)
    compiler = TableCompiler(TrafficSettings())
    for number in range(services):
        one = ingress(number, percents, 1)
        compiler.put_ingress(one)
        for split in one.spec.rules[0].http.paths[0].splits:
            compiler.put_pod(pod(split.service_name))
    rows_max = LinkSettings().chunk_rows_max
    whole_s, longest_s, whole = _in_steps(compiler)
    framed_s, _ = _timed(lambda: list(frames(None, whole, rows_max)))
    compiling, framing, before = [], [], whole
    for number in range(CHANGES):
        changed = tables.shifted(percents, 1)
        compiler.put_ingress(ingress(number * 7919 % services, changed, 2 + number))
        taken, after = _timed(lambda number=number: compiler.compile(2 + number).table)
        compiling.append(taken)
        taken, _ = _timed(lambda old=before, new=after: list(frames(old, new, rows_max)))
        framing.append(taken)
        before = after
    return {
        "longest_step_ms": round(longest_s * 1e3, 1),
        "whole": {"compile": report.timing([whole_s]), "frames": report.timing([framed_s])},
        "change": {"compile": report.timing(compiling), "frames": report.timing(framing)},
    }


def _in_steps(compiler: TableCompiler) -> tuple[float, float, RouteTable]:
    """Return how long the first table took, its longest step, and the table.

    The control plane's loop does other things between two steps.
    """
    steps, whole_s, longest_s = compiler.compiling(1), 0.0, 0.0
    while True:
        began = time.perf_counter()
        table = next(steps, compiler)
        took_s = time.perf_counter() - began
        whole_s, longest_s = whole_s + took_s, max(longest_s, took_s)
        if table is compiler:
            return whole_s, longest_s, compiler.table


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def rows(found: dict[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
    """Return heads and rows of what `measured` found."""
    heads = ("of a table of that size", "compile ms", "max", "frames ms", "max")
    return heads, [
        (title, *(found[key][part][each] for part in parts for each in ("median_ms", "max_ms")))
        for key, title in (("change", "one route changes"), ("whole", "all of it"))
        for parts in [("compile", "frames")]
    ]

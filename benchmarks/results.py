"""Measures the short set, and writes benchmarks/RESULTS.md with its plots.

Each measurement is a program or command of its own, which leaves its document in benchmarks/out;
with --from-out the page is made of what is there, and nothing is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import instance
import report

instance.make_importable()

import msgspec

from benchmarks.harness.documents.envelope import Document
from benchmarks.harness.documents.splitters import SplittersResult
from benchmarks.harness.peers import proxies
from benchmarks.harness.peers.command import tool_version
from benchmarks.harness.results.charts import bars
from benchmarks.harness.results.page import Found, cpu_bars, lag_bars, results_page
from knary.compiled import SWITCH, find

HERE = Path(__file__).resolve().parent
PAGE, PLOTS = HERE / "RESULTS.md", HERE / "results"
CASES = "bare-32,browser-32,h2c"
STEP_S_MAX = 1800.0
COMMAND = "make bench-results"


def steps(options: argparse.Namespace) -> Iterator[tuple[str, list[str], str]]:
    """Yield each measurement: the name of its document, how it is started, KNARY_COMPILED."""
    python = sys.executable
    yield "splitters", [python, "-m", "knary", "bench", "splitters", "--json", "-"], "0"
    yield "updates_under_load", [python, str(HERE / "updates_under_load.py")], "0"
    accuracy = [python, str(HERE / "split_accuracy.py"), "--requests", "1000", "--seconds", "3"]
    yield "split_accuracy", accuracy, "0"
    matrix = [python, str(HERE / "gateway_matrix.py"), "--pairs", str(options.pairs)]
    matrix += ["--turn-s", str(options.turn_s), "--cases", CASES, "--peers", options.peers]
    yield "gateway_matrix_interpreted", matrix, "0"
    if find(HERE.parent / "gateway"):
        yield "gateway_matrix_compiled", matrix, "1"


def measure(name: str, command: list[str], build: str) -> str:
    """Run one measurement; return why there is no document of it, "" when there is."""
    report.say(f"results: {name}")
    environment = {**os.environ, SWITCH: build}
    kept, own = report.OUT / f"{name}.json", report.OUT / "gateway_matrix.json"
    for stale in (kept, own):
        stale.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            text=True,
            timeout=STEP_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"took more than {STEP_S_MAX:g} s"
    if name == "splitters" and done.stdout:
        kept.write_text(done.stdout, encoding="utf-8")
    elif own.exists():
        own.replace(kept)
    return f"ended with {done.returncode}" if done.returncode or not kept.exists() else ""


def document(name: str) -> dict[str, Any] | None:
    try:
        read: dict[str, Any] = json.loads((report.OUT / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return read


def splitters() -> Document[SplittersResult] | None:
    try:
        data = (report.OUT / "splitters.json").read_bytes()
        return msgspec.json.decode(data, type=Document[SplittersResult])
    except (OSError, msgspec.DecodeError):
        return None


def plotted(found: Found) -> dict[str, str]:
    """Write the plots; return their files, as the page refers to them, by their titles."""
    PLOTS.mkdir(exist_ok=True)
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    drawn: dict[str, tuple[str, str]] = {}
    for matrix in found.matrices:
        build = str(matrix["machine"]["gateway"]).partition(" ")[0]
        for load in matrix["cases"]:
            if rows := cpu_bars(matrix, load):
                title = f"CPU per request, {load}, {build}"
                drawn[title] = f"cpu-{load}-{build}.svg", bars(title, rows, "µs (median)")
    if found.splitters:
        title = "Worst lag of each splitter"
        drawn[title] = (
            "splitters-lag.svg",
            bars(title, lag_bars(found.splitters.results), "requests"),
        )
    for name, text in drawn.values():
        (PLOTS / name).write_text(text, encoding="utf-8")
    return {title: f"results/{name}" for title, (name, _) in drawn.items()}


def versions() -> dict[str, str]:
    wanted = ("nginx", "haproxy", "envoy", "wrk", "h2load")
    return {
        name: tool_version(name) if name in ("wrk", "h2load") else proxies.version(name)
        for name in wanted
        if proxies.find(name)
    }


def run(options: argparse.Namespace) -> int:
    report.OUT.mkdir(exist_ok=True)
    machine = report.machine()
    missing = []
    if not options.from_out:
        for name, command, build in steps(options):
            if why := measure(name, command, build):
                missing.append(f"{name}: {why}")
    interpreted = document("gateway_matrix_interpreted")
    compiled = document("gateway_matrix_compiled")
    if options.from_out and interpreted:
        machine = interpreted["machine"]
    if compiled is None:
        missing.append("the compiled gateway: it is not compiled here (`make compile`)")
    found = Found(
        command=COMMAND,
        machine=machine,
        peers=versions(),
        matrices=tuple(each for each in (interpreted, compiled) if each),
        updates=document("updates_under_load"),
        accuracy=document("split_accuracy"),
        splitters=splitters(),
        missing=tuple(missing),
    )
    PAGE.write_text(results_page(found, plotted(found)), encoding="utf-8")
    report.say(f"written to {PAGE}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=6, help="turns of each proxy (default 6)")
    parser.add_argument("--turn-s", type=int, default=2, help="seconds measured per turn")
    parser.add_argument("--peers", default="nginx,haproxy,envoy", help="compare with these")
    parser.add_argument("--from-out", action="store_true", help="measure nothing")
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())

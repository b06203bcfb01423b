"""Numbers to tables: medians, percentiles, the machine they come from, and a JSON file."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness.drivers.counts import percentile

OUT = Path(__file__).resolve().parent / "out"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 2) -> dict[str, float]:
    """Return median, least and greatest."""
    return {
        "median": round(median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
        "count": len(values),
    }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Return the spread of ours / theirs, taken pair by pair; both were measured in turns.

    Raise ValueError when their numbers differ.
    """
    return spread([a / b for a, b in zip(ours, theirs, strict=True) if b], 3)


def spread_text(values: Mapping[str, float] | None, digits: int = 2) -> str:
    """Return a spread as "MEDIAN (LEAST to GREATEST)", "" for none."""
    if not values:
        return ""
    median, least, most = (f"{values[key]:.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({least} to {most})"


def timing(values_s: Sequence[float]) -> dict[str, float]:
    """Return durations, given in seconds, as median, p95, least and greatest in milliseconds."""
    return {
        "median_ms": round(median(values_s) * 1e3, 1),
        "p95_ms": round(percentile(values_s, 95) * 1e3, 1),
        "min_ms": round(min(values_s) * 1e3, 1),
        "max_ms": round(max(values_s) * 1e3, 1),
        "count": len(values_s),
    }


def machine() -> dict[str, Any]:
    """Say what the numbers were measured on; without names, users or paths."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()}",
        "cpu": platform.machine(),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
        "processor": processor(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gateway": gateway_build(),
    }


def processor() -> str:
    """Return the processor's name where the system tells it, else ""."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else ""


def gateway_build() -> str:
    """Return how a gateway that starts now is built: "compiled (mypyc ...)" or "interpreted"."""
    if importlib.util.find_spec("knary") is None:
        sys.path.append(str(OUT.parent.parent))
    from knary.compiled import chosen

    return str(chosen(os.environ) or "interpreted")


def heading() -> str:
    """Return one line that says what ran where."""
    seen = machine()
    return (
        f"{seen['python']}, gateway {seen['gateway']}; {seen['system']}, {seen['cores']} cores"
        f" ({seen['processor'] or seen['cpu']}), load {seen['load_1m']}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return columns under their heads: the first to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def write(name: str, result: Mapping[str, Any]) -> Path:
    """Write the result beside the machine's description as benchmarks/out/NAME.json."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(as_json(name, result) + "\n", encoding="utf-8")
    return path


def as_json(name: str, result: Mapping[str, Any]) -> str:
    return json.dumps({"benchmark": name, "machine": machine(), **result}, indent=2)


def say(text: str) -> None:
    """Tell on stderr what is going on; stdout is for the report."""
    print(text, file=sys.stderr, flush=True)


def skipped(why: str) -> int:
    """Say why nothing was measured; a machine without a tool is no failure."""
    print(f"skipped: {why}")
    return 0

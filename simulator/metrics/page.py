"""What the console's port says of the figures: the page for Prometheus, the rows for people."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.metrics.counts import CellCounts, Counts, summed
from simulator.metrics.exposition import format_for, text_of
from simulator.metrics.families import cell_families, worker_families
from simulator.metrics.files import read_files
from simulator.metrics.replicas import Seen, build_family, replica_families

TOP_SCHEMA = 1


class MetricsPage:
    """Reads the workers' files afresh for each question. Its methods block for milliseconds."""

    def __init__(self, folder: Path, pattern: str, version: str) -> None:
        """The workers' files are those in `folder` whose names match; `version` is knary's."""
        self._folder = folder
        self._pattern = pattern
        self._version = version

    def text(self, accept: str, seen: Seen) -> tuple[str, str]:
        """Return content type and text for a scraper that sent this Accept."""
        content_type = format_for(accept)
        counts = self._counts()
        families = [
            *cell_families(counts.cells),
            *worker_families(counts.workers, time.monotonic_ns()),
            *replica_families(seen.replicas),
            build_family(self._version, platform.python_version(), seen.builds),
        ]
        return content_type, text_of(families, content_type)

    def top(self) -> Mapping[str, Any]:
        """Return what `knary top` shows, as JSON values. docs/metrics.md has the fields."""
        counts = self._counts()
        return {
            "schema": TOP_SCHEMA,
            "monotonicSeconds": time.monotonic(),
            "rows": [_row(cell) for cell in counts.cells],
        }

    def _counts(self) -> Counts:
        return summed(read_files(self._folder, self._pattern))


def _row(cell: CellCounts) -> dict[str, Any]:
    namespace, _, service = cell.service.rpartition("/")
    revision_namespace, _, revision = cell.revision.rpartition("/")
    return {
        "namespace": namespace or revision_namespace,
        "service": service,
        "revision": revision,
        "tag": cell.tag,
        "requests": cell.begun,
        "answers": cell.answers,
        "errors": cell.errors,
        "grpcCalls": cell.calls,
        "inFlight": cell.in_flight,
        "sessionsNew": cell.sessions_new,
        "sessionsMoved": cell.sessions_moved,
        "p50Microseconds": cell.latency_at_us(0.5),
        "p99Microseconds": cell.latency_at_us(0.99),
    }

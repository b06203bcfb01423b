"""How numbers of documents are said to people. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.harness.documents.comparison import ComparisonDocument, Row


def spelled(name: str, labels: Mapping[str, str]) -> str:
    """Return a metric with its labels, as a threshold names it."""
    told = ",".join(f"{key}:{value}" for key, value in labels.items())
    return f"{name}{{{told}}}" if told else name


def summary(found: ComparisonDocument) -> str:
    """Return how many rows got which word, and how many of them chance alone would name."""
    words = ("worse", "better", "same", "cannot tell")
    counts = [(sum(row.verdict == word for row in found.rows), word) for word in words]
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    chance = f"by chance alone, up to {found.by_chance:g} would be better or worse"
    return f"{told or 'nothing has a direction'}; {chance}"


def ratio_text(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3f}"


def interval_text(row: Row) -> str:
    """Return the ends that are known."""
    if row.low is None and row.high is None:
        return ""
    low = "…" if row.low is None else f"{row.low:.3f}"
    high = "…" if row.high is None else f"{row.high:.3f}"
    return f"{low} to {high}"

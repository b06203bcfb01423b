"""Families of figures as text: Prometheus' format 0.0.4, or OpenMetrics 1.0. Pure.

Prometheus asks for OpenMetrics first, in which every counter's name ends in _total. Knative's and
Envoy's do not all, and dashboards know them as they are: such a counter is of type "unknown" there,
so that a series has the same name in both formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_TOTAL = "_total"

Labels = Sequence[tuple[str, str]]
Number = int | float


@dataclass(frozen=True)
class Histogram:
    """Counts up to and including each bound, then of everything; and the sum."""

    cumulative: Sequence[int]  # one more than there are bounds
    total: Number


@dataclass
class Family:
    """One figure's samples. `name` is a counter's with its _total, if it has one.

    `unit` ends the name (OpenMetrics), or is "". `bounds` are those of histograms.
    """

    name: str
    kind: str  # counter, gauge or histogram
    help: str
    unit: str = ""
    bounds: Sequence[str] = ()
    samples: list[tuple[Labels, Number | Histogram]] = field(default_factory=list)

    def add(self, labels: Labels, value: Number | Histogram) -> None:
        self.samples.append((labels, value))


def format_for(accept: str) -> str:
    """Return the content type to answer with, for the value of Accept (RFC 9110, 12.5.1)."""
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0, "*/*": 0.0}
    for part in accept.split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        if kind in weights and not _is_other_version(kind, parameters):
            weights[kind] = max(weights[kind], _weight(parameters))
    openmetrics = weights["application/openmetrics-text"]
    # Whoever names OpenMetrics knows it; whoever takes anything gets what everybody reads.
    plain = max(weights["text/plain"], weights["*/*"] / 2)
    return OPENMETRICS if openmetrics > 0 and openmetrics >= plain else TEXT


def text_of(families: Iterable[Family], content_type: str) -> str:
    """Return the families that have samples, in that format."""
    is_open = content_type == OPENMETRICS
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.extend(_head(family, is_open=is_open))
            for labels, value in family.samples:
                lines.extend(_sample_lines(family, labels, value))
    if is_open:
        lines.append("# EOF")
    return "\n".join(lines) + "\n" if lines else ""


def _head(family: Family, *, is_open: bool) -> Iterator[str]:
    name, kind = family.name, family.kind
    if is_open and kind == "counter":
        if name.endswith(_TOTAL):
            name = name.removesuffix(_TOTAL)
        else:
            kind = "unknown"
    yield f"# HELP {name} {_escaped_help(family.help)}"
    yield f"# TYPE {name} {kind}"
    if is_open and family.unit:
        yield f"# UNIT {name} {family.unit}"


def _sample_lines(family: Family, labels: Labels, value: Number | Histogram) -> Iterator[str]:
    written = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels)
    if not isinstance(value, Histogram):
        yield f"{family.name}{{{written}}} {value}" if written else f"{family.name} {value}"
        return
    start = f"{family.name}_bucket{{{written}{',' if written else ''}le="
    for bound, count in zip((*family.bounds, "+Inf"), value.cumulative, strict=True):
        yield f'{start}"{bound}"}} {count}'
    around = f"{{{written}}}" if written else ""
    yield f"{family.name}_count{around} {value.cumulative[-1]}"
    yield f"{family.name}_sum{around} {value.total}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escaped_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _is_other_version(kind: str, parameters: Sequence[str]) -> bool:
    """Tell whether a version is asked for that is not the one offered."""
    offered = ("version=0.0.4",) if kind == "text/plain" else ("version=1.0.0", "version=0.0.1")
    return any(each.startswith("version=") and each not in offered for each in parameters)


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if re.fullmatch(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)", parameter):
            return float(parameter[2:])
    return 1.0

"""Thresholds in k6's manner: `p99<20ms`, `error_rate<1%`, `p99{revision:hello-00002}<20ms`. Pure.

METRIC OPERATOR NUMBER UNIT, with labels in braces that say whose number is meant. k6's own spelling
of a metric is understood as well (`p(99)`, `avg`, `med`), and its units where none is written: a
time is in milliseconds, a share a part of 1 (grafana.com/docs/k6, "Thresholds").
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

EXIT_STATUS = 99  # k6's, when a threshold is broken

Labels = frozenset[tuple[str, str]]

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "===": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_K6 = {"avg": "mean", "med": "p50"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*(?:\([^()]*\))?")
_PERCENTILE = re.compile(r"p(?:\((\d+(?:\.\d+)?)\)|(\d+(?:\.\d+)?))")
_LABEL = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*:\s*([^,{}\s][^,{}]*?)\s*(?=[,}])")
_OPERATOR = re.compile(r"<=|>=|===|==|!=|<|>")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_UNIT = re.compile(r"\S+")
_SUFFIX = re.compile(r"(.+)_(ns|us|ms|s|percent|bytes)(_per_[a-z]+)?")
# What begins like a threshold: how the values after `--threshold A` are told from other arguments.
_LIKELY = re.compile(r"[A-Za-z][^<>=!\s]*\s*(?:\{[^}]*\})?\s*(?:[<>]=?|==|!=)")


class Dimension(Enum):
    """What a number measures: the word for it, and its units as parts of the first one."""

    TIME = ("time", {"s": 1.0, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "m": 60.0}, "ms")
    SHARE = ("share", {"": 1.0, "%": 0.01}, "")
    RATE = ("rate", {"/s": 1.0, "/m": 1 / 60}, "/s")
    BYTES = (
        "amount of memory",
        {"B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
        "B",
    )
    COUNT = ("count", {"": 1.0}, "")
    RATIO = ("ratio", {"": 1.0, "x": 1.0, "%": 0.01}, "")

    def __init__(self, word: str, units: dict[str, float], unwritten: str) -> None:
        self.word = word
        self.units = units
        self.unwritten = unwritten


class ThresholdError(ValueError):
    """A threshold that cannot be read; `column` counts from 1."""

    def __init__(self, text: str, column: int, why: str) -> None:
        super().__init__(f"{text!r}, column {column}: {why}")
        self.text = text
        self.column = column
        self.why = why


class Quantity(NamedTuple):
    """What the name of a number tells: `p99_us` is a time called p99, in parts of a second."""

    name: str
    dimension: Dimension
    scale: float  # times this, the number is in the dimension's first unit


@dataclass(frozen=True)
class Vocabulary:
    """What a threshold may speak of: metrics, and the labels of their numbers.

    With `percentiles`, any pN is a metric: a time, or what is said.
    """

    metrics: Mapping[str, Dimension]
    labels: frozenset[str] = frozenset()
    percentiles: Dimension | None = None


class Number(NamedTuple):
    """A measured number in its dimension's first unit."""

    name: str
    value: float
    labels: Labels = frozenset()


@dataclass(frozen=True)
class Threshold:
    """What a metric must keep: `bound` in the dimension's first unit, `unit` as it was written."""

    text: str
    metric: str
    labels: Labels
    sign: str
    bound: float
    unit: str
    dimension: Dimension

    def holds(self, value: float) -> bool:
        return _OPERATORS[self.sign](value, self.bound)


@dataclass(frozen=True)
class Outcome:
    """A threshold and the number it met; None when nothing was measured, which breaks it."""

    threshold: Threshold
    value: float | None

    @property
    def is_kept(self) -> bool:
        return self.value is not None and self.threshold.holds(self.value)

    def __str__(self) -> str:
        mark = "kept  " if self.is_kept else "BROKEN"
        return f"{mark}  {self.threshold.text}: {self.measured}"

    @property
    def measured(self) -> str:
        """Return the number in the threshold's own unit."""
        if self.value is None:
            return "nothing was measured"
        unit = self.threshold.unit
        space = " " if unit and unit[0].isalpha() and unit != "x" else ""
        shown = self.value / self.threshold.dimension.units[unit]
        return f"{shown:.6g}{space}{unit}"


def quantity(name: str) -> Quantity:
    """Return what the name of a measured number tells; a name without a unit is a count."""
    if name.endswith("_per_s"):
        return Quantity(name, Dimension.RATE, 1.0)
    found = _SUFFIX.fullmatch(name)
    if not found:
        return Quantity(name, Dimension.COUNT, 1.0)
    base = found[1] + (found[3] or "")
    if found[2] == "percent":
        return Quantity(base, Dimension.SHARE, 0.01)
    if found[2] == "bytes":
        return Quantity(base, Dimension.BYTES, 1.0)
    return Quantity(base, Dimension.TIME, Dimension.TIME.units[found[2]])


def parse(text: str, vocabulary: Vocabulary) -> Threshold:
    """Return the threshold that a text says. Raise ThresholdError, which knows the column."""
    reader = _Reader(text)
    name = reader.take(_NAME, "want a metric, as in p99<20ms")
    begin = reader.begin
    metric, dimension, unwritten = _resolved(name, vocabulary, text, begin)
    labels = _labels(reader, vocabulary)
    sign = reader.take(_OPERATOR, "want one of <, <=, >, >=, ==, !=")
    number = float(reader.take(_NUMBER, "want a number"))
    number_begin = reader.begin
    unit = reader.maybe(_UNIT)
    if unit is None:
        unit = unwritten
        if dimension is Dimension.SHARE and number >= 1:
            why = f"a share without % is a part of 1: write {number:g}%"
            raise ThresholdError(text, number_begin + 1, why)
    elif unit not in dimension.units:
        known = " or ".join(filter(None, dimension.units)) or "none"
        why = f"{unit!r} is no unit of a {dimension.word}: {known}"
        raise ThresholdError(text, reader.begin + 1, why)
    if reader.maybe(_UNIT):
        raise ThresholdError(text, reader.begin + 1, "want nothing after the unit")
    bound = number * dimension.units[unit]
    if not math.isfinite(bound):
        raise ThresholdError(text, number_begin + 1, "the number is too great")
    return Threshold(text.strip(), metric, labels, sign, bound, unit, dimension)


def judge(thresholds: Iterable[Threshold], numbers: Iterable[Number]) -> list[Outcome]:
    """Return what became of each threshold; a number must have just the labels that it names."""
    values = {(number.name, number.labels): number.value for number in numbers}
    return [Outcome(each, values.get((each.metric, each.labels))) for each in thresholds]


def spread_out(arguments: Sequence[str], option: str) -> list[str]:
    """Return a command line in which each of the thresholds after one `option` has its own.

    `--threshold 'p99<20ms' 'split_error<0.1%'` is two of them; what does not look like one (a name,
    a file, another option) is left alone.
    """
    spread: list[str] = []
    follows = False
    for place, argument in enumerate(arguments):
        if argument == "--":
            return [*spread, *arguments[place:]]
        is_value = bool(spread) and spread[-1] == option
        if follows and not is_value and _LIKELY.match(argument):
            spread.append(option)
        elif not is_value:
            follows = argument == option or argument.startswith(option + "=")
        spread.append(argument)
    return spread


class _Reader:
    """Takes one piece after the other; `begin` is where the last one began."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.begin = 0
        self._end = 0

    def maybe(self, pattern: re.Pattern[str]) -> str | None:
        while self._end < len(self.text) and self.text[self._end].isspace():
            self._end += 1
        found = pattern.match(self.text, self._end)
        self.begin = self._end
        if not found:
            return None
        self._end = found.end()
        return found[0].strip()

    def take(self, pattern: re.Pattern[str], otherwise: str) -> str:
        found = self.maybe(pattern)
        if found is None:
            raise ThresholdError(self.text, self.begin + 1, otherwise)
        return found


def _resolved(
    written: str, vocabulary: Vocabulary, text: str, begin: int
) -> tuple[str, Dimension, str]:
    """Return the metric that a name means, what it measures, and the unit where none is written."""
    name = _K6.get(written, written)
    if percentile := _PERCENTILE.fullmatch(name):
        percent = float(percentile[1] or percentile[2])
        name = f"p{percent:g}"
        if vocabulary.percentiles and name not in vocabulary.metrics:
            if not 0 < percent <= 100:
                raise ThresholdError(text, begin + 1, "a percentile is more than 0, at most 100")
            return name, vocabulary.percentiles, vocabulary.percentiles.unwritten
    if name in vocabulary.metrics:
        dimension = vocabulary.metrics[name]
        return name, dimension, dimension.unwritten
    known = sorted(vocabulary.metrics)
    near = difflib.get_close_matches(written, known, n=2, cutoff=0.6)
    guess = f"; did you mean {' or '.join(near)}?" if near else "."
    names = ", ".join([*(["pN"] if vocabulary.percentiles else []), *known])
    raise ThresholdError(text, begin + 1, f"no metric {written!r}{guess} Known are {names}")


def _labels(reader: _Reader, vocabulary: Vocabulary) -> Labels:
    """Return the labels in braces, none where there are no braces."""
    if reader.maybe(re.compile(r"\{")) is None:
        return frozenset()
    labels: dict[str, str] = {}
    known = " or ".join(sorted(vocabulary.labels)) or "none"
    while True:
        pair = reader.take(_LABEL, "want LABEL:VALUE, as in {revision:hello-00002}")
        name, _, value = (part.strip() for part in pair.partition(":"))
        if name not in vocabulary.labels:
            why = f"no label {name!r}: known is {known}"
            raise ThresholdError(reader.text, reader.begin + 1, why)
        if name in labels:
            raise ThresholdError(reader.text, reader.begin + 1, f"{name!r} is there twice")
        labels[name] = value
        if reader.take(re.compile(r"[,}]"), "want , or }") == "}":
            return frozenset(labels.items())

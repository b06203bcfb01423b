"""What a scenario shows while it plays: the protocol, its outcome, and plain lines of text."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Protocol, TextIO

from msgspec import Struct

from simulator.load.plan import Answer
from simulator.load.report import LoadReport
from simulator.scenario.bars import bar_cells, latency_line, order_signs
from simulator.scenario.checks import Verdict, counts_of
from simulator.scenario.model import Scenario

WIDTH = 80
BAR_WIDTH = 40
ORDER_MAX = 100  # answers whose order is shown one by one
ORDER_PER_LINE = 50
INDENT = "    "
OUTPUT_LINES_SHOWN = 2
OUTPUT_LINES_VERBOSE = 10_000


class ChapterOutcome(Struct):
    """A chapter and the verdicts of its claims, in order."""

    title: str
    verdicts: list[Verdict] = []

    @property
    def held(self) -> int:
        return sum(verdict.held for verdict in self.verdicts)

    @property
    def claims(self) -> int:
        """Return how many claims were judged."""
        return sum(not verdict.skipped for verdict in self.verdicts)


class Outcome(Struct):
    """How a scenario ended. `finished` is False when a step failed that others build upon."""

    title: str
    chapters: list[ChapterOutcome] = []
    requests: int = 0
    elapsed_s: float = 0.0
    finished: bool = True
    source: str = ""

    @property
    def claims(self) -> int:
        return sum(chapter.claims for chapter in self.chapters)

    @property
    def skipped(self) -> int:
        return sum(len(chapter.verdicts) for chapter in self.chapters) - self.claims

    @property
    def held(self) -> int:
        return sum(chapter.held for chapter in self.chapters)

    @property
    def passed(self) -> bool:
        """Tell whether every step was played and every claim held."""
        return self.finished and self.held == self.claims


class Presenter(Protocol):
    """Shows one scenario; calls come in the order of events."""

    def scenario_begins(self, scenario: Scenario) -> None:
        """Show what is about to be played."""

    def chapter_begins(self, number: int, total: int, title: str) -> None:
        """Show that a numbered chapter begins."""

    def told(self, text: str) -> None:
        """Show words for the learner."""

    def typed(self, line: str, stdin: str = "") -> None:
        """Show a command that a user would type, before it runs."""

    def printed(self, output: str, wanted: Sequence[str]) -> None:
        """Show what the command printed, once it ended; above all the `wanted` texts."""

    def load_begins(self, title: str, *, background: bool) -> None:
        """Show that requests are being sent; `answered` follows for each."""

    def answered(self, title: str, answer: Answer) -> None:
        """Take in one answer of the load of this title."""

    def load_ended(self, title: str, answers: Sequence[Answer], report: LoadReport) -> None:
        """Show who answered a load, in all; `answers` may be empty when none were kept."""

    def window(self, answers: Sequence[Answer]) -> None:
        """Show who answered these requests of a load that goes on."""

    def judged(self, verdict: Verdict, where: str) -> None:
        """Show whether a claim held; `where` is its FILE:LINE."""

    def scenario_ends(self, outcome: Outcome) -> None:
        """Show the summary."""


class PlainPresenter:
    """One line of text per event: for pipes, files and CI logs."""

    def __init__(self, stream: TextIO, lines_max: int = OUTPUT_LINES_SHOWN) -> None:
        """`lines_max` is how many lines of a command's output are shown."""
        self._stream = stream
        self._printed = Printed(lines_max)

    def scenario_begins(self, scenario: Scenario) -> None:
        self._line(scenario.title)
        if scenario.why:
            self._wrapped(scenario.why)

    def chapter_begins(self, number: int, total: int, title: str) -> None:
        self._line()
        self._line(f"[{number}/{total}] {title}")

    def told(self, text: str) -> None:
        self._wrapped(text, indent="  ")

    def typed(self, line: str, stdin: str = "") -> None:
        for index, row in enumerate(folded(line, WIDTH - 4)):
            self._line(f"  {'$ ' if index == 0 else '  '}{row}")
        for row in stdin.splitlines():
            self._line(f"  > {row}")

    def printed(self, output: str, wanted: Sequence[str]) -> None:
        for line in self._printed.choose(output, wanted):
            self._line(f"{INDENT}{line}")

    def load_begins(self, title: str, *, background: bool) -> None:
        self._line(f"  ~ {title}{', meanwhile' if background else ''}")

    def answered(self, title: str, answer: Answer) -> None:
        pass

    def load_ended(self, title: str, answers: Sequence[Answer], report: LoadReport) -> None:
        del title  # it stands above, where the load began
        counts = report.shares()
        self._bars(counts)
        order = [answer.revision for answer in answers]
        if len(counts) > 1 and len(order) <= ORDER_MAX and not report.behind_schedule:
            signs = order_signs(order)
            for start in range(0, len(signs), ORDER_PER_LINE):
                self._line(f"{INDENT}order {signs[start : start + ORDER_PER_LINE]}")
        self._line(f"{INDENT}{latency_line(report)}")

    def window(self, answers: Sequence[Answer]) -> None:
        self._bars(counts_of(answers))

    def judged(self, verdict: Verdict, where: str) -> None:
        if verdict.skipped:
            self._line(f"  skip {verdict.sentence}")
        elif verdict.held:
            self._line(f"  ok   {verdict.sentence}")
        else:
            self._line(f"  FAIL {verdict.sentence} ({where})")

    def scenario_ends(self, outcome: Outcome) -> None:
        self._line()
        for number, chapter in enumerate(outcome.chapters, start=1):
            total = chapter.claims
            word = "ok  " if chapter.held == total else "FAIL"
            self._line(f"{word} {number}. {chapter.title}: {chapter.held} of {total} claims held")
        self._line(summary(outcome))

    def _bars(self, counts: Mapping[str, int]) -> None:
        total = sum(counts.values())
        width = max((len(name) for name in counts), default=0)
        for name, cells in bar_cells(counts, BAR_WIDTH).items():
            share = 100 * counts[name] / total
            bar = ("#" * cells).ljust(BAR_WIDTH, ".")
            self._line(f"{INDENT}{name:<{width}} {bar} {counts[name]:>5} {share:5.1f} %")

    def _wrapped(self, text: str, indent: str = "") -> None:
        for row in textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent):
            self._line(row)

    def _line(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)


class Printed:
    """Chooses what to show of a command's output, and does not show the same lines twice."""

    def __init__(self, lines_max: int) -> None:
        """`lines_max` of OUTPUT_LINES_VERBOSE shows everything."""
        self._lines_max = lines_max
        self._shown: set[tuple[str, ...]] = set()

    def choose(self, output: str, wanted: Sequence[str]) -> list[str]:
        """Return the lines worth showing: those with a wanted text, else the last ones."""
        lines = [line.rstrip() for line in output.splitlines() if line.strip()]
        if self._lines_max >= OUTPUT_LINES_VERBOSE:
            return lines
        lines = [line for line in lines if not line.startswith("Warning: ")]
        lines = [line for line in lines if line.startswith("Error: ")] or lines
        asked = [line for line in lines if any(text in line for text in wanted)]
        chosen = asked[: self._lines_max] or lines[-self._lines_max :]
        # One line is no clutter, and a command that prints nothing makes one wonder.
        if len(chosen) > 1 and tuple(chosen) in self._shown:
            return []
        self._shown.add(tuple(chosen))
        return chosen


def folded(command: str, width: int) -> list[str]:
    """Return a command line in rows that fit, broken before options as a shell reads them."""
    if len(command) <= width:
        return [command]
    rows: list[str] = []
    parts = re.split(r" (?=--?[a-z])", command)
    for part in itertools.chain.from_iterable(_halves(part, width) for part in parts):
        if rows and len(rows[-1]) + 1 + len(part) + 2 <= width:
            rows[-1] += f" {part}"
        else:
            rows.append(part if not rows else f"  {part}")
    return [*(f"{row} \\" for row in rows[:-1]), rows[-1]]


def _halves(option: str, width: int) -> list[str]:
    """Return an option and its value as one part, or as two when they do not fit a row."""
    name, blank, value = option.partition(" ")
    return [name, value] if blank and len(option) + 4 > width else [option]


def summary(outcome: Outcome) -> str:
    """Return the closing line."""
    requests = f"{outcome.requests:,} real requests, {outcome.elapsed_s:.1f} s"
    if outcome.skipped:
        requests = f"{outcome.skipped} skipped; {requests}"
    if outcome.passed:
        return f"All {outcome.claims} claims held ({requests})."
    stopped = "" if outcome.finished else " It stopped early."
    return (
        f"{outcome.claims - outcome.held} of {outcome.claims} claims failed ({requests}).{stopped}"
    )

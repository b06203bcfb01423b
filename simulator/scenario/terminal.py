"""A scenario on a terminal: colours per revision, and a bar that grows as answers come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.rule import Rule
from rich.spinner import Spinner
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from simulator.load.plan import Answer
from simulator.load.report import LoadReport
from simulator.scenario.bars import bar_cells, latency_line
from simulator.scenario.checks import Verdict, counts_of
from simulator.scenario.model import Scenario
from simulator.scenario.present import (
    ORDER_MAX,
    ORDER_PER_LINE,
    OUTPUT_LINES_SHOWN,
    Outcome,
    Printed,
    folded,
    summary,
)

WIDTH_MAX = 88
INDENT = 4
REFRESH_PER_S = 12.0
# Told apart by people who see no red or no green, too.
COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "bright_white")
FAILED_COLOUR = "red"
FAILED = "failed"


class TerminalPresenter:
    """Prints as it goes; below that, what is under way right now."""

    def __init__(self, console: Console, lines_max: int = OUTPUT_LINES_SHOWN) -> None:
        """`lines_max` is how many lines of a command's output are shown."""
        self._console = console
        self._printed = Printed(lines_max)
        self._width = min(console.width, WIDTH_MAX)
        self._colours: dict[str, str] = {}
        self._loads: dict[str, Counter[str]] = {}
        self._spinner: Spinner | None = None
        self._at_heading = False
        self._live = Live(
            console=console,
            get_renderable=self._under_way,
            refresh_per_second=REFRESH_PER_S,
            transient=True,
        )

    def close(self) -> None:
        """Give the terminal back; safe at any moment."""
        self._live.stop()

    def scenario_begins(self, scenario: Scenario) -> None:
        self._print(Text(scenario.title, style="bold"))
        if scenario.why:
            self._print(Text(" ".join(scenario.why.split())))
        self._live.start()

    def chapter_begins(self, number: int, total: int, title: str) -> None:
        self._console.print()
        heading = Text.assemble((f" {number}/{total} ", "reverse"), " ", (title, "bold"), " ")
        self._console.print(Rule(heading, align="left", style="dim"), width=self._width)
        self._at_heading = True

    def told(self, text: str) -> None:
        if not self._at_heading:
            self._console.print()
        self._at_heading = False
        self._print(Text(" ".join(text.split())), indent=INDENT - 2)

    def typed(self, line: str, stdin: str = "") -> None:
        self._at_heading = False
        self._console.print()
        rows = folded(line + (" <<EOF" if stdin else ""), self._width - INDENT)
        for index, row in enumerate(rows):
            prompt = "$ " if index == 0 else "  "
            self._print(Text.assemble((prompt, "green"), (row, "bold")), indent=INDENT - 2)
        if stdin:
            block = Syntax(stdin.rstrip() + "\nEOF", "yaml", background_color="default")
            self._print(block, indent=INDENT)
        self._spinner = Spinner("dots", style="dim")

    def printed(self, output: str, wanted: Sequence[str]) -> None:
        self._spinner = None
        for line in self._printed.choose(output, wanted):
            self._print(Text(line, style="dim"), indent=INDENT)

    def load_begins(self, title: str, *, background: bool) -> None:
        self._console.print()
        text = Text.assemble(("» ", "green"), (title, "bold"))
        if background:
            text.append(", while the next steps go on")
        self._print(text, indent=INDENT - 2)
        self._loads[title] = Counter()
        self._live.start()

    def answered(self, title: str, answer: Answer) -> None:
        self._loads[title][FAILED if answer.error else answer.revision or FAILED] += 1

    def load_ended(self, title: str, answers: Sequence[Answer], report: LoadReport) -> None:
        self._loads.pop(title, None)
        counts = report.shares()
        self._print_bar(counts, report.all.failed)
        if len(counts) > 1 and len(answers) <= ORDER_MAX:
            self._print_order(answers)
        self._print(Text(latency_line(report), style="dim"), indent=INDENT)

    def window(self, answers: Sequence[Answer]) -> None:
        fine = [answer for answer in answers if not answer.error]
        self._print_bar(counts_of(fine), len(answers) - len(fine))

    def judged(self, verdict: Verdict, where: str) -> None:
        self._spinner = None
        grid = Table.grid(padding=(0, 1, 0, 0))
        if verdict.skipped:
            grid.add_row(Text("–", style="dim"), Text(f"skipped: {verdict.sentence}", style="dim"))
        elif verdict.held:
            grid.add_row(Text("✓", style="bold green"), Text(verdict.sentence))
        else:
            text = Text.assemble((verdict.sentence, "red"), (f" ({where})", "dim"))
            grid.add_row(Text("✗", style="bold red"), text)
        self._print(grid, indent=INDENT - 2)

    def scenario_ends(self, outcome: Outcome) -> None:
        self._live.stop()
        self._console.print()
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        table.add_column(justify="right", style="dim")
        table.add_column(overflow="fold")
        table.add_column(justify="right")
        for number, chapter in enumerate(outcome.chapters, start=1):
            total = chapter.claims
            sign = "[green]✓[/]" if chapter.held == total else "[bold red]✗[/]"
            table.add_row(str(number), escape(chapter.title), f"{chapter.held}/{total} {sign}")
        self._console.print(Rule(style="dim"), width=self._width)
        self._print(table, indent=1)
        style = "bold green" if outcome.passed else "bold red"
        self._print(Text(summary(outcome), style=style), indent=1)

    # Pictures.

    def _under_way(self) -> RenderableType:
        parts: list[RenderableType] = []
        for title, counts in self._loads.items():
            shown = dict(counts)
            failed = shown.pop(FAILED, 0)
            parts.append(Text())
            parts.append(self._bar(dict(sorted(shown.items())), failed))
            parts.append(Text(f"{title}: {counts.total():,} so far", style="dim"))
        if self._spinner is not None:
            parts.append(self._spinner)
        return Padding(Group(*parts), (0, 0, 0, INDENT))

    def _print_bar(self, counts: Mapping[str, int], failed: int) -> None:
        self._print(self._bar(counts, failed), indent=INDENT)

    def _bar(self, counts: Mapping[str, int], failed: int) -> RenderableType:
        """Return one bar of all answers and, below it, who they came from."""
        shown = {**counts, FAILED: failed} if failed else dict(counts)
        total = sum(shown.values())
        bar, legend = Text(), Text()
        for name, cells in bar_cells(shown, self._width - 2 * INDENT).items():
            colour = self._colour(name)
            bar.append("█" * cells, style=colour)
            legend.append("■ ", style=colour)
            legend.append(f"{name} {shown[name]} ({100 * shown[name] / total:.3g} %)   ")
        return Group(bar, legend)

    def _print_order(self, answers: Sequence[Answer]) -> None:
        for start in range(0, len(answers), ORDER_PER_LINE):
            text = Text("in order  " if start == 0 else "          ", style="dim")
            for answer in answers[start : start + ORDER_PER_LINE]:
                text.append("■", style=self._colour(answer.revision or FAILED))
            self._print(text, indent=INDENT)

    def _colour(self, name: str) -> str:
        if name == FAILED:
            return FAILED_COLOUR
        if name not in self._colours:
            self._colours[name] = COLOURS[len(self._colours) % len(COLOURS)]
        return self._colours[name]

    def _print(self, what: RenderableType, indent: int = 0) -> None:
        self._console.print(Padding(what, (0, 0, 0, indent)), width=self._width)

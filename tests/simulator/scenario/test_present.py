from __future__ import annotations

import io
import shlex

import pytest
from rich.console import Console

from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible
from simulator.scenario.checks import Verdict
from simulator.scenario.model import Scenario
from simulator.scenario.present import (
    OUTPUT_LINES_VERBOSE,
    ChapterOutcome,
    Outcome,
    PlainPresenter,
    Presenter,
    Printed,
    folded,
    summary,
)
from simulator.scenario.terminal import TerminalPresenter

COMMAND = (
    "knary service create helloworld-go --image"
    " registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56 --port 8080"
)


@pytest.mark.parametrize("width", [40, 60, 76, 100, 400])
def test_a_folded_command_means_the_same_to_a_shell(width: int) -> None:
    rows = folded(COMMAND, width)
    assert all(row.endswith(" \\") for row in rows[:-1])
    typed = " ".join(row.removesuffix("\\") for row in rows)
    assert shlex.split(typed) == shlex.split(COMMAND)


def test_a_folded_command_fits_where_its_words_do() -> None:
    assert folded(COMMAND, 76) == [
        "knary service create helloworld-go --image \\",
        "  registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56 \\",
        "  --port 8080",
    ]


@pytest.mark.parametrize(
    ("output", "wanted", "chosen"),
    [
        pytest.param("a\n\nb\nc\n", (), ["b", "c"], id="the last lines"),
        pytest.param("a\nb\nc\n", ("a",), ["a"], id="what is asked for"),
        pytest.param("Warning: x\na\n", (), ["a"], id="no warnings"),
        pytest.param("0.1s a\nError: b\n", (), ["Error: b"], id="an error alone"),
        pytest.param("", (), [], id="nothing"),
    ],
)
def test_little_of_a_commands_output_is_shown(output, wanted, chosen) -> None:
    assert Printed(2).choose(output, wanted) == chosen


def test_the_same_lines_are_not_shown_twice_unless_all_are_asked_for() -> None:
    printed = Printed(2)
    assert printed.choose("a\nb\n", ()) == ["a", "b"]
    assert printed.choose("a\nb\n", ()) == []
    assert printed.choose("c\nb\n", ()) == ["c", "b"]
    assert printed.choose("d\n", ()) == ["d"]
    assert printed.choose("d\n", ()) == ["d"], "a command that prints nothing makes one wonder"
    verbose = Printed(OUTPUT_LINES_VERBOSE)
    assert verbose.choose("Warning: x\na\n", ()) == ["Warning: x", "a"]
    assert verbose.choose("Warning: x\na\n", ()) == ["Warning: x", "a"]


@pytest.mark.parametrize(
    ("verdicts", "finished", "words"),
    [
        pytest.param([True, True], True, "All 2 claims held (9 real requests, 1.5 s).", id="all"),
        pytest.param([True, False], True, "1 of 2 claims failed (9 real", id="one failed"),
        pytest.param([False], False, "It stopped early.", id="stopped"),
    ],
)
def test_the_summary_is_one_line(verdicts, finished, words) -> None:
    chapter = ChapterOutcome("One", [Verdict(held, "x") for held in verdicts])
    outcome = Outcome("A story", [chapter], requests=9, elapsed_s=1.5, finished=finished)
    assert words in summary(outcome)
    assert outcome.passed is (all(verdicts) and finished)


def show(presenter: Presenter) -> None:
    """Go through every event once, with names and words that markup could misread."""
    scenario = Scenario("A story [1]", "Why [not]?", "default", (), "story.yaml")
    plan = LoadPlan("127.0.0.1", 80, "h", AsFastAsPossible(4))
    report = LoadReport(plan)
    revisions = ["r-00001", "r-00002", "r-00001", ""]
    answers = [
        Answer(index, 0.1, 0.1, 0.2, 200 if name else 0, name, "" if name else "reset")
        for index, name in enumerate(revisions)
    ]
    presenter.scenario_begins(scenario)
    presenter.chapter_begins(1, 1, "First [bold]")
    presenter.told("Some [red]words.")
    presenter.typed("knary apply -f -", stdin="kind: Service\nspec: {traffic: [1]}\n")
    presenter.printed("done [x]\n", ())
    presenter.load_begins("4 requests", background=True)
    for answer in answers:
        report.count(answer)
        presenter.answered("4 requests", answer)
    presenter.window(answers[:2])
    presenter.load_ended("4 requests", answers, report)
    presenter.judged(Verdict(held=True, sentence="it held [yes]"), "story.yaml:3")
    presenter.judged(Verdict(held=False, sentence="it failed"), "story.yaml:4")
    verdicts = [Verdict(held=True, sentence=""), Verdict(held=False, sentence="")]
    chapter = ChapterOutcome("First [bold]", verdicts)
    presenter.scenario_ends(Outcome("A story", [chapter], 4, 1.0))


COMMON = [
    *("A story [1]", "Why [not]?", "First [bold]", "Some [red]words.", "knary apply -f -"),
    *("kind: Service", "done [x]", "4 requests", "r-00001", "r-00002", "it held [yes]"),
    *("it failed", "story.yaml:4", "4 requests, 1 failed", "1 of 2 claims failed"),
]


def test_plain_lines_tell_everything() -> None:
    stream = io.StringIO()
    show(PlainPresenter(stream))
    shown = stream.getvalue()
    assert [words for words in COMMON if words not in shown] == []
    assert "    order aba!" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_shows_everything_within_its_width(width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None)
    presenter = TerminalPresenter(console)
    try:
        show(presenter)
    finally:
        presenter.close()
    shown = stream.getvalue()
    if width >= 80:
        assert [words for words in COMMON if words not in shown] == []
    printed = [line.split("\x1b")[0].split("\r")[-1] for line in shown.splitlines()]
    assert max(len(line) for line in printed) <= width


def test_a_load_whose_answers_were_not_kept_is_shown_by_its_report() -> None:
    report = LoadReport(LoadPlan("127.0.0.1", 80, "h", AsFastAsPossible(3)))
    for name in ("r-00001", "r-00002", "r-00001"):
        report.count(Answer(0, 0.1, 0.1, 0.2, 200, name))
    plain, coloured = io.StringIO(), io.StringIO()
    console = Console(file=coloured, force_terminal=True, width=80, color_system=None)
    terminal = TerminalPresenter(console)
    for presenter in (PlainPresenter(plain), terminal):
        presenter.load_begins("3 requests", background=False)
        presenter.load_ended("3 requests", (), report)
    terminal.close()
    assert "r-00001 ###########################.............     2  66.7 %" in plain.getvalue()
    assert "■ r-00001 2 (66.7 %)   ■ r-00002 1 (33.3 %)" in coloured.getvalue()


def test_a_terminal_without_utf_8_still_shows_the_story() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    show(TerminalPresenter(Console(file=stream, force_terminal=True, width=80)))

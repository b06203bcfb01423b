"""What scenarios came to, as JSON, as JUnit's XML and as a page."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.checks import Verdict
from simulator.scenario.page import page_of
from simulator.scenario.present import ChapterOutcome, Outcome, summary
from simulator.scenario.results import document_of, junit_of

HELD = Verdict(held=True, sentence="100 requests split 50 : 50", where="a.yaml:3")
BROKEN = Verdict(held=False, sentence="it answered 503 “<b>”", where="a.yaml:9")


def outcomes() -> list[Outcome]:
    first = [ChapterOutcome("Create", [HELD]), ChapterOutcome("Shift & look", [HELD, BROKEN])]
    return [
        Outcome("One", first, 100, 1.5, source="a.yaml"),
        Outcome("Two", [ChapterOutcome("All", [HELD])], 5, 0.5, source="b.yaml"),
    ]


def test_the_document_says_what_held_and_where() -> None:
    document = document_of(outcomes(), "1.2.3")
    assert document["schema"] == "knary.run/v1"
    assert document["passed"] is False
    one, two = document["scenarios"]
    assert (one["passed"], two["passed"]) == (False, True)
    assert (one["file"], one["requests"], one["elapsed_s"]) == ("a.yaml", 100, 1.5)
    assert one["chapters"][1] == {
        "title": "Shift & look",
        "claims": [
            {"held": True, "skipped": False, "sentence": HELD.sentence, "where": "a.yaml:3"},
            {"held": False, "skipped": False, "sentence": BROKEN.sentence, "where": "a.yaml:9"},
        ],
    }


def test_what_was_skipped_is_neither_held_nor_broken() -> None:
    left_out = Verdict(held=False, sentence="knary's to promise", where="a.yaml:4", skipped=True)
    outcome = Outcome("One", [ChapterOutcome("All", [HELD, left_out])], 5, 0.5)
    assert (outcome.passed, outcome.claims, outcome.held, outcome.skipped) == (True, 1, 1, 1)
    assert summary(outcome) == "All 1 claims held (1 skipped; 5 real requests, 0.5 s)."
    (suite,) = ET.fromstring(junit_of([outcome]))
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "0", "1")
    (skipped,) = suite.iter("skipped")
    assert skipped.get("message") == "knary's to promise"
    assert "skipped" in Page(page_of([outcome], "1")).said


def test_junit_has_a_suite_per_scenario_and_a_case_per_claim() -> None:
    root = ET.fromstring(junit_of(outcomes()))
    assert root.attrib | {"tests": "4", "failures": "1", "time": "2.000"} == root.attrib
    one, two = root.findall("testsuite")
    assert (one.get("name"), one.get("tests"), one.get("failures")) == ("One", "3", "1")
    assert (two.get("tests"), two.get("failures")) == ("1", "0")
    assert [case.get("name") for case in one.findall("testcase")] == [
        *("1. Create: claim 1", "2. Shift & look: claim 1", "2. Shift & look: claim 2"),
    ]
    (failure,) = root.iter("failure")
    assert failure.get("message") == BROKEN.sentence
    assert failure.text == f"{BROKEN.sentence}\na.yaml:9"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


@given(st.text(), st.text())
def test_no_text_breaks_out_of_a_page_or_of_the_xml(title: str, sentence: str) -> None:
    verdict = Verdict(held=False, sentence=sentence, where=title)
    played = [Outcome(title, [ChapterOutcome(title, [verdict])], source=title)]
    (case,) = ET.fromstring(junit_of(played)).iter("testcase")
    assert case.find("failure") is not None
    page = Page(page_of(played, "1"))
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "section", "p"),
        *("code", "table", "caption", "tr", "td", "footer"),
    }
    assert not any({"src", "href", "onload", "style"} & set(attrs) for _, attrs in page.tags)


def test_the_page_shows_each_claim() -> None:
    page = Page(page_of(outcomes(), "1.2.3"))
    for text in ("1 of 2 scenarios passed", "Shift & look", BROKEN.sentence, "a.yaml:9", "failed"):
        assert text in page.said

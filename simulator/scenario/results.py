"""What scenarios came to, for machines: JSON, and JUnit's XML as CI systems read it. Pure.

There is no standard of JUnit's XML; this is what Jenkins' schema and GitLab's reader have in common
(https://github.com/testmoapp/junitxml): suites of cases, a failure with its message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from simulator.scenario.present import ChapterOutcome, Outcome

SCHEMA = "knary.run/v1"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document_of(outcomes: Sequence[Outcome], version: str) -> dict[str, Any]:
    """Return what docs/scenarios.md describes."""
    return {
        "schema": SCHEMA,
        "version": version,
        "passed": all(outcome.passed for outcome in outcomes),
        "scenarios": [
            {
                "title": outcome.title,
                "file": outcome.source,
                "passed": outcome.passed,
                "finished": outcome.finished,
                "requests": outcome.requests,
                "elapsed_s": round(outcome.elapsed_s, 3),
                "chapters": [_chapter(chapter) for chapter in outcome.chapters],
            }
            for outcome in outcomes
        ],
    }


def junit_of(outcomes: Sequence[Outcome]) -> str:
    """Return JUnit XML: a suite for each scenario, a case for each claim.

    A case is named by its place and not by its words, which have measured numbers in them: CI
    systems follow a test through its runs by that name.
    """
    root = ET.Element(
        "testsuites",
        name="knary run",
        tests=str(sum(outcome.claims + outcome.skipped for outcome in outcomes)),
        failures=str(sum(outcome.claims - outcome.held for outcome in outcomes)),
        errors="0",
        time=f"{sum(outcome.elapsed_s for outcome in outcomes):.3f}",
    )
    for outcome in outcomes:
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_xml(outcome.title),
            tests=str(outcome.claims + outcome.skipped),
            failures=str(outcome.claims - outcome.held),
            errors="0",
            skipped=str(outcome.skipped),
            time=f"{outcome.elapsed_s:.3f}",
        )
        for number, chapter in enumerate(outcome.chapters, 1):
            _add_cases(suite, outcome, number, chapter)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_cases(suite: ET.Element, outcome: Outcome, number: int, chapter: ChapterOutcome) -> None:
    for claim, verdict in enumerate(chapter.verdicts, 1):
        case = ET.SubElement(
            suite,
            "testcase",
            classname=_xml(outcome.source or outcome.title),
            name=_xml(f"{number}. {chapter.title}: claim {claim}"),
            time="0",
        )
        sentence = _xml(verdict.sentence)
        if verdict.skipped:
            ET.SubElement(case, "skipped", message=sentence)
        elif verdict.held:
            ET.SubElement(case, "system-out").text = sentence
        else:
            failure = ET.SubElement(case, "failure", message=sentence, type="claim")
            failure.text = f"{sentence}\n{_xml(verdict.where)}"


def _chapter(chapter: ChapterOutcome) -> dict[str, Any]:
    return {
        "title": chapter.title,
        "claims": [
            {
                "held": verdict.held,
                "skipped": verdict.skipped,
                "sentence": verdict.sentence,
                "where": verdict.where,
            }
            for verdict in chapter.verdicts
        ],
    }


def _xml(text: str) -> str:
    """Return the text without what XML 1.0 cannot hold, not even escaped."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)

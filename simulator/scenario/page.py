"""What scenarios came to, for people: one HTML file that needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from simulator.scenario.present import Outcome, summary

_STYLE = """
:root { color-scheme: light dark; --held: #0a6b3d; --broken: #b3261e; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --held: #5fd39a; --broken: #ff8a80; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: 1rem 0 .25rem; }
td { border-top: 1px solid var(--line); padding: .4rem .5rem; vertical-align: top; }
td:first-child { width: 5rem; font-weight: 600; white-space: nowrap; }
td:last-child { text-align: right; opacity: .7; font-size: .85rem; overflow-wrap: anywhere; }
.held { color: var(--held); } .broken { color: var(--broken); }
"""


def page_of(outcomes: Sequence[Outcome], version: str) -> str:
    """Return the page: each scenario, each chapter, each claim with its sentence."""
    return "\n".join(_lines(outcomes, version)) + "\n"


def _lines(outcomes: Sequence[Outcome], version: str) -> Iterator[str]:
    passed = sum(outcome.passed for outcome in outcomes)
    title = f"{passed} of {len(outcomes)} scenarios passed"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield f'<h1 class="{_class(passed == len(outcomes))}">{title}</h1>'
    for outcome in outcomes:
        yield f"<section>\n<h2>{escape(outcome.title)}</h2>"
        if outcome.source:
            yield f"<p><code>{escape(outcome.source)}</code></p>"
        yield f'<p class="{_class(outcome.passed)}">{escape(summary(outcome))}</p>'
        for number, chapter in enumerate(outcome.chapters, 1):
            if not chapter.verdicts:
                continue
            caption = f"{number}. {chapter.title}: {chapter.held} of {chapter.claims}"
            yield f"<table>\n<caption>{escape(caption)}</caption>"
            for verdict in chapter.verdicts:
                word = "held" if verdict.held else "skipped" if verdict.skipped else "failed"
                look = "" if verdict.skipped else _class(verdict.held)
                yield f'<tr><td class="{look}">{word}</td>'
                yield f"<td>{escape(verdict.sentence)}</td><td>{escape(verdict.where)}</td></tr>"
            yield "</table>"
        yield "</section>"
    yield f"<footer><p>knary {escape(version)}</p></footer>\n</main>\n</body>\n</html>"


def _class(held: object) -> str:
    return "held" if held else "broken"

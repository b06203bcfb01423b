"""What all pages share: the frame, the style, tables that scroll by themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import knary
from benchmarks.harness.documents.envelope import Document
from benchmarks.harness.pages.markup import Element, element, together

# No script and no address of anything: the page must open offline, and tell nobody that it did.
_STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfa; --card: #fff; --ink: #1c2024; --soft: #5c6570;
  --rule: #dfe3e8; --good: #0a6b3d; --bad: #b3261e; --unsure: #7a5900; --interval: #b9cdf3;
  --s0: #1f5fd0; --s1: #b8480c; --s2: #08744f; --s3: #8a3ab0; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --card: #1c2024; --ink: #e8eaed;
  --soft: #a3adb8; --rule: #343b43; --good: #63d6a0; --bad: #ff9087; --unsure: #e8c268;
  --interval: #33507f; --s0: #82b1ff; --s1: #ffab70; --s2: #6ad9b0; --s3: #d59bf6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; max-width: 46rem; } .lead, footer, dt, caption { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--rule); border-radius: .75rem;
  padding: 1rem 1.1rem; margin-top: 1.25rem; }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 2px solid var(--s0); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; font-size: .9rem; }
th, td { padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--rule); text-align: right;
  vertical-align: middle; white-space: nowrap; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem; }
tr > :first-child { text-align: left; } tbody th { font-weight: 500; white-space: normal;
  overflow-wrap: anywhere; min-width: 8.5rem; }
td:last-child, thead th:last-child { padding-right: 0; }
small { display: block; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.better, .kept { color: var(--good); } .worse, .broken { color: var(--bad); font-weight: 600; }
.cannot-tell { color: var(--unsure); } .warning { border-left: 4px solid var(--bad); }
ul { margin: 0; padding-left: 1.2rem; } figure { margin: 0; } figcaption { font-size: .9rem; }
.key { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem;
  font-size: .9rem; } .sign { width: 26px; height: 10px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1.25rem; }
svg.row { width: 13.75rem; height: 1.625rem; display: inline-block; vertical-align: middle; }
svg.plot { width: 100%; max-width: 36rem; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 12px; }
.axis, .grid { stroke: var(--rule); } .axis { stroke-width: 1.5; }
.interval { fill: var(--interval); } .middle { fill: var(--s0); }
.sample { fill: var(--s0); fill-opacity: .55; } .median { stroke: var(--ink); stroke-width: 2; }
.line { fill: none; stroke-width: 2; } .s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); }
.s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); }
footer { margin-top: 1.5rem; font-size: .9rem; }
@media (max-width: 40rem) { main { padding: 1rem .6rem 2rem; } section { padding: .85rem .75rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; }
  svg.row { width: 9rem; height: 1.07rem; } }
"""

Cell = str | Element


def page(title: str, lead: str, sections: Iterable[Element]) -> str:
    """Return the whole file."""
    head = together(
        element("meta", {"charset": "utf-8"}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("title", None, title),
        element("style", None, Element(_STYLE)),
    )
    header = element(
        "header", None, element("h1", None, title), element("p", {"class": "lead"}, lead)
    )
    footer = element("footer", None, f"knary {knary.__version__}")
    body = element("body", None, element("main", None, header, *sections, footer))
    document = element("html", {"lang": "en"}, element("head", None, head), body)
    return f"<!DOCTYPE html>\n{document}\n"


def section(title: str, *content: Element, css: str | None = None) -> Element:
    return element("section", {"class": css}, element("h2", None, title), *content)


def paragraph(text: str) -> Element:
    return element("p", None, text)


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Element:
    """Return a table whose first column names the row. It scrolls by itself where it is wide."""
    top = element("tr", None, *(element("th", {"scope": "col"}, head) for head in heads))
    body = [
        element(
            "tr",
            None,
            element("th", {"scope": "row"}, first),
            *(element("td", None, cell) for cell in rest),
        )
        for first, *rest in rows
    ]
    whole = element(
        "table",
        None,
        element("caption", None, caption),
        element("thead", None, top),
        element("tbody", None, *body),
    )
    frame = {"class": "scroll", "role": "region", "tabindex": 0, "aria-label": caption}
    return element("div", frame, whole)


def word(text: str) -> Element:
    """Return a verdict, coloured by what it says; the word itself says it too."""
    return element("span", {"class": text.replace(" ", "-") or None}, text)


def facts(pairs: Mapping[str, str]) -> Element:
    """Return names and what they are, those that are known."""
    told = [
        together(element("dt", None, name), element("dd", None, value))
        for name, value in pairs.items()
        if value
    ]
    return element("dl", None, *told)


def bullets(lines: Iterable[str]) -> Element:
    return element("ul", None, *(element("li", None, line) for line in lines))


def origin(document: Document[object]) -> Element:
    """Return the section that says where a run's numbers come from."""
    machine = document.machine
    load = " then ".join(f"{each:g}" for each in machine.load_1m)
    return section(
        "Where these numbers come from",
        facts(
            {
                "measured": document.when,
                "knary": f"{document.knary}, gateway {document.build}",
                "machine": f"{machine.processor or machine.architecture}, {machine.cores} cores,"
                f" {machine.system} {machine.kernel}",
                "load": f"{load} ({machine.cores} cores)",
                "Python": machine.python,
                "peers": ", ".join(f"{name} {told}" for name, told in document.peers.items()),
                "parameters": ", ".join(
                    f"{name} {value}" for name, value in document.parameters.items() if value
                ),
            }
        ),
    )

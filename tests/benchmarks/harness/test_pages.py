"""Pages: one file that asks for nothing, runs nothing, and shows no text of others as markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.comparing.judging import compare
from benchmarks.harness.documents import gateway, provenance
from benchmarks.harness.documents.envelope import measure
from benchmarks.harness.documents.gateway import (
    Comparison,
    Gateway,
    GatewayResult,
    Sample,
    Slice,
)
from benchmarks.harness.documents.load import LoadDocument, Schedule, Tally
from benchmarks.harness.documents.measures import gateway_measures
from benchmarks.harness.documents.reading import Read
from benchmarks.harness.pages.comparison import comparison_page
from benchmarks.harness.pages.loaded import load_page
from benchmarks.harness.pages.markup import element
from benchmarks.harness.pages.measured import measured_page
from benchmarks.harness.pages.plots import lines, ratio_row
from benchmarks.harness.showing.command import show

HOSTILE = "</td><script src='https://example.com/x.js'></script>&\x00\x1b[31m\"><img src=x>"


def run(name: str, factor: float = 1.0) -> Read:
    """Return a document of a gateway of this name beside nginx."""
    slices = tuple(
        Slice(each, each + 1.0, 10, 0, {name: 10}, {"p50": 90, "p99": 200.0}, 0.5, 1.0)
        for each in range(3)
    )
    samples = tuple(
        Sample(turn, whose, turn, {"p99_us": (100 + turn) * times, "failed": 0}, slices=slices)
        for turn in range(6)
        for whose, times in ((name, factor), ("nginx", 1.0))
    )
    beside = Comparison("p99_us", "nginx", "slower", 1.2, None, None, 0.95, (1.2,))
    result = GatewayResult((Gateway(name), Gateway("nginx")), samples, (beside,))
    document = provenance.document(
        gateway.SCHEMA,
        provenance.begin(),
        result,
        (*gateway_measures(result), measure(name, (1.0, 2.0), "")),
        parameters={"path": name},
        peers={name: name},
        notes=(name,),
    )
    return Read(name, gateway.SCHEMA, bench=document)


def loaded(name: str) -> LoadDocument:
    latency = {"count": 9.0, "p50": 100.0, "p99": 900.0, "max": 1000.0}
    tally = Tally(10, {name: 1}, latency, {}, 1.0)
    schedule = Schedule(0.5, behind_schedule=True)
    return LoadDocument(
        *("knary.load/v1", "http1", name, "open", 1.0, 10.0, schedule, 10),
        *({name: 1}, latency, {name: tally}),
    )


def of_comparison(name: str) -> str:
    old, new = run(name), run(name, 1.5)
    return comparison_page(compare(old, new, margin_percent=5, chosen=lambda _: True))


def of_run(name: str) -> str:
    document = run(name).bench
    assert document
    return measured_page(document)


PAGES = [
    pytest.param(of_comparison, id="a comparison"),
    pytest.param(of_run, id="a run"),
    pytest.param(lambda name: load_page(loaded(name)), id="a load"),
]
KINDS = {"svg", "title", "line", "rect", "circle", "polyline", "text"}
ALLOWED = KINDS | {
    *("html", "head", "meta", "style", "body", "main", "header", "footer", "section", "h1", "h2"),
    *("p", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "span", "ul", "li"),
    *("dl", "dt", "dd", "figure", "figcaption", "small"),
}


def parsed(page: str) -> ET.Element:
    """Read a page as XML, which forgives nothing: no open tag, no bare &, no second root."""
    first, _, rest = page.partition("\n")
    assert first == "<!DOCTYPE html>"
    return ET.fromstring(rest)


@pytest.mark.parametrize("page_of", PAGES)
@pytest.mark.parametrize("name", ["knary", HOSTILE], ids=["a name", "a hostile one"])
def test_a_page_is_whole_and_asks_nobody_for_anything(
    page_of: Callable[[str], str], name: str
) -> None:
    page = page_of(name)
    root = parsed(page)
    assert {each.tag for each in root.iter()} <= ALLOWED
    attributes = {key for each in root.iter() for key in each.attrib}
    assert not {key for key in attributes if key in ("src", "href") or key.startswith("on")}
    style = "".join(each.text or "" for each in root.iter("style"))
    assert not re.search(r"url\(|@import|https?:|//", style)
    assert "prefers-color-scheme: dark" in style


@pytest.mark.parametrize("page_of", PAGES)
def test_what_others_wrote_is_shown_as_they_wrote_it(page_of: Callable[[str], str]) -> None:
    shown = "".join(parsed(page_of(HOSTILE)).itertext())
    assert HOSTILE.replace("\x00", "").replace("\x1b", "") in shown


@pytest.mark.parametrize("page_of", PAGES)
def test_tables_have_heads_and_plots_have_titles(page_of: Callable[[str], str]) -> None:
    root = parsed(page_of("knary"))
    tables = list(root.iter("table"))
    assert tables
    for table in tables:
        assert table.findtext("caption")
        heads = table.findall("thead/tr/th")
        assert all(head.get("scope") == "col" for head in heads)
        for row in table.findall("tbody/tr"):
            assert [row[0].tag, row[0].get("scope")] == ["th", "row"]
            assert len(row) == len(heads)
    for svg in root.iter("svg"):
        assert svg.get("aria-hidden") or (svg.get("role") == "img" and svg.findtext("title"))


@given(st.text(max_size=40))
def test_any_text_comes_through_as_a_text(text: str) -> None:
    root = ET.fromstring(element("p", {"title": text}, text))
    assert list(root) == []
    known = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "", text)
    assert "".join(root.itertext()) == known


NUMBERS = st.none() | st.floats(min_value=0, allow_nan=False, allow_infinity=False)


@given(value=NUMBERS, low=NUMBERS, high=NUMBERS)
def test_a_ratio_of_any_size_stays_on_its_plot(
    value: float | None, low: float | None, high: float | None
) -> None:
    root = ET.fromstring(ratio_row(value, low, high, 2.0))
    for each in root.iter():
        for key in ("x", "x1", "x2", "cx"):
            assert 0 <= float(each.get(key, "0")) <= 220


@given(st.lists(st.floats(0, 1e9), max_size=20))
def test_lines_of_any_height_stay_on_their_plot(heights: list[float]) -> None:
    from benchmarks.harness.pages.plots import Series

    svg = lines("any", [Series("a", list(enumerate(heights)))], "x")
    line = ET.fromstring(svg).find("polyline")
    assert line is not None
    points = [tuple(map(float, each.split(","))) for each in line.get("points", "").split()]
    assert all(0 <= x <= 440 and 0 <= y <= 250 for x, y in points)


def test_show_writes_the_page_or_a_table_and_judges(tmp_path: Path) -> None:
    file, page = tmp_path / "run.json", tmp_path / "run.html"
    file.write_bytes(msgspec.json.encode(run("knary", 1.5).bench))
    goals = ["--threshold", "p99<1ms", "p99{gateway:nginx}<1us"]
    shown = CliRunner().invoke(show, [str(file), *goals], standalone_mode=False)
    assert "p99_us{gateway:knary}" in shown.stdout
    assert shown.return_value == 99
    assert shown.stderr.splitlines()[0].startswith("kept    p99<1ms: 0.15")
    CliRunner().invoke(show, [str(file), "--html", str(page), *goals])
    assert "BROKEN".lower() in page.read_text(encoding="utf-8")

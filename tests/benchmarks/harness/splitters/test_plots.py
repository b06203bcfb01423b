"""The pictures: all are written, name every algorithm, and cut no word off."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg

from benchmarks.harness.documents.splitters import SplittersResult
from benchmarks.harness.splitters.algorithms.roster import ENTRANTS
from benchmarks.harness.splitters.plots import curves, pictures
from benchmarks.harness.splitters.plots.drawing import draw_all
from benchmarks.harness.splitters.plots.style import spread
from benchmarks.harness.splitters.tournament import Plan, played
from benchmarks.harness.splitters.weights import parse_weights

SOME = ("stratified", "exact", "edf-random", "van-der-corput", "random", "ring-hash")
LIGHT = tuple(each for each in ENTRANTS if each.name in SOME)


@pytest.fixture(scope="module")
def result() -> SplittersResult:
    weights = (parse_weights("90/10"), parse_weights("70/20/10"))
    return played(Plan(LIGHT, weights, picks=2_000, workers=2), lambda _name: None)


def test_every_picture_is_written_twice(result: SplittersResult, tmp_path: Path) -> None:
    files = list(draw_all(result, tmp_path, lambda _name: None))
    names = ("error", "lag", "picks", "rhythms", "cost")
    assert [each.name for each in files] == [
        f"{n}.{kind}" for n in names for kind in ("png", "svg")
    ]
    for file in files:
        if file.suffix == ".png":
            assert file.read_bytes().startswith(b"\x89PNG")
        else:
            text = file.read_text(encoding="utf-8")
            assert all(f">{each.name}<" in text for each in LIGHT)


def test_no_word_is_cut_off(result: SplittersResult) -> None:
    panels = [
        [each for each in result.splits if each.weights == weights]
        for weights in ("90/10", "70/20/10")
    ]
    for figure in (
        curves.error_curves(panels),
        curves.lag_curves(panels),
        pictures.strips(panels),
        pictures.rhythms(panels),
        pictures.costs(result.splits),
    ):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        width, height = canvas.get_width_height()
        boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
        boxes += [("axes with labels", axes.get_tightbbox()) for axes in figure.axes]
        for words, box in boxes:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"{words} cut off: {box}"


@given(
    wanted=st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=16).map(sorted),
)
def test_labels_keep_their_order_and_their_distance(wanted: list[float]) -> None:
    places = spread(wanted, 0.05)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
    assert all(b - a >= 0.05 - 1e-9 for a, b in pairwise(places))


def test_labels_with_room_stay_where_they_belong() -> None:
    assert spread([0.1, 0.5, 0.9], 0.05) == [0.1, 0.5, 0.9]
    assert spread([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])

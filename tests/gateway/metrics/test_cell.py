"""What a cell counts: at every moment, begun = answers + aborts + in flight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metrics import cell as cells
from gateway.metrics.cell import CLASSES, REASONS, Cell
from gateway.metrics.figures import WorkerFigures
from gateway.metrics.histogram import BUCKETS
from gateway.metrics.layout import (
    REASON_NAMES,
    REFUSED_STATUSES,
    WORKER_COUNTERS,
    WORKER_GAUGES,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(101, 0, id="an upgrade"),
        pytest.param(200, 1, id="ok"),
        pytest.param(304, 2, id="not modified"),
        pytest.param(499, 3, id="the client's"),
        pytest.param(599, 4, id="the server's"),
        pytest.param(999, 4, id="beyond any class"),
        pytest.param(0, 4, id="none"),
    ],
)
def test_an_answer_counts_in_its_status_class(status: int, kind: int) -> None:
    cell = Cell("default/hello", "default/hello-00001", "")
    cell.begun += 1
    cell.done(status, 1500, 10, 20)
    counts = [sum(cell.latency[n * BUCKETS : (n + 1) * BUCKETS]) for n in range(CLASSES)]
    assert counts == [int(n == kind) for n in range(CLASSES)]
    assert cell.latency_us[kind] == 1500
    assert (cell.bytes_up, cell.bytes_down, cell.ended) == (10, 20, 1)


@given(st.lists(st.sampled_from(["begin", "done", "abort"])))
def test_whatever_happens_the_sum_is_right(happenings: list[str]) -> None:
    cell = Cell("default/hello", "default/hello-00001", "")
    flying = 0
    for happening in happenings:
        if happening == "begin":
            cell.begun += 1
            flying += 1
        elif flying:
            flying -= 1
            if happening == "done":
                cell.done(200, 5, 1, 1)
            else:
                cell.aborted(cells.CLIENT_GONE, 1, 1)
    assert cell.begun == sum(cell.latency) + sum(cell.aborts) + flying
    assert cell.ended == cell.begun - flying


def test_only_those_that_waited_count_as_waiting() -> None:
    cell = Cell("default/hello", "default/hello-00001", "")
    cell.waited(2000)
    assert (sum(cell.waits), cell.waits_us) == (1, 2000)


def test_every_reason_has_its_name() -> None:
    constants = {
        name.lower(): value
        for name, value in vars(cells).items()
        if name.isupper() and name.lower() in REASON_NAMES
    }
    assert constants == {name: index for index, name in enumerate(REASON_NAMES)}
    assert len(REASON_NAMES) == REASONS


def test_the_workers_figures_are_in_the_order_of_their_names() -> None:
    figures = WorkerFigures()
    names = [*WORKER_COUNTERS[: -len(REFUSED_STATUSES)], *WORKER_GAUGES]
    for value, name in enumerate(names):
        assert hasattr(figures, name)
        setattr(figures, name, value + 1)
    figures.refuse(431)
    figures.refuse(499)  # in no list: with the last
    counters = dict(zip(WORKER_COUNTERS, figures.counters(), strict=True))
    gauges = dict(zip(WORKER_GAUGES, figures.gauges(), strict=True))
    assert [{**counters, **gauges}[name] for name in names] == list(range(1, len(names) + 1))
    assert {n: v for n, v in counters.items() if n.startswith("refused_") and v} == {
        "refused_431": 1,
        "refused_500": 1,
    }
    heir = WorkerFigures()
    heir.restore(figures.counters())
    assert heir.counters() == figures.counters()

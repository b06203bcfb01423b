"""`knary bench compare`: words for ratios, what is refused, and how it ends."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks.harness.comparing.command import compare as command
from benchmarks.harness.comparing.judging import verdict
from benchmarks.harness.comparing.ratios import Ratio
from benchmarks.harness.documents import gateway, provenance
from benchmarks.harness.documents.comparison import ComparisonDocument
from benchmarks.harness.documents.envelope import Better
from benchmarks.harness.documents.gateway import Gateway, GatewayResult, Sample
from benchmarks.harness.documents.measures import gateway_measures
from simulator.errors import KnaryError

P99 = (200.0, 210.0, 190.0, 205.0, 195.0, 208.0)


def bench(factor: float = 1.0, *, turns: int = 6) -> dict[str, Any]:
    """Return a document of a gateway beside nginx; ours takes `factor` times as long."""
    samples = [
        Sample(turn, name, turn * 2.0, {"p99_us": P99[turn] * times, "requests": 1000})
        for turn in range(turns)
        for name, times in (("knary", factor), ("nginx", 0.8))
    ]
    result = GatewayResult((Gateway("knary"), Gateway("nginx")), tuple(samples))
    made = provenance.document(
        gateway.SCHEMA,
        provenance.Begun("2026-11-30T10:00:00Z", 0.1),
        result,
        gateway_measures(result),
        parameters={"rate": 1000},
        peers={"nginx": "1.22.1"},
    )
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    found["machine"]["load_1m"] = [0.1, 0.2]
    found["machine"]["cores"] = 2
    return found


def load(p99: int = 900, failed: int = 0) -> dict[str, Any]:
    tally = {
        "requests": 10_000,
        "errors": {"5xx": failed} if failed else {},
        "latency_us": {"count": 10_000, "p99": p99},
        "latency_intervals_us": {"p99": [p99 * 0.97, p99 * 1.03]},
    }
    return {
        "schema": "knary.load/v1",
        "protocol": "http1",
        "host": "hello.default.example.com",
        "loop": "open",
        "elapsed_s": 10.0,
        "rate_per_s": 1000.0,
        "schedule": {"late_share": 0.0, "behind_schedule": False},
        **tally,
        "revisions": {"hello-00001": {"share": 1.0, **tally}},
    }


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that compares two documents by the command."""

    def compare(old: Any, new: Any, *options: str) -> Any:
        for name, document in (("old", old), ("new", new)):
            text = document if isinstance(document, str) else json.dumps(document)
            (tmp_path / f"{name}.json").write_text(text)
        files = [str(tmp_path / f"{name}.json") for name in ("old", "new")]
        return CliRunner().invoke(command, [*files, *options], standalone_mode=False)

    return compare


@pytest.mark.parametrize(
    ("ratio", "better", "word"),
    [
        pytest.param(Ratio(1.3, 1.2, 1.4), "lower", "worse", id="longer for certain"),
        pytest.param(Ratio(1.3, 1.2, 1.4), "higher", "better", id="more for certain"),
        pytest.param(Ratio(0.7, 0.6, 0.8), "lower", "better", id="shorter for certain"),
        pytest.param(Ratio(1.1, 0.9, 1.3), "lower", "cannot tell", id="either is possible"),
        pytest.param(Ratio(1.0, 0.97, 1.04), "lower", "same", id="within the margin"),
        pytest.param(Ratio(1.03, 1.01, 1.04), "lower", "same", id="certain, and too little"),
        pytest.param(Ratio(1.0, 0.97, 1.06), "lower", "cannot tell", id="maybe beyond the margin"),
        pytest.param(Ratio(1.4, None, None), "lower", "cannot tell", id="too few samples"),
        pytest.param(Ratio(1.4, 1.1, None), "lower", "worse", id="open above"),
        pytest.param(Ratio(1.3, 1.2, 1.4), "", "", id="a count has no direction"),
    ],
)
def test_a_word_is_said_only_when_the_whole_interval_says_so(
    ratio: Ratio, better: Better, word: str
) -> None:
    assert verdict(ratio, better, margin_percent=5) == word


@pytest.mark.parametrize(
    ("old", "new", "options", "status", "told"),
    [
        pytest.param(bench(), bench(1.5), (), 0, "1 worse, 1 cannot tell", id="told, not failed"),
        pytest.param(bench(), bench(1.5), ("--fail-on", "worse"), 1, "1 worse", id="failed"),
        pytest.param(bench(), bench(0.6), ("--fail-on", "worse"), 0, "1 better", id="better"),
        pytest.param(
            bench(), bench(1.5, turns=2), ("--fail-on", "worse"), 0, "2 cannot", id="few turns"
        ),
        pytest.param(
            bench(), bench(turns=3), ("--fail-on", "cannot-tell"), 5, "2 cannot", id="undecided"
        ),
        pytest.param(bench(), bench(), ("--margin", "12"), 0, "2 same", id="within the margin"),
        pytest.param(load(), load(1800), ("--fail-on", "worse"), 1, "2 worse", id="loads"),
        pytest.param(
            load(), load(failed=40), ("--metric", "error_rate"), 0, "2 worse", id="rare failures"
        ),
    ],
)
def test_it_ends_as_it_was_asked_to(
    run: Callable[..., Any],
    old: dict[str, Any],
    new: dict[str, Any],
    options: tuple[str, ...],
    status: int,
    told: str,
) -> None:
    done = run(old, new, *options)
    assert done.return_value == status, done.output
    assert told in done.output


def test_the_json_is_the_document_that_its_schema_says(run: Callable[..., Any]) -> None:
    done = run(bench(), bench(1.5), "--json", "-", "--metric", "p99_us")
    document = msgspec.json.decode(done.stdout, type=ComparisonDocument)
    ours, theirs = document.rows
    assert (ours.labels, ours.verdict) == ({"gateway": "knary"}, "worse")
    assert ours.ratio == pytest.approx(1.5, rel=0.02)
    assert ours.low is not None
    assert ours.low > 1.3
    assert ours.why == "Mann-Whitney, 6 and 6 samples"
    assert (theirs.labels, theirs.ratio) == ({"gateway": "nginx"}, pytest.approx(1))
    assert document.by_chance == 0.1


@pytest.mark.parametrize(
    ("threshold", "status"),
    [
        pytest.param("p99<1.6", 0, id="the subject's, without its label"),
        pytest.param("p99<140%", 99, id="in percent"),
        pytest.param("p99{gateway:nginx}<=1.01x", 0, id="a peer's"),
    ],
)
def test_thresholds_are_of_the_ratios(run: Callable[..., Any], threshold: str, status: int) -> None:
    assert run(bench(), bench(1.5), "--threshold", threshold).return_value == status


def other(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return a document in which something is different."""
    made = copy.deepcopy(bench())
    change(made)
    return made


@pytest.mark.parametrize(
    ("new", "warning"),
    [
        pytest.param(
            other(lambda each: each["machine"].update(processor="Z80")),
            "processor differs: ",
            id="another processor",
        ),
        pytest.param(
            other(lambda each: each["machine"].update(python="PyPy 3.11")),
            "python differs: CPython 3.",
            id="another Python",
        ),
        pytest.param(
            other(lambda each: each.update(build="compiled (mypyc 1.18.2)")),
            "build differs: interpreted, then compiled (mypyc 1.18.2)",
            id="another build",
        ),
        pytest.param(
            other(lambda each: each["parameters"].update(rate=2000)),
            "parameter rate differs: 1000, then 2000",
            id="another load",
        ),
        pytest.param(
            other(lambda each: each["peers"].clear()),
            "version of nginx differs: 1.22.1, then unknown",
            id="another peer",
        ),
        pytest.param(
            other(lambda each: each["machine"].update(load_1m=[0.1, 7.5])),
            "others worked on the machine, too (load 7.5 on 2 cores)",
            id="a busy machine",
        ),
    ],
)
def test_what_else_differs_is_said_aloud(
    run: Callable[..., Any], new: dict[str, Any], warning: str
) -> None:
    done = run(bench(), new)
    assert warning in done.stderr
    assert done.stderr.startswith("Warning: ")
    assert done.return_value == 0


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param(bench(), load(), "schema is knary.load/v1, that of", id="another kind"),
        pytest.param(bench(), "{", "new.json: no JSON", id="no JSON"),
        pytest.param(bench(), "[]", "the field schema is missing; it is one of", id="no document"),
        pytest.param(bench(), '{"schema": "x/v9"}', "schema is 'x/v9'; known are", id="unknown"),
        pytest.param(
            bench(),
            other(lambda each: each["machine"].update(cores="two")),
            "new.json: machine.cores: expected `int`, got `str`",
            id="a field of another type",
        ),
        pytest.param(
            bench(),
            other(lambda each: each.pop("measures")),
            "new.json: object missing required field `measures`",
            id="a field that is missing",
        ),
        pytest.param(bench(), bench(turns=0), "no metric to compare with", id="an empty run"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_file_and_field(
    run: Callable[..., Any], old: Any, new: Any, why: str
) -> None:
    done = run(old, new)
    assert isinstance(done.exception, KnaryError)
    assert why in str(done.exception)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--metric", "p9"), "has none of that name; did you mean"),
        (("--threshold", "p99<20ms"), "column 7: 'ms' is no unit of a ratio: x or %"),
    ],
)
def test_a_name_that_no_metric_has_is_refused(
    run: Callable[..., Any], options: tuple[str, ...], why: str
) -> None:
    done = run(bench(), bench(), *options)
    assert isinstance(done.exception, KnaryError)
    assert why in str(done.exception)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, [str(tmp_path / "a"), str(tmp_path / "b")])
    assert str(done.exception) == f"{tmp_path / 'a'}: No such file or directory"

"""Thresholds: k6's manners, units, labels, and errors that point at the column."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knary.thresholds import (
    Dimension,
    Number,
    Quantity,
    ThresholdError,
    Vocabulary,
    judge,
    parse,
    quantity,
    spread_out,
)

KNOWN = Vocabulary(
    metrics={
        "mean": Dimension.TIME,
        "max": Dimension.TIME,
        "error_rate": Dimension.SHARE,
        "split_error": Dimension.SHARE,
        "rps": Dimension.RATE,
        "requests": Dimension.COUNT,
        "memory": Dimension.BYTES,
    },
    labels=frozenset({"revision", "gateway"}),
    percentiles=Dimension.TIME,
)


@pytest.mark.parametrize(
    ("text", "metric", "sign", "bound"),
    [
        pytest.param("p99<20ms", "p99", "<", 0.020, id="a percentile in milliseconds"),
        pytest.param(" p99 <= 20 ms ", "p99", "<=", 0.020, id="with spaces anywhere"),
        pytest.param("p(99.9)<200", "p99.9", "<", 0.200, id="k6's percentile, k6's milliseconds"),
        pytest.param("avg<1.5s", "mean", "<", 1.5, id="k6's avg"),
        pytest.param("med<250us", "p50", "<", 0.000_25, id="k6's med"),
        pytest.param("p99.0<1m", "p99", "<", 60, id="a percentile is a number, not its digits"),
        pytest.param("split_error<0.1%", "split_error", "<", 0.001, id="a share in percent"),
        pytest.param("error_rate<0.01", "error_rate", "<", 0.01, id="a share as a part of 1"),
        pytest.param("rps>1000", "rps", ">", 1000, id="a rate"),
        pytest.param("rps>=6e3/m", "rps", ">=", 100, id="a rate per minute"),
        pytest.param("memory<64MiB", "memory", "<", 64 * 2**20, id="memory"),
        pytest.param("requests==100", "requests", "==", 100, id="a count"),
    ],
)
def test_a_threshold_is_metric_sign_number_unit(
    text: str, metric: str, sign: str, bound: float
) -> None:
    read = parse(text, KNOWN)
    assert (read.metric, read.sign, read.labels) == (metric, sign, frozenset())
    assert read.bound == pytest.approx(bound)


def test_labels_say_whose_number_is_meant() -> None:
    of_one = parse("p99{revision:hello-00002}<20ms", KNOWN)
    of_two = parse("p99{ gateway : nginx , revision:hello-00002 } < 20ms", KNOWN)
    assert of_one.labels == {("revision", "hello-00002")}
    assert of_two.labels == {("revision", "hello-00002"), ("gateway", "nginx")}


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        pytest.param("", 1, "want a metric", id="nothing"),
        pytest.param("<20ms", 1, "want a metric", id="no metric"),
        pytest.param("p99", 4, "want one of <, <=", id="no operator"),
        pytest.param("p99 = 20ms", 5, "want one of <, <=", id="an operator that is none"),
        pytest.param("p99<", 5, "want a number", id="no number"),
        pytest.param("p99<ms", 5, "want a number", id="a unit alone"),
        pytest.param("p99<20kg", 7, "'kg' is no unit of a time: s or ns or us", id="another unit"),
        pytest.param("rps>10%", 7, "'%' is no unit of a rate", id="a percent of a rate"),
        pytest.param("requests>10 x", 13, "'x' is no unit of a count", id="a unit of a count"),
        pytest.param("p99<20ms or so", 10, "want nothing after the unit", id="more"),
        pytest.param("error_rate<1", 12, "is a part of 1: write 1%", id="a share of all"),
        pytest.param("p101<20ms", 1, "at most 100", id="a percentile that is none"),
        pytest.param("p99<1e999", 5, "too great", id="no number of this world"),
        pytest.param(
            "eror_rate<1%",
            1,
            "no metric 'eror_rate'; did you mean error_rate? Known are pN, error_rate, max",
            id="a metric that is not known",
        ),
        pytest.param("x{", 1, "no metric 'x'. Known are", id="one that is near none"),
        pytest.param("p99{}<20ms", 5, "want LABEL:VALUE", id="no label"),
        pytest.param("p99{revision}<20ms", 5, "want LABEL:VALUE", id="a label without a value"),
        pytest.param("p99{revision:a<20ms", 5, "want LABEL:VALUE", id="braces that stay open"),
        pytest.param("p99{zone:a}<20ms", 5, "no label 'zone': known is gateway or", id="no label"),
        pytest.param("p99{revision:a,revision:b}<2s", 16, "is there twice", id="a label twice"),
    ],
)
def test_an_error_points_at_the_column(text: str, column: int, why: str) -> None:
    with pytest.raises(ThresholdError) as caught:
        parse(text, KNOWN)
    assert caught.value.column == column
    assert why in caught.value.why
    assert f"column {column}: " in str(caught.value)


NAMES = st.sampled_from(["p50", "p99.9", "mean", "rps", "error_rate", "memory", "requests"])
VALUES = st.text("abcxyz0123456789-./", min_size=1)


@given(
    name=NAMES,
    labels=st.dictionaries(st.sampled_from(["revision", "gateway"]), VALUES),
    sign=st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    number=st.floats(0, 0.999, allow_nan=False),
    unit=st.integers(0, 10),
    space=st.sampled_from(["", " ", "  "]),
)
def test_whatever_the_grammar_can_say_is_read(
    name: str, labels: dict[str, str], sign: str, number: float, unit: int, space: str
) -> None:
    units = (KNOWN.metrics.get(name) or Dimension.TIME).units
    written = sorted(units)[unit % len(units)]
    braces = "{" + ",".join(f"{key}:{value}" for key, value in labels.items()) + "}"
    text = space.join([name, braces if labels else "", sign, repr(number), written])
    read = parse(text, KNOWN)
    assert (read.metric, read.sign, dict(read.labels)) == (name, sign, labels)
    if written:
        assert read.bound == number * units[written]


@given(st.text("p9.{}:,<>=!%ms rev-", max_size=30) | st.text(max_size=12))
def test_no_text_does_more_than_say_its_column(text: str) -> None:
    with contextlib.suppress(ThresholdError):
        assert math.isfinite(parse(text, KNOWN).bound)
        return
    with pytest.raises(ThresholdError) as caught:
        parse(text, KNOWN)
    assert 1 <= caught.value.column <= len(text) + 1


def test_a_threshold_is_judged_by_the_number_with_just_its_labels() -> None:
    two = frozenset({("revision", "hello-00002")})
    numbers = [Number("p99", 0.018), Number("p99", 0.024, two), Number("error_rate", 0.0)]
    texts = ["p99<20ms", "p99{revision:hello-00002}<20ms", "p99{revision:gone}<20ms"]
    outcomes = judge([parse(text, KNOWN) for text in texts], numbers)
    assert [str(each) for each in outcomes] == [
        "kept    p99<20ms: 18 ms",
        "BROKEN  p99{revision:hello-00002}<20ms: 24 ms",
        "BROKEN  p99{revision:gone}<20ms: nothing was measured",
    ]
    shares = judge([parse("error_rate<=0%", KNOWN), parse("error_rate!=0", KNOWN)], numbers)
    assert [(each.is_kept, each.measured) for each in shares] == [(True, "0%"), (False, "0")]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("p99_us", Quantity("p99", Dimension.TIME, 1e-6)),
        ("p99.9_us", Quantity("p99.9", Dimension.TIME, 1e-6)),
        ("cpu_us_per_request", Quantity("cpu_per_request", Dimension.TIME, 1e-6)),
        ("split_error_percent", Quantity("split_error", Dimension.SHARE, 0.01)),
        ("memory_bytes", Quantity("memory", Dimension.BYTES, 1.0)),
        ("requests_per_s", Quantity("requests_per_s", Dimension.RATE, 1.0)),
        ("split_lag_requests", Quantity("split_lag_requests", Dimension.COUNT, 1.0)),
    ],
)
def test_the_name_of_a_number_tells_its_unit(name: str, read: Quantity) -> None:
    assert quantity(name) == read


@pytest.mark.parametrize(
    ("given", "spread"),
    [
        pytest.param(["-T", "a<1", "b>2"], ["-T", "a<1", "-T", "b>2"], id="several after one"),
        pytest.param(["-T", "a<1", "-T", "b>2"], ["-T", "a<1", "-T", "b>2"], id="one after each"),
        pytest.param(["-T=a<1", "b>2"], ["-T=a<1", "-T", "b>2"], id="the first one joined"),
        pytest.param(["-T", "a<1", "hello"], ["-T", "a<1", "hello"], id="not a service's name"),
        pytest.param(["a<1", "-T", "b<1"], ["a<1", "-T", "b<1"], id="not what comes before"),
        pytest.param(["-T", "a<1", "-x", "b>2"], ["-T", "a<1", "-x", "b>2"], id="not an option's"),
        pytest.param(["-T", "bad", "b{r:x} >2"], ["-T", "bad", "-T", "b{r:x} >2"], id="as given"),
        pytest.param(["-T", "a<1", "--", "b>2"], ["-T", "a<1", "--", "b>2"], id="not after --"),
        pytest.param(["-T"], ["-T"], id="none"),
    ],
)
def test_several_thresholds_may_follow_one_option(given: list[str], spread: list[str]) -> None:
    assert spread_out(given, "-T") == spread

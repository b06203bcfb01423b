"""The cases of knative/client pkg/traffic/compute_test.go, and what it leaves open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cli.hints import way_out
from simulator.cli.traffic import (
    Situation,
    TrafficError,
    TrafficFlags,
    compute_traffic,
    split_flag,
)


def latest(percent: int, tag: str = "") -> dict[str, Any]:
    target: dict[str, Any] = {"latestRevision": True, "percent": percent}
    return {**target, "tag": tag} if tag else target


def pinned(name: str, percent: int, tag: str = "") -> dict[str, Any]:
    target = {"revisionName": name, "latestRevision": False, "percent": percent}
    return {**target, "tag": tag} if tag else target


def flags(traffic: str = "", tag: str = "", untag: str = "") -> TrafficFlags:
    given = [split_flag([text]) if text else () for text in (traffic, tag, untag)]
    return TrafficFlags(*given)


def situation(*spec: dict[str, Any], **settings: Any) -> Situation:
    return Situation(service="svc", spec=spec, **{"status": spec, **settings})


THREE = frozenset({"rev-00001", "rev-00002", "rev-00003"})


@pytest.mark.parametrize(
    ("spec", "given", "wanted"),
    [
        pytest.param(
            [latest(100)], flags(tag="@latest=new"), [latest(100, "new")], id="tag @latest"
        ),
        pytest.param(
            [latest(100)], flags(tag="new"), [latest(100, "new")], id="a tag alone is @latest's"
        ),
        pytest.param(
            [pinned("v1", 100)], flags(tag="v1=stable"), [pinned("v1", 100, "stable")], id="tag"
        ),
        pytest.param(
            [latest(100, "current")],
            flags(tag="@latest=current"),
            [latest(100, "current")],
            id="the same tag again changes nothing",
        ),
        pytest.param(
            [latest(100), pinned("v1", 0)],
            flags("@latest=10,v1=90"),
            [latest(10), pinned("v1", 90)],
            id="shares of targets that are there",
        ),
        pytest.param(
            [latest(100)],
            flags("@latest=10%,v1=90%"),
            [latest(10), pinned("v1", 90)],
            id="a percent sign is fine, a revision not yet there is added",
        ),
        pytest.param(
            [latest(100, "latest")],
            flags(tag="v0=stale,v1=old"),
            [latest(100, "latest"), pinned("v0", 0, "stale"), pinned("v1", 0, "old")],
            id="tagged revisions without a share stay",
        ),
        pytest.param(
            [pinned("v1", 100, "latest")],
            flags("@latest=2,v1=98", "@latest=testing"),
            [pinned("v1", 98, "latest"), latest(2, "testing")],
            id="tag and share of a new target",
        ),
        pytest.param(
            [pinned("v1", 100, "one")],
            flags("one=10,two=90", "v2=two"),
            [pinned("v1", 10, "one"), pinned("v2", 90, "two")],
            id="a share by tag",
        ),
        pytest.param(
            [pinned("v1", 50, "latest"), pinned("v2", 50)],
            flags(tag="v1=old,v2=latest", untag="latest"),
            [pinned("v1", 50, "old"), pinned("v2", 50, "latest")],
            id="untag comes before tag",
        ),
        pytest.param(
            [pinned("v1", 50, "latest"), pinned("v2", 50)],
            flags(tag="v1=current"),
            [pinned("v1", 50, "latest"), pinned("v2", 50), pinned("v1", 0, "current")],
            id="a second tag is a target of its own",
        ),
        pytest.param(
            [latest(100)],
            flags("v1=100"),
            [pinned("v1", 100)],
            id="what has neither share nor tag goes",
        ),
        pytest.param(
            [pinned("v1", 60, "v2"), pinned("v2", 40)],
            flags("v2=100"),
            [pinned("v1", 100, "v2")],
            id="a tag wins over a revision of the same name",
        ),
        pytest.param([latest(100)], flags("50,v1=50"), [latest(50), pinned("v1", 50)], id="50"),
    ],
)
def test_flags_change_the_targets_as_kn_does(
    spec: list[dict[str, Any]], given: TrafficFlags, wanted: list[dict[str, Any]]
) -> None:
    assert compute_traffic(given, situation(*spec)) == wanted


@pytest.mark.parametrize(
    ("status", "given", "settings", "wanted"),
    [
        pytest.param(
            [pinned("rev-00001", 0), pinned("rev-00002", 0), pinned("rev-00003", 100)],
            "rev-00001=10,rev-00002=10",
            {},
            {"rev-00001": 10, "rev-00002": 10, "rev-00003": 80},
            id="to the one revision left out",
        ),
        pytest.param(
            [pinned("rev-00001", 0), pinned("rev-00002", 0), pinned("rev-00003", 100)],
            "rev-00001=10,rev-00003=40,rev-00002=30",
            {"makes_revision": True},
            {"rev-00001": 10, "rev-00002": 30, "rev-00003": 40, "@latest": 20},
            id="to the revision that the command makes",
        ),
        pytest.param(
            [pinned("rev-00001", 0), pinned("rev-00002", 0), latest(100)],
            "rev-00001=10,rev-00003=40,@latest=20",
            {"makes_revision": True, "latest_ready": "rev-00003"},
            {"rev-00001": 10, "rev-00002": 30, "@latest": 20, "rev-00003": 40},
            id="to the old one left out beside a new @latest",
        ),
        pytest.param(
            [
                pinned("rev-00001", 0),
                pinned("rev-00002", 0),
                {**latest(100), "revisionName": "rev-00003"},
            ],
            "rev-00001=10,@latest=20",
            {"latest_ready": "rev-00003"},
            {"rev-00001": 10, "rev-00002": 70, "rev-00003": 20},
            id="@latest names the latest ready one",
        ),
        pytest.param(
            [
                pinned("rev-00001", 50, "stable"),
                pinned("rev-00002", 50, "staging"),
                pinned("rev-00003", 0, "next"),
            ],
            "stable=50,staging=40",
            {},
            {"rev-00001": 50, "rev-00002": 40, "rev-00003": 10},
            id="a tag names its revision",
        ),
    ],
)
def test_the_rest_goes_to_the_one_left_out(
    status: list[dict[str, Any]], given: str, settings: dict[str, Any], wanted: dict[str, int]
) -> None:
    got = compute_traffic(flags(given), situation(*status, revisions=THREE, **settings))
    shares = {target.get("revisionName", "@latest"): target["percent"] for target in got}
    assert shares == wanted


RELUCTANT = "unable to allocate the remaining traffic: {}%. Reason: {}"
COUNT = "incorrect number of revisions specified. Only 1 revision should be missing"


@pytest.mark.parametrize(
    ("spec", "given", "message"),
    [
        pytest.param(
            [latest(100)],
            flags("@latest=100=x"),
            "expecting the value format in value1=value2, given @latest=100=x",
            id="two equal signs",
        ),
        pytest.param(
            [latest(100)],
            flags(tag="@latest="),
            "expecting the value format in value1=value2, given @latest=",
            id="no tag",
        ),
        pytest.param(
            [latest(100)],
            flags("@latest=90,@latest=10"),
            "repetition of identifier @latest is not allowed, use only once with --traffic flag",
            id="@latest twice",
        ),
        pytest.param(
            [latest(100)],
            flags(tag="latest,current"),
            "repetition of identifier @latest is not allowed, use only once with --tag flag",
            id="@latest tagged twice",
        ),
        pytest.param(
            [latest(100)],
            flags("v1=40,v1=60"),
            "repetition of revision reference v1 is not allowed, use only once with --traffic flag",
            id="a revision twice",
        ),
        pytest.param(
            [latest(2, "latest"), pinned("v2", 98, "stable")],
            flags(tag="@latest=stable"),
            "refusing to overwrite existing tag in service, add flag '--untag stable' in command"
            " to untag it",
            id="a tag that another has",
        ),
        pytest.param(
            [latest(100, "candidate")],
            flags(tag="@latest=current"),
            "tag 'candidate' exists on latest ready revision of service, refusing to overwrite"
            " existing tag with 'current', add flag '--untag candidate' in command to untag it",
            id="@latest has another tag",
        ),
        pytest.param(
            [latest(100)],
            flags("@latest=100p"),
            "error converting given 100p to integer value for traffic distribution",
            id="no number",
        ),
        pytest.param(
            [latest(100)],
            flags("@latest=-100"),
            "invalid value for traffic percent -100, expected 0 <= percent <= 100",
            id="negative",
        ),
        pytest.param(
            [latest(100)],
            flags("@latest=40,v1=70"),
            "given traffic percents sum to 110, want <=100",
            id="more than everything",
        ),
        pytest.param(
            [latest(100)],
            flags(untag="foo,bar"),
            "tag(s) foo, bar not present for any revisions of service svc",
            id="tags that are not there",
        ),
        pytest.param(
            [pinned("rev-00001", 0), pinned("rev-00002", 0), pinned("rev-00003", 100)],
            flags("rev-00001=10"),
            RELUCTANT.format(90, COUNT),
            id="two left out",
        ),
        pytest.param(
            [latest(100)], flags("@latest=90"), RELUCTANT.format(10, COUNT), id="none left out"
        ),
    ],
)
def test_flags_are_refused_in_kns_words(
    spec: list[dict[str, Any]], given: TrafficFlags, message: str
) -> None:
    with pytest.raises(TrafficError) as caught:
        compute_traffic(given, situation(*spec, revisions=THREE))
    assert str(caught.value) == message


def test_shares_that_do_not_fit_come_with_the_way_out() -> None:
    with pytest.raises(TrafficError) as caught:
        compute_traffic(flags("@latest=40,v1=70"), situation(latest(100)))
    assert way_out(caught.value).startswith("Give shares that sum to 100: --traffic REVISION=")


def test_a_share_that_cannot_be_placed_says_so() -> None:
    spec = [pinned("gone", 100), pinned("rev-00001", 0)]
    with pytest.raises(TrafficError, match="cannot determine the missing revision"):
        compute_traffic(flags("rev-00001=10"), situation(*spec, revisions=THREE))


def test_what_was_given_is_not_changed() -> None:
    spec = [latest(100, "a")]
    compute_traffic(flags("v1=100", untag="a"), situation(*spec))
    assert spec == [latest(100, "a")]


_SHARES = st.dictionaries(
    st.sampled_from(["@latest", "rev-00001", "rev-00002", "rev-00003"]),
    st.integers(0, 100),
    max_size=4,
)


@given(shares=_SHARES, makes_revision=st.booleans())
def test_every_answer_sums_to_a_hundred(shares: dict[str, int], makes_revision: bool) -> None:
    text = ",".join(f"{name}={percent}" for name, percent in shares.items())
    spec = [latest(40, "tag"), pinned("rev-00001", 60)]
    where = situation(*spec, revisions=THREE, makes_revision=makes_revision)
    try:
        got = compute_traffic(flags(text), where)
    except TrafficError:
        return
    assert sum(target["percent"] for target in got) == 100

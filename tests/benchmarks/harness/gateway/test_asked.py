"""What the command line may ask for, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.harness.gateway.asked import PEERS, Asked
from benchmarks.harness.gateway.subjects import explanation_of, shares_of
from benchmarks.harness.peers import proxies
from simulator.cli.exits import UsageError

GIVEN: dict[str, Any] = {
    **dict.fromkeys(("service", "url", "host", "traffic", "rate", "connections", "peers")),
    "pids": (),
    "arrivals": "constant",
    "seed": 0,
    "closed": False,
    "duration": "10s",
    "warm_up": "1s",
    "timeout": "10s",
    "protocol": "http1",
    "processes": 1,
    "workers": 1,
    "pairs": None,
    "peak": None,
}


def asked(**changes: Any) -> Asked:
    return Asked(**{**GIVEN, **changes})


def test_nothing_asked_is_an_instance_of_two_halves_at_a_thousand_a_second() -> None:
    plan = asked().plan()
    assert (plan.percents, plan.rates_per_s, plan.duration_s) == ((50, 50), (1000.0,), 10.0)
    assert (plan.pairs, plan.connections, plan.peers) == (1, 64, ())


def test_beside_peers_there_are_enough_pairs_to_tell() -> None:
    plan = asked(peers="all").plan()
    assert plan.peers == PEERS == proxies.NAMES
    assert plan.pairs == 7
    assert asked(peers="nginx", pairs=9).plan().pairs == 9
    assert not plan.load_on("127.0.0.1", 1, "h").explain


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"service": "a", "url": "http://b"}, "excludes --url", id="two subjects"),
        pytest.param({"host": "a"}, "go with --url", id="a host without a URL"),
        pytest.param({"pids": (1,)}, "go with --url", id="a process without a URL"),
        pytest.param({"service": "a", "traffic": "50/50"}, "its own percents", id="whose traffic"),
        pytest.param({"service": "a", "workers": 2}, "of our own", id="whose workers"),
        pytest.param({"closed": True, "rate": "5"}, "excludes --rate", id="closed and a rate"),
        pytest.param({"closed": True, "arrivals": "poisson"}, "excludes", id="closed and chance"),
        pytest.param({"url": "http://b", "peers": "all"}, "--url excludes", id="peers far away"),
        pytest.param({"peers": "apache"}, "no such peer: 'apache'", id="an unknown peer"),
        pytest.param({"traffic": "50/40"}, "sum to 100", id="percents of 90"),
        pytest.param({"traffic": "half"}, "whole percents", id="no percents"),
        pytest.param({"traffic": "120/-20"}, "whole percents", id="below zero"),
        pytest.param({"rate": "much"}, "--rate", id="no rate"),
        pytest.param({"duration": "0s"}, "--duration", id="no time"),
        pytest.param({"processes": 9, "connections": 8}, "--processes", id="idle processes"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        asked(**changes).plan()


def test_a_gateway_at_a_url_can_be_told_its_shares() -> None:
    assert asked(url="http://a", traffic="a=99.5,b=0.5").shares() == {"a": 0.995, "b": 0.005}
    for wrong in ("a=50,b=40", "50/50", "a=x"):
        with pytest.raises(UsageError, match="--traffic"):
            asked(url="http://a", traffic=wrong).shares()


def service(traffic: list[dict[str, Any]], **annotations: str) -> dict[str, Any]:
    named = {f"knary.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {"metadata": {"annotations": named}, "status": {"traffic": traffic}}


TWO = [
    {"revisionName": "a", "percent": 99},
    {"revisionName": "b", "percent": 1, "latestRevision": True},
    {"revisionName": "c", "tag": "old"},
]


@pytest.mark.parametrize(
    ("made", "shares"),
    [
        pytest.param(service(TWO), {"a": 0.99, "b": 0.01}, id="a tag alone has no share"),
        pytest.param(
            service([*TWO, {"revisionName": "a", "percent": 0, "tag": "x"}]),
            {"a": 0.99, "b": 0.01},
            id="0 is none",
        ),
        pytest.param(
            service(TWO, traffic_percent="a=99.9,@latest=0.1"),
            {"a": 0.999, "b": 0.001},
            id="the finer ones of the annotation",
        ),
        pytest.param(
            service(TWO, traffic_percent="z=100"), {"a": 0.99, "b": 0.01}, id="which do not fit"
        ),
        pytest.param({}, {}, id="nothing is known yet"),
    ],
)
def test_shares_are_those_of_the_services_status(made, shares) -> None:
    assert shares_of(made) == pytest.approx(shares)


def test_an_explanation_says_how_it_is_split() -> None:
    told = explanation_of('route="d/h"; rule=host; share=0.5; splitter=stratified; queued=0.0')
    assert told["splitter"] == "stratified"
    assert told["route"] == "d/h"
    assert explanation_of("") == {}

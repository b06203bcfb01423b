"""The rules of traffic, in Knative's words (table 2.5 of its behaviour)."""

from __future__ import annotations

import pytest

from tests.support.manifests import Document, admitted, refusal, route, service

QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end"
    " with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
DNS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def of(revision: str, percent: int | None = None, **more: object) -> Document:
    target: Document = {"revisionName": revision, **more}
    if percent is not None:
        target["percent"] = percent
    return target


@pytest.mark.parametrize(
    ("traffic", "message"),
    [
        pytest.param(
            [of("a", 50), of("b", 40)],
            "Traffic targets sum to 90, want 100: spec.traffic",
            id="too little",
        ),
        pytest.param(
            [of("a", 50), of("b", 60)],
            "Traffic targets sum to 110, want 100: spec.traffic",
            id="too much",
        ),
        pytest.param(
            [of("a")], "Traffic targets sum to 0, want 100: spec.traffic", id="nil percents are 0"
        ),
        pytest.param(
            [of("a", 101)],
            "Traffic targets sum to 101, want 100: spec.traffic\n"
            "expected 0 <= 101 <= 100: spec.traffic[0].percent",
            id="a percent above 100",
        ),
        pytest.param(
            [of("a", 101), of("b", -1)],
            "expected 0 <= -1 <= 100: spec.traffic[1].percent\n"
            "expected 0 <= 101 <= 100: spec.traffic[0].percent",
            id="out of range and yet 100 together",
        ),
        pytest.param(
            [of("a", 100), of("b", tag="Not_a_tag")],
            f"invalid value: not a DNS 1035 label: [{DNS_1035}]: spec.traffic.tag[1]",
            id="a bad tag",
        ),
        pytest.param(
            [of("a", 100, tag="v1"), of("b", tag="v1")],
            'Multiple definitions for "v1": spec.traffic[0].tag, spec.traffic[1].tag',
            id="a tag twice",
        ),
        pytest.param(
            [of("a", 100, latestRevision=True)],
            'may not set revisionName "a" when latestRevision is true:'
            " spec.traffic[0].latestRevision",
            id="pinned and latest",
        ),
        pytest.param(
            [{"percent": 100, "latestRevision": False}],
            'may not set revisionName "" when latestRevision is false:'
            " spec.traffic[0].latestRevision",
            id="neither pinned nor latest",
        ),
        pytest.param(
            [{"percent": 100, "configurationName": "c"}],
            "must not set the field(s): spec.traffic[0].configurationName",
            id="a configuration in a service",
        ),
        pytest.param(
            [of("b ar", 100)],
            f'invalid key name "b ar": spec.traffic[0].revisionName\n{QUALIFIED}',
            id="a bad revision name",
        ),
        pytest.param(
            [of("a", 100, url="http://x")],
            "must not set the field(s): spec.traffic[0].url",
            id="a url in the spec",
        ),
    ],
)
def test_a_service_with_such_traffic_is_refused(traffic: list[Document], message: str) -> None:
    assert refusal(service(traffic=traffic)) == message


@pytest.mark.parametrize(
    ("traffic", "message"),
    [
        pytest.param([], "Traffic targets sum to 0, want 100: spec.traffic", id="no traffic"),
        pytest.param(
            [{"percent": 100, "revisionName": "r", "configurationName": "c"}],
            "expected exactly one, got both: spec.traffic[0].configurationName,"
            " spec.traffic[0].revisionName",
            id="both names",
        ),
        pytest.param(
            [{"percent": 100}],
            "expected exactly one, got neither: spec.traffic[0].configurationName,"
            " spec.traffic[0].revisionName",
            id="no name",
        ),
        pytest.param(
            [{"percent": 100, "configurationName": "b ar"}],
            f'invalid key name "b ar": spec.traffic[0].configurationName\n{QUALIFIED}',
            id="a bad configuration name",
        ),
    ],
)
def test_a_route_with_such_traffic_is_refused(traffic: list[Document], message: str) -> None:
    assert refusal(route(traffic)) == message


@pytest.mark.parametrize(
    "traffic",
    [
        pytest.param([of("hello-00001", 50), of("hello-00002", 50)], id="halves"),
        pytest.param([of("hello-00001", 100), {"percent": 0, "tag": "latest"}], id="a tag alone"),
        pytest.param([of("nobody-knows", 100)], id="a revision that does not exist"),
        pytest.param([of("a", 50), of("a", 50)], id="one revision twice"),
    ],
)
def test_such_traffic_is_taken(traffic: list[Document]) -> None:
    admitted(service(traffic=traffic))

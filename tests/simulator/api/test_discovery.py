"""Discovery in one answer and in many, negotiated and remembered by clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.api.discovery import discovered
from simulator.errors import NotAcceptable
from simulator.resources.scheme import KINDS, REVIEWS
from tests.support.api import Api, run_with_api

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        pytest.param(f"{V2},{V2BETA1},application/json", V2, id="a new kubectl"),
        pytest.param(f"{V2BETA1},application/json", V2BETA1, id="kubectl 1.27"),
        pytest.param(f"application/json;q=0.9,{V2}", V2, id="the better offer comes later"),
        pytest.param("application/json", "application/json", id="a client of old"),
        pytest.param("*/*", "application/json", id="curl"),
        pytest.param("", "application/json", id="nothing said"),
        pytest.param(
            "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,*/*",
            "application/json",
            id="a version that is not there",
        ),
        pytest.param("application/vnd.kubernetes.protobuf", None, id="protobuf alone"),
        pytest.param("text/html", None, id="a browser"),
    ],
)
@pytest.mark.parametrize("path", ["/api", "/apis", "/api/", "/apis/"])
def test_the_best_form_that_is_served_is_answered(
    path: str, accept: str, answered: str | None
) -> None:
    if answered is None:
        with pytest.raises(NotAcceptable):
            discovered(path, accept, "1", "h:1")
        return
    found = discovered(path, accept, "1", "h:1")
    assert found is not None
    assert found.content_type == answered


def test_both_ways_tell_of_the_same_resources() -> None:
    for root in ("api", "apis"):
        for offer, version in ((V2, "v2"), (V2BETA1, "v2beta1")):
            aggregated = discovered(f"/{root}", offer, "1", "h:1")
            assert aggregated is not None
            assert aggregated.document["apiVersion"] == f"apidiscovery.k8s.io/{version}"
            for group in aggregated.document["items"]:
                name = group["metadata"].get("name", "")
                assert bool(name) == (root == "apis")
                for one in group["versions"]:
                    assert one["freshness"] == "Current"
                    assert from_aggregated(one) == from_legacy(name, one["version"])


def from_aggregated(version: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = []
    for resource in version["resources"]:
        kind = resource["responseKind"]["kind"]
        is_namespaced = {"Namespaced": True, "Cluster": False}[resource["scope"]]
        names = (resource.get("shortNames"), resource.get("categories"))
        found.append((resource["resource"], kind, is_namespaced, resource["verbs"], *names))
        found += [
            (f"{resource['resource']}/{below['subresource']}", kind, is_namespaced, below["verbs"])
            for below in resource.get("subresources", ())
        ]
    return found


def from_legacy(group: str, version: str) -> list[tuple[Any, ...]]:
    path = f"/apis/{group}/{version}" if group else f"/api/{version}"
    legacy = discovered(path, "application/json", "1", "h:1")
    assert legacy is not None
    return [
        (one["name"], one["kind"], one["namespaced"], one["verbs"])
        + (() if "/" in one["name"] else (one.get("shortNames"), one.get("categories")))
        for one in legacy.document["resources"]
    ]


def test_every_kind_is_discovered() -> None:
    names = set()
    for root in ("api", "apis"):
        aggregated = discovered(f"/{root}", V2, "1", "h:1")
        assert aggregated is not None
        names |= {
            (group["metadata"].get("name", ""), version["version"], resource["resource"])
            for group in aggregated.document["items"]
            for version in group["versions"]
            for resource in version["resources"]
        }
    assert names == {(info.group, info.version, info.plural) for info in (*KINDS, *REVIEWS)}


def test_what_a_client_knows_is_not_sent_again(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        for path in ("/api", "/apis", "/apis/serving.knative.dev/v1", "/openapi/v3"):
            first = await api.call("GET", path, Accept=f"{V2},application/json")
            assert first.code == 200
            tag = first.headers["ETag"]
            for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
                again = await api.call(
                    "GET", path, Accept=f"{V2},application/json", If_None_Match=known
                )
                assert (again.code, again.body) == (304, b"")
                assert again.headers["ETag"] == tag
            assert (await api.call("GET", path, If_None_Match='"other"')).code == 200
        legacy = await api.call("GET", "/apis", Accept="application/json")
        assert legacy.headers["ETag"] != (await api.call("GET", "/apis", Accept=V2)).headers["ETag"]
        assert legacy.headers["Vary"] == "Accept"

    run_with_api(tmp_path, scenario)

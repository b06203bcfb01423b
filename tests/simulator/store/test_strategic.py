"""Strategic merge patches: lists of Kubernetes' own kinds merge by key, directives say the rest."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ApiError, BadRequest, Invalid
from simulator.resources.core import ConfigMap, Pod, ServiceAccount
from simulator.resources.endpoints import CoreService
from simulator.resources.meta import Resource
from simulator.store.strategic import strategic_merge_patch
from tests.simulator.resources.test_documents import JSON


def ports(*numbers: int, **extra: Any) -> dict[str, Any]:
    return {"spec": {"ports": [{"port": number} | extra for number in numbers]}}


def finalizers(*names: str) -> dict[str, Any]:
    return {"metadata": {"finalizers": list(names)}}


def volumes(*items: Any) -> dict[str, Any]:
    return {"spec": {"volumes": list(items)}}


ORDER, DELETE = "$setElementOrder/ports", "$deleteFromPrimitiveList/finalizers"


@pytest.mark.parametrize(
    ("kind", "document", "patch", "result"),
    [
        pytest.param(
            ConfigMap,
            {"data": {"a": "1", "b": "2"}},
            {"data": {"a": None, "c": "3"}},
            {"data": {"b": "2", "c": "3"}},
            id="maps merge, null takes away",
        ),
        pytest.param(
            ConfigMap,
            {},
            {"data": {"a": None, "b": "1"}},
            {"data": {"b": "1"}},
            id="null for what is not there is nothing",
        ),
        pytest.param(
            ConfigMap,
            {"data": {"a": "1"}},
            {"data": {"$patch": "replace", "b": "2"}},
            {"data": {"b": "2"}},
            id="a map is replaced",
        ),
        pytest.param(
            ConfigMap,
            {"data": {"a": "1"}},
            {"data": {"$patch": "delete"}},
            {"data": {}},
            id="a map is emptied",
        ),
        pytest.param(
            CoreService,
            ports(80, name="a"),
            ports(80, protocol="TCP"),
            ports(80, name="a", protocol="TCP"),
            id="items of one key merge",
        ),
        pytest.param(
            CoreService, ports(80, 81), ports(82), ports(82, 80, 81), id="new items come first"
        ),
        pytest.param(
            CoreService,
            ports(80, 81),
            {"spec": {"ports": [{"$patch": "delete", "port": 80}]}},
            ports(81),
            id="an item is deleted",
        ),
        pytest.param(
            CoreService,
            ports(80, 81),
            {"spec": {"ports": [{"port": 82}, {"$patch": "replace"}]}},
            ports(82),
            id="a list is replaced",
        ),
        pytest.param(
            CoreService,
            ports(80, 81, 82),
            {"spec": {ORDER: [{"port": 82}, {"port": 80}]}},
            ports(81, 82, 80),
            id="the order alone",
        ),
        pytest.param(
            CoreService,
            ports(80, 81),
            {"spec": {ORDER: [{"port": 82}, {"port": 80}, {"port": 81}], "ports": [{"port": 82}]}},
            ports(82, 80, 81),
            id="new items in their order",
        ),
        pytest.param(
            CoreService,
            {"spec": {"selector": {"a": "1"}}},
            {"spec": {"selector": {"b": "2"}}},
            {"spec": {"selector": {"a": "1", "b": "2"}}},
            id="a map that is atomic to an apply merges",
        ),
        pytest.param(
            CoreService,
            {"spec": {"externalIPs": ["1.1.1.1"]}},
            {"spec": {"externalIPs": ["2.2.2.2"]}},
            {"spec": {"externalIPs": ["2.2.2.2"]}},
            id="a list without a strategy is replaced",
        ),
        pytest.param(
            ConfigMap,
            finalizers("a", "b"),
            finalizers("c", "a"),
            finalizers("c", "a", "b"),
            id="scalars unite",
        ),
        pytest.param(
            ConfigMap,
            finalizers("a", "b"),
            {"metadata": {DELETE: ["a"]}},
            finalizers("b"),
            id="scalars are deleted",
        ),
        pytest.param(
            ServiceAccount,
            {"secrets": [{"name": "a"}], "imagePullSecrets": [{"name": "x"}]},
            {"secrets": [{"name": "b"}], "imagePullSecrets": [{"name": "y"}]},
            {"secrets": [{"name": "b"}, {"name": "a"}], "imagePullSecrets": [{"name": "y"}]},
            id="each list by its own strategy",
        ),
        pytest.param(
            Pod,
            volumes({"name": "v", "emptyDir": {}}, {"name": "w"}),
            volumes({"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}),
            volumes({"name": "v", "hostPath": {"path": "/x"}}, {"name": "w"}),
            id="one member of a union takes the place of another",
        ),
        pytest.param(
            Pod,
            {"spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": "1"}]}]}},
            {"spec": {"containers": [{"name": "c", "env": [{"name": "B", "value": "2"}]}]}},
            {
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
                        }
                    ]
                }
            },
            id="lists in items",
        ),
        pytest.param(
            ConfigMap,
            {"metadata": {"managedFields": [{"manager": "a"}]}},
            {"metadata": {"managedFields": [{}]}},
            {"metadata": {"managedFields": [{}]}},
            id="entries of ownership are replaced",
        ),
    ],
)
def test_a_strategic_patch_merges(
    kind: type[Resource], document: Any, patch: Any, result: Any
) -> None:
    before = copy.deepcopy((document, patch))
    assert strategic_merge_patch(document, patch, kind) == result
    assert (document, patch) == before


@pytest.mark.parametrize(
    ("kind", "patch", "error"),
    [
        pytest.param(ConfigMap, {"data": {"$patch": "spread"}}, BadRequest, id="a directive"),
        pytest.param(
            CoreService,
            {"spec": {"ports": [{"$patch": "spread"}]}},
            BadRequest,
            id="an item's directive",
        ),
        pytest.param(CoreService, {"spec": {"ports": [{"name": "a"}]}}, Invalid, id="no key"),
        pytest.param(
            CoreService,
            {"spec": {"ports": [{"$patch": "delete"}]}},
            Invalid,
            id="nothing to delete",
        ),
        pytest.param(CoreService, {"spec": {"ports": ["x"]}}, BadRequest, id="no objects"),
        pytest.param(CoreService, {"spec": {ORDER: {}}}, BadRequest, id="no order"),
        pytest.param(ConfigMap, {"metadata": {DELETE: "a"}}, BadRequest, id="no list to delete"),
        pytest.param(ConfigMap, {"data": {"$retainKeys": "a"}}, BadRequest, id="no keys to retain"),
        pytest.param(
            ConfigMap,
            {"data": {"$retainKeys": [], "a": "1"}},
            BadRequest,
            id="a key that is not retained",
        ),
    ],
)
def test_malformed_strategic_patches_are_refused(
    kind: type[Resource], patch: Any, error: type[ApiError]
) -> None:
    document = ports(80) | {"data": {"a": "1"}, "metadata": {"finalizers": ["a"]}}
    with pytest.raises(error):
        strategic_merge_patch(document, patch, kind)


NAMES = st.lists(st.sampled_from("abcdef"), unique=True)


@given(NAMES, NAMES)
def test_kubectl_can_ask_for_any_order(before: list[str], after: list[str]) -> None:
    """The patch that `kubectl apply` makes of two lists leads from the one to the other."""
    gone = [name for name in before if name not in after]
    patch = {
        "$setElementOrder/secrets": [{"name": name} for name in after],
        "secrets": [
            *({"name": name} for name in after if name not in before),
            *({"name": name, "$patch": "delete"} for name in gone),
        ],
    }
    document = {"secrets": [{"name": name} for name in before]}
    result = strategic_merge_patch(document, patch, ServiceAccount)
    assert [one["name"] for one in result["secrets"]] == after


@given(JSON, st.dictionaries(st.sampled_from(["metadata", "spec", "data"]), JSON))
def test_any_patch_merges_or_is_refused(document: Any, patch: Any) -> None:
    before = copy.deepcopy(patch)
    with contextlib.suppress(BadRequest, Invalid):
        strategic_merge_patch({"spec": document, "metadata": document}, patch, Pod)
    assert patch == before

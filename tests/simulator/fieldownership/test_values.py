"""A document's fields, comparing, merging and removing, as its schema says of lists and maps."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.fieldownership.checking import flaws, message_of
from simulator.fieldownership.comparing import compare
from simulator.fieldownership.elements import field, shown
from simulator.fieldownership.fieldset import FieldSet
from simulator.fieldownership.merging import merged
from simulator.fieldownership.schema import (
    FREE,
    ListType,
    MapType,
    ScalarType,
    Type,
    schema_of,
)
from simulator.fieldownership.values import ABSENT, fields_of, without_fields
from simulator.resources.apps import Deployment
from simulator.resources.core import Pod, ServiceAccount
from simulator.resources.endpoints import CoreService
from simulator.resources.meta import Resource
from simulator.resources.serving import Revision, Service

STRING, NUMBER = ScalarType(("string",)), ScalarType(("integer",))
PORT = MapType({"port": NUMBER, "protocol": STRING, "name": STRING})
TYPE = MapType(
    {
        "name": STRING,
        "labels": MapType(others=STRING),
        "selector": MapType(others=STRING, is_atomic=True),
        "args": ListType(STRING),
        "finalizers": ListType(STRING, "set"),
        "ports": ListType(PORT, "map", ("port", "protocol"), {"protocol": "TCP"}),
        "spec": MapType({"replicas": NUMBER, "extra": FREE}),
    }
)


def shown_paths(fields: FieldSet) -> list[str]:
    return [shown(path) for path in fields.paths()]


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        pytest.param({"name": "x"}, [".name"], id="a scalar is a leaf"),
        pytest.param({"name": None}, [".name"], id="null is a value"),
        pytest.param({"spec": {"replicas": 1}}, [".spec.replicas"], id="a struct is not owned"),
        pytest.param({"spec": {}}, [".spec"], id="an empty one is"),
        pytest.param({"labels": {"a": "b"}}, [".labels.a"], id="a key of a map is"),
        pytest.param({"selector": {"a": "b"}}, [".selector"], id="an atomic map is one value"),
        pytest.param({"args": ["a", "b"]}, [".args"], id="an atomic list is one value"),
        pytest.param({"finalizers": ["a"]}, ['.finalizers[="a"]'], id="the items of a set"),
        pytest.param({"finalizers": []}, [], id="an empty set has none"),
        pytest.param(
            {"ports": [{"port": 80}]},
            ['.ports[port=80,protocol="TCP"]', '.ports[port=80,protocol="TCP"].port'],
            id="an item is owned beside its fields, and a key may have a default",
        ),
        pytest.param(
            {"spec": {"extra": {"a": {"b": [1]}}}},
            [".spec.extra.a", ".spec.extra.a.b"],
            id="free form: maps are granular, lists atomic",
        ),
    ],
)
def test_the_fields_of_a_document(document: Any, paths: list[str]) -> None:
    assert shown_paths(fields_of(document, TYPE)) == paths


@pytest.mark.parametrize(
    ("old", "new", "added", "modified", "removed"),
    [
        pytest.param({"name": "x"}, {"name": "x"}, [], [], [], id="nothing"),
        pytest.param({"name": "x"}, {"name": "y"}, [], [".name"], [], id="another value"),
        pytest.param(
            {}, {"labels": {"a": "b"}}, [".labels", ".labels.a"], [], [], id="a map that is new"
        ),
        pytest.param(
            {"labels": {"a": "b"}},
            {"labels": {"c": "d"}},
            [".labels.c"],
            [],
            [".labels.a"],
            id="a map that was there",
        ),
        pytest.param({"args": ["a"]}, {"args": ["b"]}, [], [".args"], [], id="an atomic list"),
        pytest.param(
            {"finalizers": ["a", "b"]},
            {"finalizers": ["b", "c"]},
            ['.finalizers[="c"]'],
            [],
            ['.finalizers[="a"]'],
            id="a set",
        ),
        pytest.param(
            {"ports": [{"port": 80, "name": "a"}]},
            {"ports": [{"port": 80, "name": "b"}]},
            [],
            ['.ports[port=80,protocol="TCP"].name'],
            [],
            id="an item's field",
        ),
        pytest.param(
            {"ports": [{"port": 80}, {"port": 81}]},
            {"ports": [{"port": 81}, {"port": 80}]},
            [],
            [],
            [],
            id="the order of items is nobody's",
        ),
        pytest.param(
            {"ports": [{"port": 80}]},
            {"ports": [{"port": 80}, {"port": 80, "name": "x"}]},
            ['.ports[port=80,protocol="TCP"]'],
            [],
            ['.ports[port=80,protocol="TCP"]', '.ports[port=80,protocol="TCP"].port'],
            id="an item that is there twice is one value",
        ),
        pytest.param({"labels": None}, {"labels": {}}, [], [".labels"], [], id="null is not empty"),
        pytest.param(
            {"spec": {"extra": 1}},
            {"spec": {"extra": {"a": 1}}},
            [],
            [".spec.extra"],
            [],
            id="a scalar that becomes a map",
        ),
    ],
)
def test_what_differs(
    old: Any, new: Any, added: list[str], modified: list[str], removed: list[str]
) -> None:
    found = compare(old, new, TYPE)
    assert shown_paths(found.added) == added
    assert shown_paths(found.modified) == modified
    assert shown_paths(found.removed) == removed


@pytest.mark.parametrize(
    ("live", "wanted", "result"),
    [
        pytest.param({"name": "x"}, {"name": "y"}, {"name": "y"}, id="what is wanted counts"),
        pytest.param({"name": "x"}, {}, {"name": "x"}, id="the rest stays"),
        pytest.param(
            {"labels": {"a": "1"}},
            {"labels": {"b": "2"}},
            {"labels": {"a": "1", "b": "2"}},
            id="maps merge",
        ),
        pytest.param(
            {"selector": {"a": "1"}},
            {"selector": {"b": "2"}},
            {"selector": {"b": "2"}},
            id="atomic maps are replaced",
        ),
        pytest.param({"args": ["a"]}, {"args": ["b"]}, {"args": ["b"]}, id="so are atomic lists"),
        pytest.param(
            {"finalizers": ["a"]},
            {"finalizers": ["b", "a"]},
            {"finalizers": ["b", "a"]},
            id="sets unite in the order that is wanted",
        ),
        pytest.param(
            {"ports": [{"port": 80, "name": "a"}, {"port": 81}]},
            {"ports": [{"port": 80, "protocol": "TCP"}]},
            {"ports": [{"port": 80, "name": "a", "protocol": "TCP"}, {"port": 81}]},
            id="items merge by key",
        ),
        pytest.param({}, {"ports": [{"port": 1}]}, {"ports": [{"port": 1}]}, id="a new list"),
        pytest.param(
            {"labels": {"a": "1"}},
            {"labels": None},
            {"labels": {"a": "1"}},
            id="null for a map that is there says nothing",
        ),
        pytest.param({"name": "x"}, {"name": None}, {"name": None}, id="null for a scalar does"),
    ],
)
def test_a_configuration_is_laid_over_a_document(live: Any, wanted: Any, result: Any) -> None:
    before = copy.deepcopy((live, wanted))
    assert merged(live, wanted, TYPE) == result
    assert (live, wanted) == before


@pytest.mark.parametrize(
    ("live", "wanted", "result"),
    [
        ("abc", "", "abc"),
        ("", "abc", "abc"),
        ("abc", "cba", "cba"),
        ("abc", "d", "abcd"),
        ("abcd", "ad", "abcd"),
        ("abcd", "da", "bcda"),
        ("axb", "ayb", "axyb"),
        ("xab", "ba", "xba"),
        ("abx", "bay", "bxay"),
    ],
)
def test_wanted_items_come_in_their_order_and_others_where_they_stood(
    live: str, wanted: str, result: str
) -> None:
    document = merged({"finalizers": list(live)}, {"finalizers": list(wanted)}, TYPE)
    assert "".join(document["finalizers"]) == result


LETTERS = st.lists(st.sampled_from("abcdefg"), unique=True)


@given(LETTERS, LETTERS)
def test_a_merged_list_has_every_item_once(live: list[str], wanted: list[str]) -> None:
    result = merged({"finalizers": live}, {"finalizers": wanted}, TYPE)["finalizers"]
    assert sorted(result) == sorted({*live, *wanted})
    assert [one for one in result if one in wanted] == wanted
    others = [one for one in live if one not in wanted]
    assert [one for one in result if one not in wanted] == others
    assert merged({"finalizers": result}, {"finalizers": wanted}, TYPE)["finalizers"] == result


@pytest.mark.parametrize(
    ("document", "gone", "left"),
    [
        ({"name": "x", "args": ["a"]}, [("name",)], {"args": ["a"]}),
        ({"labels": {"a": "1", "b": "2"}}, [("labels", "a")], {"labels": {"b": "2"}}),
        ({"labels": {"a": "1"}}, [("labels", "a")], {"labels": None}),
        ({"labels": {"a": "1"}, "name": "x"}, [("labels",)], {"name": "x"}),
        ({"name": "x"}, [("name",)], ABSENT),
    ],
)
def test_fields_are_taken_away(document: Any, gone: list[tuple[str, ...]], left: Any) -> None:
    fields = FieldSet.of([tuple(map(field, path)) for path in gone])
    assert without_fields(document, fields, TYPE) == left


def test_items_are_taken_away_by_key() -> None:
    document = {"ports": [{"port": 80, "name": "a"}, {"port": 81}], "finalizers": ["a", "b"]}
    gone = fields_of({"ports": [{"port": 81}], "finalizers": ["a"]}, TYPE)
    assert without_fields(document, gone, TYPE) == {
        "ports": [{"port": 80, "name": "a"}],
        "finalizers": ["b"],
    }


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"foo": 1}, ".foo: field not declared in schema"),
        ({"spec": {"foo": 1}}, ".spec.foo: field not declared in schema"),
        ({"name": 1}, ".name: expected string, got &value.valueUnstructured{Value:1}"),
        (
            {"spec": {"replicas": "1"}},
            ".spec.replicas: expected numeric (int or float), got string",
        ),
        ({"labels": []}, ".labels: expected map, got []"),
        ({"args": {}}, ".args: expected list, got {}"),
        ({"finalizers": ["a", "a"]}, '.finalizers: duplicate entries for key [="a"]'),
        (
            {"ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]},
            '.ports: duplicate entries for key [port=1,protocol="TCP"]',
        ),
        (
            {"finalizers": [{}]},
            (
                ".finalizers: element 0: "
                "associative list without keys has an element that's a map type"
            ),
        ),
        (
            {"ports": ["x"]},
            ".ports: element 0: associative list with keys may not have non-map elements",
        ),
        (
            {"spec": {"foo": 1}, "labels": {"a": 1}},
            (
                "errors:\n  .spec.foo: field not declared in schema\n"
                "  .labels.a: expected string, got &value.valueUnstructured{Value:1}"
            ),
        ),
    ],
)
def test_flaws_are_told_in_the_real_words(document: Any, why: str) -> None:
    assert message_of(list(flaws(document, TYPE))) == why


@pytest.mark.parametrize("document", [None, {}, {"name": None}, {"spec": {"extra": {"x": [{}]}}}])
def test_what_has_no_flaws(document: Any) -> None:
    assert list(flaws(document, TYPE)) == []


def list_type(kind: type[Resource], *names: str) -> ListType:
    type_: Type | None = schema_of(kind)
    for name in names:
        assert isinstance(type_, MapType | ListType)
        type_ = type_.item if name == "[]" else type_.fields[name]  # type: ignore[union-attr]
    assert isinstance(type_, ListType)
    return type_


@pytest.mark.parametrize(
    ("kind", "names", "relation", "keys"),
    [
        (Service, ("spec", "traffic"), "atomic", ()),
        (Service, ("spec", "template", "spec", "containers"), "atomic", ()),
        (Service, ("spec", "template", "spec", "volumes"), "map", ("name",)),
        (Service, ("spec", "template", "spec", "imagePullSecrets"), "map", ("name",)),
        (Service, ("status", "conditions"), "atomic", ()),
        (Service, ("metadata", "finalizers"), "set", ()),
        (Service, ("metadata", "ownerReferences"), "map", ("uid",)),
        (Service, ("metadata", "managedFields"), "atomic", ()),
        (Revision, ("spec", "tolerations"), "atomic", ()),
        (Pod, ("spec", "containers"), "map", ("name",)),
        (Pod, ("spec", "containers", "[]", "env"), "map", ("name",)),
        (Pod, ("spec", "containers", "[]", "ports"), "map", ("containerPort", "protocol")),
        (Pod, ("spec", "tolerations"), "atomic", ()),
        (Pod, ("status", "conditions"), "map", ("type",)),
        (Deployment, ("spec", "template", "spec", "containers"), "map", ("name",)),
        (Deployment, ("status", "conditions"), "map", ("type",)),
        (CoreService, ("spec", "ports"), "map", ("port", "protocol")),
        (ServiceAccount, ("secrets",), "map", ("name",)),
        (ServiceAccount, ("imagePullSecrets",), "atomic", ()),
    ],
)
def test_the_lists_of_the_kinds(
    kind: type[Resource], names: tuple[str, ...], relation: str, keys: tuple[str, ...]
) -> None:
    found = list_type(kind, *names)
    assert (found.relation, found.keys) == (relation, keys)

"""The OpenAPI documents: whole, true to the structs, and in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.api.discovery import group_versions, kinds_of
from simulator.api.openapi import facts
from simulator.api.openapi.documents import OpenApi
from simulator.api.openapi.words.everything import MEANINGS
from simulator.api.paths import subresources_of, verbs_of
from simulator.resources.scheme import KINDS, SERVED, KindInfo
from simulator.resources.shapes import ListShape, MapShape, ObjectShape, Shape, shape_of
from tests.support.api import Api, run_with_api

METHODS = {"list": "get", "create": "post", "deletecollection": "delete"} | {
    "get": "get",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
}
V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def document(group: str, version: str) -> Any:
    return json.loads(OpenApi("1").document(group, version))


def structs() -> Iterator[ObjectShape]:
    """Yield every struct that a served object can hold."""
    seen: set[type] = set()
    waiting: list[Shape] = [shape_of(info.type) for info in SERVED]
    while waiting:
        match waiting.pop():
            case ObjectShape() as shape if shape.type not in seen:
                seen.add(shape.type)
                yield shape
                waiting += shape.fields.values()
            case ListShape(item=below) | MapShape(value=below):
                waiting.append(below)


@pytest.mark.parametrize("gv", group_versions(), ids="/".join)
def test_every_reference_leads_somewhere_and_nothing_is_left_over(gv: tuple[str, str]) -> None:
    found = document(*gv)
    referred: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                referred.add(value["$ref"].removeprefix("#/components/schemas/"))
            for below in value.values():
                walk(below)
        elif isinstance(value, list):
            for below in value:
                walk(below)

    walk(found)
    assert referred == set(found["components"]["schemas"])


@pytest.mark.parametrize("info", SERVED, ids=lambda info: info.qualified)
def test_every_verb_has_its_operation(info: KindInfo) -> None:
    paths = document(info.group, info.version)["paths"]
    root = f"/apis/{info.group}/{info.version}" if info.group else f"/api/{info.version}"
    collection = root + ("/namespaces/{namespace}" if info.namespaced else "") + f"/{info.plural}"
    found = {
        (path, method)
        for path in (collection, f"{collection}/{{name}}")
        for method in paths.get(path, {})
        if method != "parameters"
    }
    assert found == {
        (
            collection
            if verb in ("list", "create", "deletecollection")
            else f"{collection}/{{name}}",
            METHODS[verb],
        )
        for verb in verbs_of(info)
        if verb != "watch"
    }
    for name, verbs in subresources_of(info).items():
        below = paths[f"{collection}/{{name}}/{name}"]
        assert set(below) - {"parameters"} == {METHODS[verb] for verb in verbs}


def test_each_operation_has_a_name_of_its_own_and_writes_say_how_they_validate() -> None:
    for gv in group_versions():
        names = []
        for item in document(*gv)["paths"].values():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                names.append(operation["operationId"])
                query = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
                if method in ("post", "put", "patch"):
                    assert {"fieldValidation", "fieldManager", "dryRun"} <= query
                    assert operation["requestBody"]["content"]
                assert operation["x-kubernetes-group-version-kind"]["kind"]
        assert len(names) == len(set(names))


def test_each_kind_is_found_by_its_name() -> None:
    for gv in group_versions():
        schemas = document(*gv)["components"]["schemas"].values()
        named = [
            one["kind"]
            for schema in schemas
            for one in schema.get("x-kubernetes-group-version-kind", ())
        ]
        kinds = [info.kind for info in kinds_of(*gv)]
        lists = [f"{info.kind}List" for info in kinds_of(*gv) if "list" in verbs_of(info)]
        assert sorted(named) == sorted([*kinds, *lists])


@pytest.mark.parametrize("shape", list(structs()), ids=lambda shape: shape.type.__name__)
def test_everything_is_explained(shape: ObjectShape) -> None:
    bases = [MEANINGS[base] for base in shape.type.__mro__ if base in MEANINGS]
    assert bases, f"say what a {shape.type.__name__} is, in simulator/api/openapi/words"
    known = set().union(*(meaning.fields for meaning in bases))
    # What every kind has, the document says by itself.
    own = {
        name
        for name in shape.fields
        if shape.fields[name] != shape_of(KINDS[0].type).fields["metadata"]
    }
    assert own <= known, "say what these fields mean, in simulator/api/openapi/words"
    for meaning in bases:
        for words in (meaning.itself, *meaning.fields.values()):
            assert words.rstrip().endswith((".", "?")), words


def test_nothing_is_explained_that_is_not_there() -> None:
    reachable = {base for shape in structs() for base in shape.type.__mro__}
    assert {struct.__name__ for struct in MEANINGS if struct not in reachable} == set()
    fields = {shape.type: set(shape.fields) for shape in structs()}
    for struct, meaning in MEANINGS.items():
        for known, names in fields.items():
            if issubclass(known, struct):
                assert set(meaning.fields) <= names, struct


def test_two_structs_of_a_document_share_a_name_only_when_they_are_alike() -> None:
    for gv in group_versions():
        names: dict[str, ObjectShape] = {}
        waiting: list[Shape] = [shape_of(info.type) for info in kinds_of(*gv)]
        while waiting:
            match waiting.pop():
                case ObjectShape(type=type_, fields=fields) as shape:
                    name = facts.schema_name(type_)
                    assert not name.startswith("unknown"), "give the module a package in facts"
                    if name not in names:
                        waiting += fields.values()
                    assert names.setdefault(name, shape).fields == fields, name
                case ListShape(item=below) | MapShape(value=below):
                    waiting.append(below)


def test_schemas_say_what_a_custom_resource_definition_says() -> None:
    schemas = document("serving.knative.dev", "v1")["components"]["schemas"]
    spec = schemas["dev.knative.serving.v1.RevisionSpec"]
    assert spec["required"] == ["containers"]
    assert spec["properties"]["containers"]["x-kubernetes-list-type"] == "atomic"
    assert spec["properties"]["volumes"]["x-kubernetes-list-map-keys"] == ["name"]
    anything = spec["properties"]["initContainers"]["items"]
    assert anything == {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    port = schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]
    assert set(port) == {"containerPort", "name", "protocol"}
    core = document("", "v1")["components"]["schemas"]
    assert "hostPort" in core["io.k8s.api.core.v1.ContainerPort"]["properties"]
    assert spec["properties"]["affinity"]["x-kubernetes-preserve-unknown-fields"] is True
    container = schemas["io.k8s.api.core.v1.Container"]["properties"]
    assert container["env"]["x-kubernetes-list-map-keys"] == ["name"]
    template = schemas["dev.knative.serving.v1.RevisionTemplateMeta"]
    assert template["x-kubernetes-preserve-unknown-fields"] is True
    for nowhere in ("lifecycle", "stdin", "tty"):
        assert nowhere not in container


def test_the_index_leads_to_documents_that_may_be_kept(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        index = (await api.call("GET", "/openapi/v3?timeout=32s")).json["paths"]
        assert set(index) == {f"apis/{g}/{v}" if g else f"api/{v}" for g, v in group_versions()}
        for place, entry in index.items():
            url = entry["serverRelativeURL"]
            assert url.startswith(f"/openapi/v3/{place}?hash=")
            kept = await api.call("GET", f"{url}&timeout=32s")
            assert "immutable" in kept.headers["Cache-Control"]
            assert kept.headers["ETag"].strip('"') == url.partition("hash=")[2]
            plain = await api.call("GET", f"/openapi/v3/{place}")
            assert plain.body == kept.body
            assert "immutable" not in plain.headers["Cache-Control"]
        stale = await api.session.get(
            f"{api.base}/openapi/v3/api/v1?hash=OLD",
            headers={"Authorization": f"Bearer {api.token}"},
            allow_redirects=False,
        )
        assert stale.status == 301
        assert stale.headers["Location"] == index["api/v1"]["serverRelativeURL"]
        for unknown in ("/openapi/v3/apis/nobody/v1", "/openapi/v3/", "/openapi/v4"):
            code = (await api.call("GET", unknown)).code
            assert code == (200 if unknown == "/openapi/v3/" else 404)
        assert (await api.call("GET", "/openapi/v3/api/v1", Accept="text/html")).code == 406
        assert (await api.call("POST", "/openapi/v3", {})).code == 405

    run_with_api(tmp_path, scenario)


def test_v2_is_empty_for_the_clients_that_insist_on_one(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        empty = await api.call("GET", "/openapi/v2?timeout=32s", Accept=V2_PROTOBUF)
        assert (empty.code, empty.body) == (200, b"")
        assert empty.headers["Content-Type"] == V2_PROTOBUF.replace("@", ".")
        for accept in (None, "application/json", "*/*"):
            refused = await api.call("GET", "/openapi/v2", Accept=accept)
            assert refused.said[:2] == (406, "NotAcceptable")

    run_with_api(tmp_path, scenario)

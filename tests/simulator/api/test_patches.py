"""Merge and JSON patches over HTTPS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import SERVICES, Api, make, run_with_api

HELLO = f"{SERVICES}/hello"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def test_a_patch_that_makes_no_object_shows_what_it_makes(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        strict = f"{HELLO}?fieldValidation=Strict"
        reply = await api.call("PATCH", strict, {"spec": {"foo": 1}}, Content_Type=MERGE)
        assert reply.said[:2] == (422, "Invalid")
        assert reply.said[2].startswith(' "" is invalid: patch: Invalid value: "{')
        assert reply.said[2].endswith('": strict decoding error: unknown field "spec.foo"')
        warned = await api.call("PATCH", HELLO, {"spec": {"foo": 1}}, Content_Type=MERGE)
        assert 'unknown field \\"spec.foo\\"' in warned.headers["Warning"]
        force = await api.call("PATCH", f"{HELLO}?force=true", {}, Content_Type=MERGE)
        assert "force: Forbidden: may not be specified for non-apply patch" in force.said[2]

    run_with_api(tmp_path, scenario)


def test_patches_merge_or_follow_operations(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        merged = await api.call(
            "PATCH", HELLO, {"metadata": {"labels": {"a": "b"}}}, Content_Type=MERGE
        )
        assert merged.json["metadata"]["labels"] == {"a": "b"}
        assert merged.json["metadata"]["generation"] == 1
        operations = [
            {"op": "test", "path": "/metadata/labels/a", "value": "b"},
            {"op": "remove", "path": "/metadata/labels"},
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "app:2"},
        ]
        patched = await api.call("PATCH", HELLO, operations, Content_Type=JSON_PATCH)
        assert "labels" not in patched.json["metadata"]
        assert patched.json["metadata"]["generation"] == 2
        failed = await api.call("PATCH", HELLO, operations, Content_Type=JSON_PATCH)
        assert failed.said == (
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        )
        assert "test operation does not apply: doc is missing path" in failed.headers["Warning"]
        empty = await api.call("PATCH", HELLO, {}, Content_Type=MERGE)
        assert empty.json == patched.json

    run_with_api(tmp_path, scenario)


def test_a_patch_that_names_a_version_is_held_to_it(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api)
        version = made["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version, "labels": {"a": "b"}}}
        assert (await api.call("PATCH", HELLO, patch, Content_Type=MERGE)).code == 200
        assert (await api.call("PATCH", HELLO, patch, Content_Type=MERGE)).said[0] == 409

    run_with_api(tmp_path, scenario)


def test_patches_at_once_all_hold(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        replies = await asyncio.gather(
            *(
                api.call(
                    "PATCH", HELLO, {"metadata": {"labels": {f"l{n}": "x"}}}, Content_Type=MERGE
                )
                for n in range(4)
            )
        )
        assert {reply.code for reply in replies} == {200}
        labels = (await api.call("GET", HELLO)).json["metadata"]["labels"]
        assert sorted(labels) == ["l0", "l1", "l2", "l3"]

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        pytest.param("application/strategic-merge-patch+json", {}, 415, id="strategic"),
        pytest.param("application/apply-patch+cbor", {}, 415, id="apply in CBOR"),
        pytest.param("application/json", {}, 415, id="plain JSON"),
        pytest.param(None, {}, 415, id="none"),
        pytest.param(MERGE, [], 400, id="a list to merge"),
        pytest.param(MERGE, "x", 400, id="a string to merge"),
        pytest.param(MERGE, {"metadata": {"name": "other"}}, 400, id="another name"),
        pytest.param(MERGE, {"kind": "Route"}, 422, id="another kind"),
        pytest.param(MERGE, {"spec": None}, 422, id="without a spec"),
        pytest.param(JSON_PATCH, {}, 400, id="an object of operations"),
    ],
)
def test_other_patches_are_refused(
    tmp_path: Path, content_type: str | None, body: Any, code: int
) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        reply = await api.call("PATCH", HELLO, body, Content_Type=content_type)
        assert reply.said[0] == code
        if code == 415:
            assert reply.said[2] == (
                "the body of the request was in an unknown format - accepted media types include:"
                " application/json-patch+json, application/merge-patch+json,"
                " application/apply-patch+yaml"
            )

    run_with_api(tmp_path, scenario)

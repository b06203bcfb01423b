"""`fieldValidation`: unknown and repeated fields, refused, warned of or dropped, for every write.

Source: apiserver `endpoints/handlers/{create,update,patch}.go`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import SERVICES, Api, Reply, make, manifest, run_with_api

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
PROBLEMS = (
    'duplicate field "spec.template.spec.timeoutSeconds"',
    'unknown field "metadata.owner"',
    'unknown field "spec.template.spec.containers[0].imgae"',
    'unknown field "spec.trafic"',
)


def flawed(**metadata: Any) -> bytes:
    """Return a Service with three unknown fields and one that comes twice."""
    document = manifest("hello", owner="me", **metadata)
    document["spec"]["trafic"] = []
    document["spec"]["template"]["spec"]["containers"][0]["imgae"] = "x"
    document["spec"]["template"]["spec"]["timeoutSeconds"] = 7
    text = json.dumps(document)
    return text.replace('"timeoutSeconds": 7', '"timeoutSeconds": 1, "timeoutSeconds": 7').encode()


def warnings_of(reply: Reply) -> list[str]:
    found = reply.headers.getall("Warning", [])  # type: ignore[attr-defined]
    texts = [text.removeprefix('299 - "').removesuffix('"').replace('\\"', '"') for text in found]
    return [text for text in texts if " field " in text]


async def ask(api: Api, method: str, query: str) -> Reply:
    """Write the flawed Service in one of the three ways."""
    if method == "POST":
        return await api.call("POST", SERVICES + query, flawed())
    stored = await make(api)
    path = f"{SERVICES}/hello{query}"
    if method == "PUT":
        kept = {name: stored["metadata"][name] for name in ("annotations", "resourceVersion")}
        return await api.call("PUT", path, flawed(**kept))
    return await api.call("PATCH", path, flawed(), Content_Type=MERGE)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("query", ["", "?fieldValidation=Warn", "?fieldValidation="])
def test_warn_is_the_default_and_names_them_all(tmp_path: Path, method: str, query: str) -> None:
    async def scenario(api: Api) -> None:
        reply = await ask(api, method, query)
        assert reply.code in (200, 201), reply.body
        assert warnings_of(reply) == list(PROBLEMS)
        spec = reply.json["spec"]
        assert "trafic" not in spec
        assert spec["template"]["spec"]["timeoutSeconds"] == 7  # the last one counts

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_ignore_drops_them_without_a_word(tmp_path: Path, method: str) -> None:
    async def scenario(api: Api) -> None:
        reply = await ask(api, method, "?fieldValidation=Ignore")
        assert reply.code in (200, 201)
        assert warnings_of(reply) == []
        assert "owner" not in reply.json["metadata"]

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_strict_refuses_with_all_of_them(tmp_path: Path, method: str) -> None:
    async def scenario(api: Api) -> None:
        reply = await ask(api, method, "?fieldValidation=Strict")
        assert reply.said == (
            400,
            "BadRequest",
            'Service in version "v1" cannot be handled as a Service: strict decoding error: '
            + ", ".join(PROBLEMS),
        )

    run_with_api(tmp_path, scenario)


def test_a_strict_patch_is_invalid_and_shows_what_it_makes(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        reply = await ask(api, "PATCH", "?fieldValidation=Strict")
        code, reason, message = reply.said
        assert (code, reason) == (422, "Invalid")
        assert message.startswith(' "" is invalid: patch: Invalid value: "{')
        assert message.endswith("strict decoding error: " + ", ".join(PROBLEMS))
        (cause,) = reply.json["details"]["causes"]
        assert (cause["field"], cause["reason"]) == ("patch", "FieldValueInvalid")

    run_with_api(tmp_path, scenario)


def test_a_json_patch_is_checked_too(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        patch = b'[{"op":"add","op":"add","path":"/spec/foo","value":1}]'
        warned = await api.call("PATCH", f"{SERVICES}/hello", patch, Content_Type=JSON_PATCH)
        said = ['json patch duplicate field "[0].op"', 'unknown field "spec.foo"']
        assert (warned.code, warnings_of(warned)) == (200, said)
        path = f"{SERVICES}/hello?fieldValidation=Strict"
        strict = await api.call("PATCH", path, patch, Content_Type=JSON_PATCH)
        assert strict.said[0] == 422
        assert strict.said[2].endswith("strict decoding error: " + ", ".join(said))

    run_with_api(tmp_path, scenario)


def test_another_value_is_invalid(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("POST", f"{SERVICES}?fieldValidation=strict", manifest())
        code, reason, message = reply.said
        assert (code, reason) == (422, "Invalid")
        assert message == (
            'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "strict":'
            ' supported values: "", "Ignore", "Strict", "Warn"'
        )

    run_with_api(tmp_path, scenario)


def test_what_the_schema_lets_pass_is_no_mistake(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        document = manifest("hello", selfLink="/x")
        document["spec"]["template"]["metadata"] = {"anything": 1}
        reply = await api.call("POST", f"{SERVICES}?fieldValidation=Strict", document)
        assert reply.code == 201, reply.body

    run_with_api(tmp_path, scenario)

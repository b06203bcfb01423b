"""Server-side apply over HTTPS, and whose the fields are after every other write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.resources.core import ConfigMap
from simulator.resources.serving import Service
from tests.support.api import SERVICES, Api, Reply, make, manifest, run_with_api

HELLO = f"{SERVICES}/hello"
MAP = "/api/v1/namespaces/default/configmaps/conf"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


async def apply(api: Api, path: str, config: Any, query: str = "fieldManager=one") -> Reply:
    return await api.call("PATCH", f"{path}?{query}", config, Content_Type=APPLY)


def config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": data}


def owners(reply: Reply) -> list[tuple[str, str, str, Any]]:
    return [
        (one["manager"], one["operation"], one.get("subresource", ""), one["fieldsV1"])
        for one in reply.json["metadata"].get("managedFields", [])
    ]


SPEC_FIELDS = {
    ".": {},
    "f:template": {".": {}, "f:spec": {".": {}, "f:containers": {}}},
}


def test_an_apply_makes_what_is_not_there_and_what_the_webhook_adds_is_nobodys(
    tmp_path: Path,
) -> None:
    async def scenario(api: Api) -> None:
        made = await apply(api, HELLO, manifest())
        assert made.code == 201
        assert made.json["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
        assert owners(made) == [
            ("one", "Apply", "", {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}})
        ]
        again = await apply(api, HELLO, manifest())
        assert (again.code, again.json) == (200, made.json), "no new version either"

    run_with_api(tmp_path, scenario)


def test_a_configuration_may_be_yaml(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: '1'}\n"
        made = await apply(api, MAP, text)
        assert (made.code, made.json["data"]) == (201, {"a": "1"})

    run_with_api(tmp_path, scenario)


def test_conflicts_are_refused_and_force_takes_the_fields(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await apply(api, MAP, config_map(a="1", b="1"))
        refused = await apply(api, MAP, config_map(a="2"), "fieldManager=two")
        assert refused.said == (
            409,
            "Conflict",
            'Apply failed with 1 conflict: conflict with "one": .data.a',
        )
        forced = await apply(api, MAP, config_map(a="2"), "fieldManager=two&force=true")
        assert forced.json["data"] == {"a": "2", "b": "1"}
        assert owners(forced) == [
            ("one", "Apply", "", {"f:data": {"f:b": {}}}),
            ("two", "Apply", "", {"f:data": {"f:a": {}}}),
        ]
        less = await apply(api, MAP, config_map(), "fieldManager=one")
        assert less.json["data"] == {"a": "2"}

    run_with_api(tmp_path, scenario)


def test_every_write_says_whose_the_fields_are(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        agent = {"User_Agent": "kn/v1 (linux/amd64) kubernetes/x"}
        made = await api.call("POST", SERVICES, manifest(), **agent)
        assert owners(made) == [("kn", "Update", "", {"f:spec": SPEC_FIELDS})]
        patch = {"metadata": {"labels": {"a": "b"}}}
        labelled = await api.call(
            "PATCH", f"{HELLO}?fieldManager=labels", patch, Content_Type=MERGE
        )
        labels = {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}}
        assert owners(labelled)[1] == ("labels", "Update", "", labels)
        document = labelled.json
        document["status"] = {"url": "http://a"}
        status = await api.call("PUT", f"{HELLO}/status", document, **agent)
        assert ("kn", "Update", "", {"f:spec": SPEC_FIELDS}) in owners(status)
        assert ("kn", "Update", "status", {"f:status": {".": {}, "f:url": {}}}) in owners(status)
        document = status.json
        del document["metadata"]["labels"]
        document["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"
        put = await api.call("PUT", HELLO, document, User_Agent="put/1")
        assert [(name, sub) for name, _, sub, _ in owners(put)] == [
            ("kn", ""),
            ("kn", "status"),
            ("put", ""),
        ]
        left = {".": {}, "f:template": {".": {}, "f:spec": {}}}
        assert owners(put)[0][3] == {"f:spec": left}
        assert owners(put)[2][3] == {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}

    run_with_api(tmp_path, scenario)


def test_entries_are_kept_for_who_does_not_know_them_and_forgotten_when_asked(
    tmp_path: Path,
) -> None:
    async def scenario(api: Api) -> None:
        made = (await apply(api, MAP, config_map(a="1"))).json
        kept = made["metadata"]["managedFields"]
        del made["metadata"]["managedFields"]
        put = await api.call("PUT", MAP, made)
        assert put.json["metadata"]["managedFields"] == kept
        foreign = made | {"metadata": made["metadata"] | {"managedFields": [{"manager": "x"}]}}
        foreign["metadata"]["resourceVersion"] = put.json["metadata"]["resourceVersion"]
        assert (await api.call("PUT", MAP, foreign)).json["metadata"]["managedFields"] == kept
        own = [kept[0] | {"manager": "mine"}]
        patch = {"metadata": {"managedFields": own}}
        mine = await api.call("PATCH", MAP, patch, Content_Type=MERGE)
        assert owners(mine) == [("mine", "Apply", "", {"f:data": {"f:a": {}}})]
        reset = {"metadata": {"managedFields": [{}]}}
        none = await api.call("PATCH", MAP, reset, Content_Type=MERGE)
        assert "managedFields" not in none.json["metadata"]
        more = {"data": {"b": "2"}}
        after = await api.call("PATCH", MAP, more, Content_Type=MERGE)
        assert owners(after) == []
        applied = await apply(api, MAP, config_map(c="3"))
        assert [one[0] for one in owners(applied)] == ["one", "before-first-apply"]

    run_with_api(tmp_path, scenario)


def test_a_status_is_applied_at_its_own_path(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        config = {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": "hello", "labels": {"a": "b"}},
            "status": {"url": "http://a"},
        }
        there = await apply(api, f"{HELLO}/status", config)
        assert there.code == 200
        assert there.json["status"] == {"url": "http://a"}
        assert "labels" not in there.json["metadata"]
        assert ("one", "Apply", "status", {"f:status": {"f:url": {}}}) in owners(there)
        other = config | {"status": {"url": "http://b"}}
        refused = await apply(api, f"{HELLO}/status", other, "fieldManager=two")
        assert 'conflict with "one" with subresource "status": .status.url' in refused.said[2]
        none = config | {"metadata": {"name": "none"}}
        assert (await apply(api, f"{SERVICES}/none/status", none)).code == 404

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("change", "query", "code", "message"),
    [
        pytest.param(
            {},
            "",
            422,
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for'
            " apply patch",
            id="no manager",
        ),
        pytest.param(
            {},
            "fieldManager=" + "m" * 129,
            422,
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than'
            " 128 bytes",
            id="a manager without end",
        ),
        pytest.param(
            {},
            "fieldManager=a%00b",
            422,
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\x00b":'
            " invalid character U+0000 (at position 1)",
            id="a manager that cannot be printed",
        ),
        pytest.param(
            {"kind": "Secret"},
            "fieldManager=one",
            400,
            "invalid object type: /v1, Kind=Secret",
            id="another kind",
        ),
        pytest.param(
            {"metadata": {"name": "conf", "managedFields": []}},
            "fieldManager=one",
            400,
            "metadata.managedFields must be nil",
            id="entries",
        ),
        pytest.param(
            {"foo": 1},
            "fieldManager=one",
            500,
            "failed to create typed patch object (/conf; /v1, Kind=ConfigMap): .foo: field not"
            " declared in schema",
            id="an unknown field",
        ),
        pytest.param(
            {"metadata": {"name": "other"}},
            "fieldManager=one",
            400,
            "the name of the object (other) does not match the name on the URL (conf)",
            id="another name",
        ),
        pytest.param(
            {"metadata": {}},
            "fieldManager=one",
            400,
            "the name of the object (conf based on URL) was undeterminable: name must be provided",
            id="no name",
        ),
        pytest.param(
            {"metadata": {"name": "conf", "uid": "u"}},
            "fieldManager=one",
            409,
            'Operation cannot be fulfilled on configmaps "conf": uid mismatch: the provided object'
            " specified uid u, and no existing object was found",
            id="an object that was there once",
        ),
    ],
)
def test_what_cannot_be_applied(
    tmp_path: Path, change: dict[str, Any], query: str, code: int, message: str
) -> None:
    async def scenario(api: Api) -> None:
        reply = await apply(api, MAP, config_map() | change, query)
        assert (reply.code, reply.json["message"]) == (code, message)
        assert api.store.get(ConfigMap, "default", "conf") is None

    run_with_api(tmp_path, scenario)


def test_a_configuration_may_name_the_version_and_the_object(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = (await apply(api, MAP, config_map(a="1"))).json["metadata"]

        def named(**metadata: str) -> dict[str, Any]:
            return config_map(a="2") | {"metadata": {"name": "conf"} | metadata}

        assert (await apply(api, MAP, named(resourceVersion="1"))).code == 409
        assert (await apply(api, MAP, named(uid="other"))).code == 409
        right = named(resourceVersion=made["resourceVersion"], uid=made["uid"])
        assert (await apply(api, MAP, right)).code == 200

    run_with_api(tmp_path, scenario)


def test_a_key_given_twice_is_refused_warned_of_or_overlooked(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        body = json.dumps(config_map(a="1")).replace('"a": "1"', '"a": "1", "a": "2"').encode()
        strict = await apply(api, MAP, body, "fieldManager=one&fieldValidation=Strict")
        assert strict.said == (
            400,
            "BadRequest",
            'error strict decoding patch: duplicate field "data.a"',
        )
        warned = await apply(api, MAP, body)
        assert warned.code == 201
        assert 'duplicate field \\"data.a\\"' in warned.headers["Warning"]
        ignored = await apply(api, MAP, body, "fieldManager=one&fieldValidation=Ignore")
        assert "Warning" not in ignored.headers

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"a: [", b"a: &x 1\nb: *x", b"--- {}\n--- {}"])
def test_what_is_no_configuration_is_refused(tmp_path: Path, body: bytes) -> None:
    async def scenario(api: Api) -> None:
        assert (await apply(api, MAP, body)).said[:2] == (400, "BadRequest")

    run_with_api(tmp_path, scenario)


def test_a_dry_run_of_an_apply_stores_nothing(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        dry = "fieldManager=one&dryRun=All"
        would = await apply(api, HELLO, manifest(), dry)
        assert (would.code, would.json["metadata"]["generation"]) == (201, 1)
        assert api.store.list(Service) == ()
        await apply(api, HELLO, manifest())
        version = api.store.version
        changed = manifest()
        changed["metadata"]["labels"] = {"a": "b"}
        assert (await apply(api, HELLO, changed, dry)).json["metadata"]["labels"] == {"a": "b"}
        assert api.store.version == version

    run_with_api(tmp_path, scenario)


def test_knatives_webhook_refuses_what_is_applied_too(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        bad = manifest()
        bad["spec"]["traffic"] = [{"percent": 50, "latestRevision": True}]
        assert "admission webhook" in (await apply(api, HELLO, bad)).said[2]

    run_with_api(tmp_path, scenario)

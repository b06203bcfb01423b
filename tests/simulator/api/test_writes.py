"""Create and update over HTTPS; dry runs of every verb."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from simulator.resources.core import CONTENTS_FINALIZER, Namespace, Pod, PodTemplateSpec
from simulator.resources.meta import Key, ObjectMeta
from simulator.resources.podspec import Container
from simulator.resources.serving import Service
from tests.support.api import SERVICES, Api, make, manifest, run_with_api

HELLO = f"{SERVICES}/hello"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
MODIFIED = (
    'Operation cannot be fulfilled on services.serving.knative.dev "hello": the object has been'
    " modified; please apply your changes to the latest version and try again"
)


def test_a_create_defaults_stores_and_answers_201(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        body = manifest() | {"status": {"url": "http://made.up"}}
        reply = await api.call("POST", SERVICES, body)
        assert reply.code == 201
        made = reply.json
        assert made == (await api.call("GET", HELLO)).json
        assert made["metadata"]["namespace"] == "default"
        assert made["metadata"]["annotations"]["serving.knative.dev/creator"] == "knary-admin"
        assert made["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
        assert made["status"] == {}
        again = await api.call("POST", SERVICES, manifest())
        assert again.said == (
            409,
            "AlreadyExists",
            'services.serving.knative.dev "hello" already exists',
        )

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param({"metadata": {"name": "x", "namespace": "other"}}, 400, "namespace", id="ns"),
        pytest.param({"metadata": {}}, 422, "name or generateName is required", id="no name"),
        pytest.param({"metadata": {"name": "Bad_Name"}}, 422, "metadata.name", id="bad name"),
        pytest.param(
            {"metadata": {"name": "x", "resourceVersion": "3"}}, 400, "resourceVersion", id="rv"
        ),
        pytest.param({"kind": "Route"}, 422, "must be Service", id="another kind"),
        pytest.param({"spec": {}}, 422, "spec.template.spec.containers", id="schema"),
        pytest.param({"spec": 7}, 400, "cannot unmarshal number", id="wrong type"),
        pytest.param(
            {"spec": {"template": {"spec": {"containers": []}}}},
            400,
            "missing field(s)",
            id="admission",
        ),
    ],
)
def test_a_bad_object_is_refused_and_nothing_is_stored(
    tmp_path: Path, change: dict[str, Any], code: int, message: str
) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("POST", SERVICES, manifest() | change)
        assert reply.code == code, reply.body
        assert message in reply.json["message"]
        assert api.store.list(Service) == ()

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        (None, 201),
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/yaml", 201),
        ("application/vnd.kubernetes.protobuf", 415),
        ("application/jsonx", 415),
    ],
)
def test_of_a_custom_resource_only_json_and_yaml_are_read(
    tmp_path: Path, content_type: str | None, code: int
) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("POST", SERVICES, manifest(), Content_Type=content_type)
        assert reply.code == code
        if code == 415:
            assert reply.said[1] == "UnsupportedMediaType"

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":NaN}', b"[" * 5000])
def test_what_is_no_object_is_refused(tmp_path: Path, body: bytes) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("POST", SERVICES, body)).said[:2] == (400, "BadRequest")

    run_with_api(tmp_path, scenario)


def test_a_namespace_must_be_there_and_stay(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        path = SERVICES.replace("default", "team")
        missing = await api.call("POST", path, manifest())
        assert missing.said == (404, "NotFound", 'namespaces "team" not found')
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
        made = (await api.call("POST", "/api/v1/namespaces", body)).json
        assert made["status"] == {"phase": "Active"}
        assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}
        assert made["metadata"]["finalizers"] == [CONTENTS_FINALIZER]
        assert (await api.call("POST", path, manifest())).code == 201
        going = await api.call("DELETE", "/api/v1/namespaces/team")
        assert going.json["metadata"]["deletionTimestamp"]
        refused = await api.call("POST", path, manifest("late"))
        assert refused.said[:2] == (403, "Forbidden")
        assert refused.said[2] == (
            'services.serving.knative.dev "late" is forbidden: unable to create new content in'
            " namespace team because it is being terminated"
        )
        kept = await api.call("DELETE", "/api/v1/namespaces/default")
        assert kept.said[0] == 403

    run_with_api(tmp_path, scenario)


def test_an_update_takes_the_spec_keeps_the_status_and_counts(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api)
        made["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"
        made["status"] = {"url": "http://made.up"}
        reply = await api.call("PUT", HELLO, made)
        assert reply.code == 200
        assert reply.json["metadata"]["generation"] == 2
        assert reply.json["status"] == {}
        assert (await api.call("PUT", HELLO, made)).said == (409, "Conflict", MODIFIED)
        same = await api.call("PUT", HELLO, reply.json)
        assert same.json == reply.json, "nothing changed: no new version"
        gone = await api.call("PUT", f"{SERVICES}/other", made | {"metadata": {"name": "other"}})
        assert gone.said[:2] == (404, "NotFound")

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("metadata", "code", "message"),
    [
        pytest.param({"resourceVersion": ""}, 422, "must be specified for an update", id="no rv"),
        pytest.param({"name": "other"}, 400, "does not match the name on the URL", id="name"),
        pytest.param({"namespace": "other"}, 400, "namespace of the provided object", id="ns"),
        pytest.param({"name": ""}, 400, "was undeterminable: name must be provided", id="no name"),
        pytest.param(
            {"uid": "other"},
            409,
            "StorageError: invalid object, Code: 4, Key: /registry/serving.knative.dev/services"
            "/default/hello, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in"
            " precondition: other, UID in object meta: ",
            id="uid",
        ),
        pytest.param(
            {"deletionTimestamp": "2026-01-01T00:00:00Z"},
            422,
            "metadata.deletionTimestamp: Invalid value: 2026-01-01 00:00:00 +0000 UTC: field is"
            " immutable",
            id="deleted",
        ),
        pytest.param(
            {"deletionGracePeriodSeconds": 5},
            422,
            "metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable",
            id="a grace period",
        ),
        pytest.param({"labels": {"a b": "c"}}, 422, "metadata.labels: Invalid value", id="label"),
        pytest.param(
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}]},
            422,
            "metadata.ownerReferences[0].uid: Required value: must not be empty",
            id="an owner without uid",
        ),
        pytest.param(
            {"finalizers": ["orphan", "foregroundDeletion"]},
            422,
            "finalizer orphan and foregroundDeletion cannot be both set",
            id="both policies",
        ),
    ],
)
def test_a_bad_update_is_refused(
    tmp_path: Path, metadata: dict[str, str], code: int, message: str
) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api)
        reply = await api.call("PUT", HELLO, made | {"metadata": made["metadata"] | metadata})
        assert reply.said[0] == code
        assert message in reply.said[2]

    run_with_api(tmp_path, scenario)


def test_an_owner_that_is_named_twice_is_named_once(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u"}
        body = manifest()
        body["metadata"]["ownerReferences"] = [owner, owner]
        reply = await api.call("POST", SERVICES, body)
        assert reply.json["metadata"]["ownerReferences"] == [owner]
        assert "duplicate UID(s) observed: u" in reply.headers.getall("Warning")[0]

    run_with_api(tmp_path, scenario)


def test_what_an_update_cannot_change_is_kept(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api)
        claimed = {"creationTimestamp": "2020-01-01T00:00:00Z", "generation": 9, "uid": ""}
        reply = await api.call("PUT", HELLO, made | {"metadata": made["metadata"] | claimed})
        assert reply.json == made

    run_with_api(tmp_path, scenario)


def test_core_objects_may_be_replaced_without_a_version(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        path = "/api/v1/namespaces/default/configmaps"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
        await api.call("POST", path, body)
        assert (await api.call("PUT", f"{path}/c", body | {"data": {"a": "1"}})).code == 200
        patch = {"data": {"b": "2"}}
        strategic = "application/strategic-merge-patch+json"
        patched = await api.call("PATCH", f"{path}/c", patch, Content_Type=strategic)
        assert patched.json["data"] == {"a": "1", "b": "2"}

    run_with_api(tmp_path, scenario)


def test_generated_names_are_letters_of_their_own_and_dry_runs_have_them_too(
    tmp_path: Path,
) -> None:
    async def scenario(api: Api) -> None:
        body = manifest()
        body["metadata"] = {"generateName": "hello-"}
        for query in ("", "?dryRun=All"):
            reply = await api.call("POST", SERVICES + query, body)
            assert re.fullmatch(
                "hello-[bcdfghjklmnpqrstvwxz2456789]{5}", reply.json["metadata"]["name"]
            )

    run_with_api(tmp_path, scenario)


def test_the_status_is_written_at_its_own_path_alone(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api)
        made["status"] = {"url": "http://a", "observedGeneration": 1}
        made["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"
        made["metadata"]["labels"] = {"a": "b"}
        reply = await api.call("PUT", f"{HELLO}/status", made)
        assert reply.json["status"] == {"url": "http://a", "observedGeneration": 1}
        assert reply.json["metadata"]["generation"] == 1
        assert "labels" not in reply.json["metadata"]
        patch = {"status": {"url": "http://b"}, "spec": {"traffic": []}}
        patched = await api.call("PATCH", f"{HELLO}/status", patch, Content_Type=MERGE)
        assert patched.json["status"] == {"url": "http://b", "observedGeneration": 1}
        assert patched.json["spec"] == reply.json["spec"]

    run_with_api(tmp_path, scenario)


def test_dry_runs_answer_as_if_and_store_nothing(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        dry = "?dryRun=All"
        would = await api.call("POST", SERVICES + dry, manifest())
        assert would.code == 201
        assert would.json["metadata"]["uid"]
        assert api.store.list(Service) == ()
        made = await make(api)
        assert (await api.call("POST", SERVICES + dry, manifest())).said[0] == 409
        version = api.store.version
        patch = {"metadata": {"labels": {"a": "b"}}}
        patched = await api.call("PATCH", HELLO + dry, patch, Content_Type=MERGE)
        assert patched.json["metadata"]["labels"] == {"a": "b"}
        made["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"
        assert (await api.call("PUT", HELLO + dry, made)).json["metadata"]["generation"] == 2
        assert (await api.call("DELETE", HELLO + dry)).json["status"] == "Success"
        assert (await api.call("DELETE", SERVICES, {"dryRun": ["All"]})).code == 200
        assert api.store.version == version
        assert (await api.call("POST", SERVICES + "?dryRun=Some", manifest())).said[0] == 422

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("validation", "code", "warns"),
    [("Strict", 400, False), ("Warn", 201, True), ("", 201, True), ("Ignore", 201, False)],
)
def test_unknown_fields_are_refused_warned_of_or_dropped(
    tmp_path: Path, validation: str, code: int, warns: bool
) -> None:
    async def scenario(api: Api) -> None:
        body = manifest()
        body["spec"]["foo"] = 1
        reply = await api.call("POST", f"{SERVICES}?fieldValidation={validation}", body)
        assert reply.code == code
        warnings = [value for name, value in reply.headers.items() if name == "Warning"]
        assert ('299 - "unknown field \\"spec.foo\\""' in warnings) is warns
        if code == 400:
            assert reply.said[2] == (
                'Service in version "v1" cannot be handled as a Service:'
                ' strict decoding error: unknown field "spec.foo"'
            )
        else:
            assert "foo" not in reply.json["spec"]
        other = await api.call("POST", f"{SERVICES}?fieldValidation=Perhaps", body)
        assert other.said[0] == 422

    run_with_api(tmp_path, scenario)


def test_pods_are_read_and_deleted_and_made_by_nobody(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        pods = "/api/v1/namespaces/default/pods"
        spec = PodTemplateSpec(containers=(Container(name="user-container"),))
        await api.store.create(Pod(metadata=ObjectMeta(name="p", namespace="default"), spec=spec))
        pod = (await api.call("GET", f"{pods}/p")).json
        message = (
            "the server does not allow this method on the requested resource: "
            "knary makes pods itself"
        )
        for method, path in (("POST", pods), ("PUT", f"{pods}/p"), ("PATCH", f"{pods}/p")):
            reply = await api.call(method, path, pod)
            assert reply.said == (405, "MethodNotAllowed", message)
        assert (await api.call("DELETE", f"{pods}/p")).json["status"] == "Success"
        assert api.store.get(Pod, *Key("default", "p")) is None
        assert api.store.get(Namespace, "", "default") is not None

    run_with_api(tmp_path, scenario)

"""Knative's rules that show only over HTTP: headers, subresources, dry runs, who asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.resources.core import ConfigMap, Namespace
from simulator.resources.meta import ObjectMeta
from simulator.resources.serving import Service
from tests.support.api import SERVICES, Api, Reply, make, manifest, run_with_api

HELLO = f"{SERVICES}/hello"
MERGE = "application/merge-patch+json"
INSECURE = (
    '299 - "Kubernetes default value is insecure, Knative may default this to secure in a future'
    " release: spec.template.spec.containers[0].securityContext.allowPrivilegeEscalation,"
    " spec.template.spec.containers[0].securityContext.capabilities,"
    " spec.template.spec.containers[0].securityContext.runAsNonRoot,"
    ' spec.template.spec.containers[0].securityContext.seccompProfile"'
)


def warnings_of(reply: Reply) -> list[str]:
    return [value for name, value in reply.headers.items() if name == "Warning"]


async def patch(api: Api, path: str, body: Any) -> Reply:
    return await api.call("PATCH", path, body, Content_Type=MERGE)


def test_a_warning_of_admission_is_a_header_of_the_answer(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        created = await api.call("POST", SERVICES, manifest())
        assert created.code == 201
        assert warnings_of(created) == [INSECURE]
        assert warnings_of(await patch(api, HELLO, {"metadata": {"labels": {"a": "b"}}})) == [
            INSECURE
        ]

    run_with_api(tmp_path, scenario)


def test_what_is_refused_is_warned_of_too(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        body = manifest(image="")
        body["spec"]["foo"] = 1
        refused = await api.call("POST", SERVICES, body)
        assert "missing field(s)" in refused.said[2]
        assert warnings_of(refused) == ['299 - "unknown field \\"spec.foo\\""', INSECURE]
        body["spec"]["template"] = 1
        refused = await api.call("POST", SERVICES, body)
        assert "cannot unmarshal number" in refused.said[2]
        assert warnings_of(refused) == ['299 - "unknown field \\"spec.foo\\""']

    run_with_api(tmp_path, scenario)


def test_a_status_is_written_though_the_spec_would_be_refused_by_now(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        await api.store.create(Namespace(metadata=ObjectMeta(name="knative-serving")))
        limits = {"revision-timeout-seconds": "10", "max-revision-timeout-seconds": "10"}
        meta = ObjectMeta(name="config-defaults", namespace="knative-serving")
        await api.store.create(ConfigMap(metadata=meta, data=limits))
        refused = await patch(api, HELLO, {"metadata": {"labels": {"a": "b"}}})
        assert "expected 0 <= 300 <= 10: spec.template.spec.timeoutSeconds" in refused.said[2]
        told = await patch(api, f"{HELLO}/status", {"status": {"url": "http://hello"}})
        assert told.code == 200
        assert told.json["status"]["url"] == "http://hello"
        assert told.json["metadata"]["generation"] == 1

    run_with_api(tmp_path, scenario)


def test_the_dry_run_annotation_changes_nothing_and_a_servers_dry_run_validates(
    tmp_path: Path,
) -> None:
    async def scenario(api: Api) -> None:
        key = "features.knative.dev/podspec-dryrun"
        good = manifest(annotations={key: "strict"})
        assert (await api.call("POST", f"{SERVICES}?dryRun=All", good)).code == 201
        assert api.store.list(Service) == ()
        assert (await api.call("POST", SERVICES, good)).json["metadata"]["annotations"][key]
        bad = manifest("other", image="")
        refused = await api.call("POST", f"{SERVICES}?dryRun=All", bad)
        assert refused.said[2].endswith(
            "validation failed: missing field(s): spec.template.spec.containers[0].image"
        )

    run_with_api(tmp_path, scenario)


def test_who_asked_is_noted_and_nobody_may_say_otherwise(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        forged = {"serving.knative.dev/creator": "eve", "serving.knative.dev/lastModifier": "eve"}
        made = await make(api, annotations=forged)
        signed = dict.fromkeys(forged, "knary-admin")
        assert made["metadata"]["annotations"] == signed
        refused = await patch(api, HELLO, {"metadata": {"annotations": forged}})
        assert refused.said[2].endswith(
            "validation failed: annotation value is immutable:"
            " metadata.annotations.serving.knative.dev/creator\n"
            "invalid value: eve: metadata.annotations.serving.knative.dev/lastModifier"
        )

    run_with_api(tmp_path, scenario)


def test_a_strict_client_is_told_of_unknown_fields_before_any_webhook_reads_the_object(
    tmp_path: Path,
) -> None:
    async def scenario(api: Api) -> None:
        body = manifest()
        body["spec"]["foo"] = 1
        body["spec"]["template"]["spec"]["timeoutSeconds"] = "long"
        strict = await api.call("POST", f"{SERVICES}?fieldValidation=Strict", body)
        assert strict.said == (
            400,
            "BadRequest",
            (
                'Service in version "v1" cannot be handled as a Service:'
                ' strict decoding error: unknown field "spec.foo"'
            ),
        )
        lenient = await api.call("POST", SERVICES, body)
        assert lenient.said[2] == (
            'admission webhook "webhook.serving.knative.dev" denied the request: mutation failed:'
            " cannot decode incoming new object: json: cannot unmarshal string into Go struct field"
            " RevisionSpec.spec.template.spec.timeoutSeconds of type int64"
        )

    run_with_api(tmp_path, scenario)

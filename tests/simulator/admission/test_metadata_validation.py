"""The rules of metadata, in Kubernetes' and Knative's words (table 2.3 of its behaviour)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contract import SPLITTERS
from simulator.admission.admit import admit
from simulator.errors import Invalid
from simulator.resources.core import Namespace
from simulator.resources.meta import ObjectMeta
from simulator.resources.stickiness import FORMS
from tests.support.manifests import (
    Document,
    admitted,
    configuration,
    edited,
    refusal,
    revision,
    route,
    service,
)

DNS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
TO_LATEST = [{"percent": 100, "configurationName": "x"}]
ANNOTATIONS = "spec.template.metadata.annotations"
SIDECAR = "queue.sidecar.serving.knative.dev"


def annotated(key: str, value: str) -> Document:
    return service(annotations={key: value})


def template(**annotations: str) -> Document:
    return service(template={"annotations": annotations})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(
            edited(service(), "metadata.name", "1abc"),
            f"not a DNS 1035 label: [{DNS_1035}]: metadata.name",
            id="a name that begins with a digit",
        ),
        pytest.param(
            edited(service(), "metadata.name", "a." + "b" * 62),
            f"not a DNS 1035 label: [must be no more than 63 characters {DNS_1035}]: metadata.name",
            id="two problems in one list",
        ),
        pytest.param(
            edited(edited(service(), "metadata.name", ""), "metadata.generateName", "1a-"),
            f"not a DNS 1035 label prefix: [{DNS_1035}]: metadata.generateName",
            id="a prefix that begins with a digit",
        ),
        *(
            pytest.param(
                edited(
                    document, "metadata.annotations", {"autoscaling.knative.dev/min-scale": "1"}
                ),
                'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\n'
                'autoscaling annotations must be put under "spec.template.metadata.annotations"'
                " to work",
                id=f"an autoscaling annotation on a {document['kind']}",
            )
            for document in (service(), configuration(), route(TO_LATEST))
        ),
        *(
            pytest.param(
                annotated(f"serving.knative.dev/{name}", value),
                message.format(value=value, key=f"metadata.annotations.serving.knative.dev/{name}"),
                id=f"{name}: {value}",
            )
            for name in ("rollout-duration", "rolloutDuration")
            for value, message in (
                ("10", "invalid value: {value}: {key}"),
                ("1.5s", "rollout-duration={value} is not at second precision: {key}"),
                ("-1s", "rollout-duration={value} must be positive: {key}"),
            )
        ),
        *(
            pytest.param(
                template(**{"serving.knative.dev/progress-deadline": value}),
                f"{message}: {ANNOTATIONS}.serving.knative.dev/progress-deadline",
                id=f"progress-deadline: {value}",
            )
            for value, message in (
                ("soon", "invalid value: soon"),
                ("1.5s", "progress-deadline=1.5s is not at second precision"),
                ("-1s", "progress-deadline=-1s must be positive"),
            )
        ),
        *(
            pytest.param(
                edited(document, "metadata.annotations", {"knary.dev/splitter": "dice"}),
                "invalid value: dice: metadata.annotations.knary.dev/splitter\n"
                f"it must be one of {', '.join(SPLITTERS)}",
                id=f"a splitter that is none, on a {document['kind']}",
            )
            for document in (service(), route(TO_LATEST))
        ),
        pytest.param(
            service(annotations={"knary.dev/hash-header": "X User"}),
            "invalid value: X User: metadata.annotations.knary.dev/hash-header\n"
            "it must be the name of a header, such as X-User",
            id="a header's name that is none",
        ),
        *(
            pytest.param(
                edited(document, "metadata.annotations", {"knary.dev/sticky": asked}),
                f"invalid value: {asked}: metadata.annotations.knary.dev/sticky\n{why}",
                id=f"sticky: {asked}, on a {document['kind']}",
            )
            for document in (service(), route(TO_LATEST))
            for asked, why in (
                ("yes", f"it must be {FORMS}"),
                ("", f"it must be {FORMS}"),
                (
                    "header=Host",
                    "that header names no client; want one that does, such as header=X-User",
                ),
                ("cookie=", "want a cookie's name after `cookie=`, such as cookie=shop"),
                ("cookie=a b", "want a cookie's name after `cookie=`, such as cookie=shop"),
                ("cookie=__Host-a", "browsers take a cookie of such a name over TLS alone"),
                (f"cookie={'x' * 65}", "a cookie's name has at most 64 characters here"),
            )
        ),
        pytest.param(
            template(**{f"{SIDECAR}/resource-percentage": "200"}),
            f"expected 0.1 <= 200 <= 100: {ANNOTATIONS}.[{SIDECAR}/resource-percentage]",
            id="a resource percentage out of range",
        ),
        pytest.param(
            template(**{f"{SIDECAR}/resourcePercentage": "much"}),
            f"invalid value: much: {ANNOTATIONS}.[{SIDECAR}/resourcePercentage]",
            id="a resource percentage that is none",
        ),
        pytest.param(
            template(**{f"{SIDECAR}/cpu-resource-limit": "much"}),
            f"invalid value: much: {ANNOTATIONS}.[{SIDECAR}/cpu-resource-limit]",
            id="a quantity that is none",
        ),
        pytest.param(
            template(**{"networking.knative.dev/foo": "x"}),
            f'invalid key name "networking.knative.dev/foo": {ANNOTATIONS}',
            id="an unknown networking annotation",
        ),
        *(
            pytest.param(
                edited(document, "metadata.labels", {"serving.knative.dev/service": "other"}),
                "missing field(s): metadata.labels.serving.knative.dev/service",
                id=f"a {document['kind']} that claims a service",
            )
            for document in (configuration(), route(TO_LATEST))
        ),
        pytest.param(
            revision(labels={"serving.knative.dev/configuration": "c"}),
            "missing field(s): metadata.labels.serving.knative.dev/configuration",
            id="a revision that claims a configuration",
        ),
        pytest.param(
            service(template={"name": "foo"}),
            'invalid value: "foo" must have prefix "hello-": spec.template.metadata.name',
            id="a revision's name without the prefix",
        ),
        pytest.param(
            service(template={"name": "hello-Bad_name"}),
            f"invalid value: not a DNS 1035 label: [{DNS_1035}]: spec.template.metadata.name",
            id="a revision's bad name",
        ),
        pytest.param(
            service(template={"generateName": "Bad-"}),
            "invalid value: not a DNS 1035 label prefix:"
            f" [{DNS_1035}]: spec.template.metadata.generateName",
            id="a revision's bad prefix",
        ),
        pytest.param(
            edited(
                edited(service(template={"name": "x-1"}), "metadata.name", ""),
                "metadata.generateName",
                "x-",
            ),
            "must not set the field(s): spec.template.metadata.name",
            id="a revision's name before its service has one",
        ),
    ],
)
def test_such_metadata_is_refused(document: Document, message: str) -> None:
    assert refusal(document) == message


@pytest.mark.parametrize(
    "document",
    [
        annotated("serving.knative.dev/rollout-duration", "60s"),
        annotated("serving.knative.dev/rollout-duration", ""),
        annotated("serving.knative.dev/rollout-duration", "1h30m"),
        annotated("knary.dev/splitter", "exact"),
        annotated("knary.dev/sticky", "cookie"),
        annotated("knary.dev/sticky", "cookie=shop"),
        annotated("knary.dev/sticky", "header=X-User"),
        annotated("knary.dev/sticky", "address"),
        template(**{"serving.knative.dev/progress-deadline": "5s"}),
        template(**{"networking.knative.dev/ingress.class": "x"}),
        template(**{f"{SIDECAR}/memory-resource-request": "100Mi"}),
        service(template={"name": "hello-green"}),
        configuration(
            labels={"serving.knative.dev/service": "s"},
            ownerReferences=[{"apiVersion": "x", "kind": "Service", "name": "s", "uid": "1"}],
        ),
    ],
    ids=str,
)
def test_such_metadata_is_taken(document: Document) -> None:
    admitted(document)


def test_who_made_an_object_cannot_be_rewritten() -> None:
    old = admitted(service()).object
    kept = old.metadata.annotations
    path = "metadata.annotations.serving.knative.dev"
    changed = service(annotations={**kept, "serving.knative.dev/creator": "eve"})
    changed["spec"]["template"]["spec"]["enableServiceLinks"] = False
    assert refusal(changed, old) == f"annotation value is immutable: {path}/creator"
    changed = service(annotations={**kept, "serving.knative.dev/lastModifier": "eve"})
    changed["spec"]["template"]["spec"]["enableServiceLinks"] = False
    assert refusal(changed, old) == f"invalid value: eve: {path}/lastModifier"


@pytest.mark.parametrize(
    ("metadata", "field", "message"),
    [
        pytest.param(
            {"name": "Hello"}, "metadata.name", 'Invalid value: "Hello": a lowercase RFC 1123 sub',
            id="a name in upper case",
        ),
        pytest.param(
            {}, "metadata.name", "Required value: name or generateName is required", id="no name"
        ),
        pytest.param(
            {"generateName": "-x"}, "metadata.generateName", 'Invalid value: "-x": a lowercase',
            id="a bad prefix",
        ),
        pytest.param(
            {"name": "x", "labels": {"a": "b c"}}, "metadata.labels",
            'Invalid value: "b c": a valid label must be', id="a label's value",
        ),
        pytest.param(
            {"name": "x", "labels": {"b c": ""}}, "metadata.labels",
            'Invalid value: "b c": name part must consist', id="a label's key",
        ),
        pytest.param(
            {"name": "x", "annotations": {"/x": ""}}, "metadata.annotations",
            'Invalid value: "/x": prefix part must be non-empty', id="an annotation's key",
        ),
        pytest.param(
            {"name": "x", "annotations": {"x": "y" * 262_144}}, "metadata.annotations",
            "Too long: may not be more than 262144 bytes", id="annotations beyond their size",
        ),
        pytest.param(
            {"name": "x", "finalizers": ["no good"]}, "metadata.finalizers",
            'Invalid value: "no good": name part', id="a finalizer",
        ),
    ],
)  # fmt: skip
def test_what_any_api_server_refuses_is_invalid(
    metadata: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(Invalid) as refused:
        admitted(edited(service(), "metadata", metadata))
    assert refused.value.details is not None
    (cause,) = refused.value.details["causes"]
    assert cause["field"] == field
    assert cause["message"].startswith(message)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        pytest.param("My_Team", "a lowercase RFC 1123 label must consist of", id="bad characters"),
        pytest.param("my.team", "must not contain dots", id="a dot"),
        pytest.param("a" * 64, "must be no more than 63 characters", id="too long"),
    ],
)
def test_a_namespace_is_named_by_a_dns_1123_label(name: str, complaint: str) -> None:
    with pytest.raises(Invalid) as refused:
        admit(Namespace(metadata=ObjectMeta(name=name)), None, "ann")
    assert refused.value.message.startswith(
        f'Namespace "{name}" is invalid: metadata.name: Invalid value: "{name}": {complaint}'
    )
    team = Namespace(metadata=ObjectMeta(name="team-1"))
    assert admit(team, None, "ann").object == team


CANARY = [{"revisionName": "hello-1", "percent": 99}, {"latestRevision": True, "percent": 1}]
PERCENT = "metadata.annotations.knary.dev/traffic-percent"
BAD_PERCENTS = [
    ("x", "invalid value: x: {key}\nwant NAME=PERCENT for each revision, such as hello-00002=0.1"),
    (
        "hello-1=99.999,@latest=0.001",
        "invalid value: {text}: {key}\n99.999 of hello-1 is none of 0.01 to 100 in steps of 0.01",
    ),
    (
        "hello-1=100,@latest=0",
        "invalid value: {text}: {key}\n0 of @latest is none of 0.01 to 100 in steps of 0.01",
    ),
    ("hello-1=50,hello-1=50", "invalid value: {text}: {key}\nhello-1 is named twice"),
    ("hello-1=99.9,@latest=0.2", "Traffic targets sum to 100.1, want 100: {key}"),
]


@pytest.mark.parametrize(("text", "message"), BAD_PERCENTS, ids=[text for text, _ in BAD_PERCENTS])
def test_finer_percents_that_are_none_are_refused(text: str, message: str) -> None:
    document = service(traffic=CANARY, annotations={"knary.dev/traffic-percent": text})
    assert refusal(document) == message.format(text=text, key=PERCENT)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello-1=99.9,@latest=0.1", ""),
        ("hello-1=99.99,@latest=0.01", ""),
        ("hello-1=98,@latest=2", "hello-1 has 99 percent, a point or more away"),
        ("hello-1=99.9,hello-2=0.1", "@latest has 1 percent and is not named"),
        ("hello-1=99,@latest=0.9,hello-3=0.1", "hello-3 has no percent"),
    ],
)
def test_finer_percents_that_do_not_fit_are_a_warning(text: str, why: str) -> None:
    """A rollback changes the traffic alone: it must not be refused for its annotation."""
    document = service(traffic=CANARY, annotations={"knary.dev/traffic-percent": text})
    effect = "the whole percents of spec.traffic are in force"
    warnings = [one for one in admitted(document).warnings if PERCENT in one]
    assert warnings == ([f"{effect}, as {why}: {PERCENT}"] if why else [])

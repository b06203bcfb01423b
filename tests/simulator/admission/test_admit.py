"""Admission as a whole: every complaint at once, warnings apart, and nothing else ever raised."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.admission.admit import admit
from simulator.admission.settings import Defaults
from simulator.errors import BadRequest, Invalid
from simulator.resources.decoding import decode
from simulator.resources.scheme import KINDS, KindInfo, from_document, to_document
from tests.simulator.resources.test_decoding import NEAR_MISSES
from tests.support.manifests import DENIED, admitted, container, refusal, service

INSECURE = (
    "Kubernetes default value is insecure, Knative may default this to secure in a future release"
)
CONTEXT = "spec.template.spec.containers[0].securityContext"
SECURE = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "capabilities": {"drop": ["ALL"]},
}


def test_all_complaints_come_at_once_in_order() -> None:
    document = service(
        traffic=[{"percent": 90}],
        annotations={"knary.dev/splitter": "dice"},
        template={"name": "foo", "annotations": {"autoscaling.knative.dev/min-scale": "x"}},
        containers=[container(image="", env=[{"name": "PORT"}, {"name": ""}])],
        timeoutSeconds=601,
    )
    first = "spec.template.spec.containers[0]"
    scale = "spec.template.metadata.annotations.autoscaling.knative.dev/min-scale"
    assert refusal(document).splitlines() == [
        f'"PORT" is a reserved environment variable: {first}.env[0].name',
        "Traffic targets sum to 90, want 100: spec.traffic",
        "expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds",
        'invalid value: "foo" must have prefix "hello-": spec.template.metadata.name',
        "invalid value: dice: metadata.annotations.knary.dev/splitter",
        "it must be one of stratified, random, exact, smooth-wrr, edf, static-stride, hash-ranges",
        f"invalid value: x: {scale}",
        f"missing field(s): {first}.env[1].name, {first}.image",
    ]


def test_a_refusal_is_a_bad_request_of_the_webhook_without_details() -> None:
    with pytest.raises(BadRequest) as refused:
        admitted(service(traffic=[{"percent": 90}]))
    assert refused.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"{DENIED}Traffic targets sum to 90, want 100: spec.traffic",
        "reason": "BadRequest",
        "code": 400,
    }


@pytest.mark.parametrize(
    ("context", "paths"),
    [
        pytest.param(
            None,
            [
                f"{CONTEXT}.allowPrivilegeEscalation",
                f"{CONTEXT}.capabilities",
                f"{CONTEXT}.runAsNonRoot",
                f"{CONTEXT}.seccompProfile",
            ],
            id="no security context",
        ),
        pytest.param(SECURE, [], id="a secure one"),
        pytest.param(
            {**SECURE, "capabilities": {}, "seccompProfile": {}},
            [f"{CONTEXT}.capabilities.drop", f"{CONTEXT}.seccompProfile.type"],
            id="empty parts",
        ),
    ],
)
def test_insecure_defaults_are_warned_of_and_taken(
    context: dict[str, Any] | None, paths: list[str]
) -> None:
    document = service(containers=[container(securityContext=context)])
    expected = (f"{INSECURE}: {', '.join(paths)}",) if paths else ()
    assert admitted(document).warnings == expected


def test_a_misspelt_capability_is_warned_of() -> None:
    context = {**SECURE, "capabilities": {"drop": ["all"]}}
    (warning,) = admitted(service(containers=[container(securityContext=context)])).warnings
    assert warning == f"invalid value: all: {CONTEXT}.capabilities.drop\nMust be spelled as 'ALL'"


def test_secure_defaults_silence_the_warning() -> None:
    enabled = Defaults(features=frozenset({"multi-container", "secure-pod-defaults"}))
    assert admitted(service(), defaults=enabled).warnings == ()


def test_a_deprecated_annotation_is_warned_of() -> None:
    key = "queue.sidecar.serving.knative.dev/resource-percentage"
    document = service(
        template={"annotations": {key: "50"}}, containers=[container(securityContext=SECURE)]
    )
    (warning,) = admitted(document).warnings
    # It has no path: Knative forgets to name the field.
    assert warning == (
        "Queue proxy resource percentage annotation is deprecated. Please use the available"
        " annotations to explicitly set resource values per service: "
    )


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), NEAR_MISSES, NEAR_MISSES)
def test_whatever_decodes_is_admitted_or_refused(info: KindInfo, metadata: Any, spec: Any) -> None:
    document = {"apiVersion": info.api_version, "kind": info.kind, "spec": spec}
    document["metadata"] = metadata if isinstance(metadata, dict) else {"name": "x"}
    try:
        once = admit(decode(document, info).object, None, "ann").object
    except (BadRequest, Invalid):
        return
    stored = from_document(to_document(once))
    assert stored == once
    assert admit(stored, once, "bob").object == once

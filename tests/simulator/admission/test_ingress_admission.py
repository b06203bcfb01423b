"""Ingresses that are made by hand get networking's defaults and are held to its rules."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.resources.scheme import to_document
from simulator.store.patching import copied
from tests.support.manifests import Document, admitted, refusal

SPLIT = {"serviceNamespace": "default", "serviceName": "a", "servicePort": 80}


def ingress(**spec: Any) -> Document:
    return {
        "apiVersion": "networking.internal.knative.dev/v1alpha1",
        "kind": "Ingress",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": spec,
    }


def splitting(*splits: Document) -> Document:
    return ingress(rules=[{"hosts": ["x.example.com"], "http": {"paths": [{"splits": splits}]}}])


def test_what_is_left_out_is_filled_in() -> None:
    (rule,) = copied(to_document(admitted(splitting(SPLIT)).object))["spec"]["rules"]
    assert rule["visibility"] == "ExternalIP"
    assert rule["http"]["paths"] == [{"splits": [SPLIT | {"percent": 100}]}]


FIRST = "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(ingress(), "missing field(s): spec", id="nothing"),
        pytest.param(
            ingress(httpOption="Maybe"),
            "invalid value: Maybe: spec.httpOption\nmissing field(s): spec.rules",
            id="no rules, and an option that is none",
        ),
        pytest.param(
            ingress(rules=[{"hosts": ["x"]}]),
            "missing field(s): spec.rules[0].http.paths",
            id="no paths",
        ),
        pytest.param(
            ingress(rules=[{"http": {"paths": [{}]}}]), f"missing field(s): {FIRST}", id="no path"
        ),
        pytest.param(
            ingress(rules=[{"http": {"paths": [{"path": "/x"}]}}]),
            f"missing field(s): {FIRST}.splits",
            id="no splits",
        ),
        pytest.param(splitting({}), f"missing field(s): {FIRST}.splits[0]", id="an empty split"),
        pytest.param(
            splitting(SPLIT | {"percent": 60}, SPLIT | {"percent": 60}),
            f"traffic split percentage must total to 100, but was 120: {FIRST}.splits",
            id="too much",
        ),
        pytest.param(
            splitting(SPLIT | {"percent": -1}, {"percent": 101, "serviceName": "b"}),
            f"invalid value: -1: {FIRST}.splits[0].percent",
            id="only the first bad split is told",
        ),
        pytest.param(
            splitting({"serviceName": "a", "serviceNamespace": "other"}),
            f"missing field(s): {FIRST}.splits[0].servicePort\n"
            f"service namespace must match ingress namespace: {FIRST}.splits[0].serviceNamespace",
            id="another namespace, and no port",
        ),
        pytest.param(
            splitting({"servicePort": "http"}),
            f"missing field(s): {FIRST}.splits[0].serviceName, {FIRST}.splits[0].serviceNamespace",
            id="no service",
        ),
    ],
)
def test_such_an_ingress_is_refused(document: Document, message: str) -> None:
    assert refusal(document) == message

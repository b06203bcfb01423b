"""kn's words about mapped domains, without an instance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.cli.describing import describe_domain
from simulator.cli.domain import parse_reference

NOW = datetime(2026, 1, 1, 0, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", ("ksvc", "hello", "")),
        ("ksvc:hello", ("ksvc", "hello", "")),
        ("ksvc:hello:shop", ("ksvc", "hello", "shop")),
        ("kroute:hello", ("kroute", "hello", "")),
        ("broker:hello", ("broker", "hello", "")),
    ],
)
def test_a_reference_is_read_as_kn_reads_it(text: str, expected: tuple[str, str, str]) -> None:
    assert parse_reference(text) == expected


def mapping(**reference: str) -> dict[str, Any]:
    known = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "name": "hello",
        "namespace": "default",
    }
    return {
        "metadata": {
            "name": "www.shop.test",
            "namespace": "default",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"ref": known | reference},
        "status": {
            "url": "http://www.shop.test",
            "conditions": [
                {
                    "type": "Ready",
                    "status": "False",
                    "reason": "DomainAlreadyClaimed",
                    "message": "taken",
                    "lastTransitionTime": "2026-01-01T00:01:00Z",
                }
            ],
        },
    }


def test_a_description_has_kns_sections() -> None:
    lines = [line.rstrip() for line in describe_domain(mapping(), NOW, verbose=False)]
    assert lines == [
        "Name:       www.shop.test",
        "Namespace:  default",
        "Age:        2m",
        "",
        "URL:  http://www.shop.test",
        "",
        "Reference:",
        "  APIVersion:  serving.knative.dev/v1",
        "  Kind:        Service",
        "  Name:        hello",
        "",
        "Conditions:",
        "  OK TYPE     AGE REASON",
        "  !! Ready     1m DomainAlreadyClaimed",
    ]


def test_a_namespace_is_told_when_it_is_another_one() -> None:
    lines = describe_domain(mapping(namespace="other"), NOW, verbose=False)
    assert any(line.split() == ["Namespace:", "other"] for line in lines)

"""The rules of autoscaling annotations, in Knative's words (section 2.6 of its behaviour)."""

from __future__ import annotations

import pytest

from simulator.admission.settings import STOCK, Defaults
from tests.support.manifests import admitted, refusal, revision, service

GROUP = "autoscaling.knative.dev"
AT = f"spec.template.metadata.annotations.{GROUP}"
LIMITED = Defaults(max_scale_limit=10)


@pytest.mark.parametrize(
    ("annotations", "message", "defaults"),
    [
        ({"min-scale": "x"}, f"invalid value: x: {AT}/min-scale", STOCK),
        ({"minScale": "x"}, f"invalid value: x: {AT}/minScale", STOCK),
        ({"min-scale": "-1"}, f"expected 0 <= -1 <= 2147483647: {AT}/min-scale", STOCK),
        (
            {"max-scale": "2147483648"},
            f"expected 0 <= 2147483648 <= 2147483647: {AT}/max-scale",
            STOCK,
        ),
        (
            {"min-scale": "2", "max-scale": "1"},
            f"max-scale=1 is less than min-scale=2: {AT}/max-scale, {AT}/min-scale",
            STOCK,
        ),
        (
            {"max-scale": "0"},
            f"max-scale=0 (unlimited), must be less than 10: {AT}/max-scale",
            LIMITED,
        ),
        ({"max-scale": "11"}, f"expected 1 <= 11 <= 10: {AT}/max-scale", LIMITED),
        ({"activation-scale": "x"}, f"invalid value: x: {AT}/activation-scale", STOCK),
        (
            {"min-scale": "3", "activation-scale": "2"},
            f"min-scale=3 is greater than activation-scale=2: {AT}/activation-scale",
            STOCK,
        ),
        (
            {"max-scale": "2", "activation-scale": "3"},
            f"max-scale=2 is less than activation-scale=3: {AT}/activation-scale",
            STOCK,
        ),
        (
            {"activation-scale": "1"},
            f"activation-scale=1 must be greater than 1: {AT}/activation-scale",
            STOCK,
        ),
        ({"initial-scale": "x"}, f"invalid value: x: {AT}/initial-scale", STOCK),
        (
            {"initial-scale": "-1"},
            f"invalid value: -1: {AT}/initial-scale must be greater than 0",
            STOCK,
        ),
        (
            {"initial-scale": "0"},
            f"invalid value: 0: {AT}/initial-scale=0 not allowed by cluster",
            STOCK,
        ),
        ({"target": "0.001"}, f"target 0.001 should be at least 0.01: {AT}/target", STOCK),
        ({"target": "x"}, f"invalid value: x: {AT}/target", STOCK),
        (
            {"target-utilization-percentage": "101"},
            f"expected 1 <= 101 <= 100: {AT}/target-utilization-percentage",
            STOCK,
        ),
        ({"target-burst-capacity": "-2"}, f"invalid value: -2: {AT}/target-burst-capacity", STOCK),
        (
            {"panic-window-percentage": "0.5"},
            f"expected 1 <= 0.5 <= 100: {AT}/panic-window-percentage",
            STOCK,
        ),
        (
            {"panic-threshold-percentage": "100"},
            f"expected 110 <= 100 <= 1000: {AT}/panic-threshold-percentage",
            STOCK,
        ),
        ({"window": "1s"}, f"expected 6s <= 1s <= 1h0m0s: {AT}/window", STOCK),
        ({"window": "60"}, f"invalid value: 60: {AT}/window", STOCK),
        (
            {"window": "6500ms"},
            f"must be specified with at most second precision: {AT}/window",
            STOCK,
        ),
        (
            {"scale-down-delay": "2h"},
            f"expected 0s <= 2h <= 1h0m0s: {AT}/scale-down-delay",
            STOCK,
        ),
        (
            {"scaleDownDelay": "1ms"},
            f"must be specified with at most second precision: {AT}/scaleDownDelay",
            STOCK,
        ),
        (
            {"scale-to-zero-pod-retention-period": "-1s"},
            f"expected 0s <= -1s <= 1h0m0s: {AT}/scale-to-zero-pod-retention-period",
            STOCK,
        ),
        ({"class": f"x.{GROUP}"}, f"invalid value: x.{GROUP}: {AT}/class", STOCK),
        ({"metric": "cpu"}, f"invalid value: cpu: {AT}/metric", STOCK),
        ({"class": f"hpa.{GROUP}", "metric": ""}, f"invalid value: : {AT}/metric", STOCK),
        (
            {"class": f"kpa.{GROUP}", "metric-aggregation-algorithm": "x"},
            f"invalid value: x: {AT}/metric-aggregation-algorithm",
            STOCK,
        ),
    ],
    ids=str,
)
def test_such_annotations_are_refused(
    annotations: dict[str, str], message: str, defaults: Defaults
) -> None:
    keys = {f"{GROUP}/{name}": value for name, value in annotations.items()}
    assert refusal(service(template={"annotations": keys}), defaults=defaults) == message


@pytest.mark.parametrize(
    "annotations",
    [
        {"min-scale": "1", "max-scale": "5", "activation-scale": "2", "initial-scale": "3"},
        {"min-scale": "1", "minScale": "junk"},
        {"target": "100", "metric": "rps", "target-burst-capacity": "-1"},
        {"target-utilization-percentage": "70.5", "window": "40s", "scale-down-delay": "15m"},
        {"scale-to-zero-pod-retention-period": "1500ms"},
        {"class": f"hpa.{GROUP}", "metric": "cpu"},
        {"class": "mine.example.com", "metric": "anything", "metric-aggregation-algorithm": "x"},
        {"metric-aggregation-algorithm": "x"},
        {"class": f"kpa.{GROUP}", "metric-aggregation-algorithm": "weightedExponential"},
    ],
    ids=str,
)
def test_such_annotations_are_taken(annotations: dict[str, str]) -> None:
    keys = {f"{GROUP}/{name}": value for name, value in annotations.items()}
    admitted(service(template={"annotations": keys}))
    admitted(revision(annotations=keys))


def test_a_revision_of_its_own_is_checked_in_its_own_metadata() -> None:
    assert refusal(revision(annotations={f"{GROUP}/min-scale": "x"})) == (
        f"invalid value: x: metadata.annotations.{GROUP}/min-scale"
    )

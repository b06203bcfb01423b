"""What may not change is refused, with what changed in Knative's words."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.resources.scheme import to_document
from simulator.store.patching import copied, merge_patch
from tests.support.manifests import admitted, container, refusal, revision, service

ROOT = "{*v1.RevisionTemplateSpec}"
POD = f"{ROOT}.Spec.PodSpec"
FIRST = f"{POD}.Containers[0]"
BEFORE = admitted(
    service(
        template={"name": "hello-v1", "annotations": {"a": "1", "b": "2"}},
        containers=[
            container(env=[{"name": "A", "value": "x"}, {"name": "B", "value": "y"}], args=["run"])
        ],
    )
).object
BODY = copied(to_document(BEFORE))
(CONTAINER,) = BODY["spec"]["template"]["spec"]["containers"]


@pytest.mark.parametrize(
    ("template", "diff"),
    [
        pytest.param(
            {"spec": {"containers": [{**CONTAINER, "image": "other"}]}},
            f'{FIRST}.Image:\n\t-: "registry.example.com/hello:1"\n\t+: "other"\n',
            id="a string",
        ),
        pytest.param(
            {"spec": {"timeoutSeconds": 10}},
            f'*{ROOT}.Spec.TimeoutSeconds:\n\t-: "300"\n\t+: "10"\n',
            id="behind a pointer",
        ),
        pytest.param(
            {"spec": {"enableServiceLinks": None}},
            f'{POD}.EnableServiceLinks:\n\t-: "false"\n\t+: "<nil>"\n',
            id="a pointer that is gone",
        ),
        pytest.param(
            {"metadata": {"annotations": {"a": "9", "c": "3", "b": None}}},
            f'{ROOT}.ObjectMeta.Annotations["a"]:\n\t-: "1"\n\t+: "9"\n'
            f'{ROOT}.ObjectMeta.Annotations["b"]:\n\t-: "2"\n'
            f'{ROOT}.ObjectMeta.Annotations["c"]:\n\t+: "3"\n',
            id="keys of a map",
        ),
        pytest.param(
            {"metadata": {"labels": {"l": "1"}}},
            f'{ROOT}.ObjectMeta.Labels:\n\t-: "map[]"\n\t+: "map[l:1]"\n',
            id="a map that was empty",
        ),
        pytest.param(
            {
                "spec": {
                    "containers": [
                        {
                            **CONTAINER,
                            "env": [
                                {"name": "A", "value": "z"},
                                {"name": "B", "value": "y"},
                                {"name": "C", "value": "3"},
                            ],
                        }
                    ]
                }
            },
            f'{FIRST}.Env[0].Value:\n\t-: "x"\n\t+: "z"\n'
            f'{FIRST}.Env[?->2]:\n\t+: v1.EnvVar: "{{Name:C Value:3 ValueFrom:<nil>}}"\n',
            id="items of a list, changed and added",
        ),
        pytest.param(
            {"spec": {"containers": [{**CONTAINER, "env": [{"name": "B", "value": "y"}]}]}},
            f'{FIRST}.Env[0->?]:\n\t-: v1.EnvVar: "{{Name:A Value:x ValueFrom:<nil>}}"\n',
            id="an item removed",
        ),
        pytest.param(
            {
                "spec": {
                    "containers": [
                        {
                            **CONTAINER,
                            "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 1}},
                        }
                    ]
                }
            },
            f'{FIRST}.ReadinessProbe.ProbeHandler.TCPSocket.Port:\n\t-: "0"\n\t+: "1"\n',
            id="a probe",
        ),
    ],
)
def test_a_template_may_not_change_under_its_name(template: dict[str, Any], diff: str) -> None:
    document = merge_patch(BODY, {"spec": {"template": template}})
    assert refusal(document, BEFORE) == (
        "Saw the following changes without a name change (-old +new):"
        f" spec.template.metadata.name\n{diff}"
    )


@pytest.mark.parametrize(
    "template",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            {"metadata": {"name": "hello-v2"}, "spec": {"timeoutSeconds": 1}}, id="another name"
        ),
        pytest.param(
            {"metadata": {"name": None}, "spec": {"timeoutSeconds": 1}}, id="with none"
        ),
    ],
)  # fmt: skip
def test_a_template_may_change(template: dict[str, Any]) -> None:
    admitted(merge_patch(BODY, {"spec": {"template": template}}), BEFORE)


def test_a_revisions_spec_never_changes_but_its_metadata_may() -> None:
    old = admitted(revision()).object
    body = copied(to_document(old))
    admitted(merge_patch(body, {"metadata": {"labels": {"x": "y"}}}), old)
    # Of a changed spec nothing else is said, though the metadata is wrong as well.
    bad = {"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "x"}}}
    assert refusal(merge_patch(body, {"spec": {"containerConcurrency": 5}} | bad), old) == (
        "Immutable fields changed (-old +new): spec\n"
        '*{v1.RevisionSpec}.ContainerConcurrency:\n\t-: "0"\n\t+: "5"\n'
    )

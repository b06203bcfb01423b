"""The rules of volumes and mounts, in Knative's words (table 2.4 of its behaviour)."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from simulator.errors import BadRequest
from tests.support.manifests import Document, admitted, container, refusal, service

POD = "spec.template.spec"
FIRST = f"{POD}.containers[0]"
SECRET = {"name": "v", "secret": {"secretName": "s"}}
MOUNT = {"name": "v", "mountPath": "/data"}


def mounting(mount: Document, *volumes: Document) -> Document:
    return service(containers=[container(volumeMounts=[mount])], volumes=list(volumes))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(
            service(volumes=[SECRET]),
            f'volume with name "v" not mounted: {POD}.volumes[0].name',
            id="not mounted",
        ),
        pytest.param(
            mounting(MOUNT, {"name": "v"}),
            f"expected exactly one, got neither: {POD}.volumes[0].configMap,"
            f" {POD}.volumes[0].emptyDir, {POD}.volumes[0].projected, {POD}.volumes[0].secret",
            id="no source",
        ),
        pytest.param(
            mounting(MOUNT, {**SECRET, "emptyDir": {}}),
            f"expected exactly one, got both: {POD}.volumes[0].emptyDir, {POD}.volumes[0].secret",
            id="two sources",
        ),
        pytest.param(
            mounting(MOUNT, {"name": "v", "emptyDir": {"medium": "X"}}),
            f"invalid value: X: {POD}.volumes[0].emptyDir.medium",
            id="emptyDir's medium",
        ),
        pytest.param(
            mounting(MOUNT, {"name": "v", "emptyDir": {"sizeLimit": "-1Gi"}}),
            f"invalid value: -1Gi: {POD}.volumes[0].emptyDir.sizeLimit",
            id="emptyDir's size",
        ),
        pytest.param(
            mounting(MOUNT, {"name": "v", "image": {"pullPolicy": "X"}}),
            f"Image volume support is disabled, but found Image volume v: \n"
            f"invalid value: X: {POD}.volumes[0].image.pullPolicy\n"
            f"missing field(s): {POD}.volumes[0].image.reference\n"
            f"must not set the field(s): {POD}.volumes[0].image",
            id="an image",
        ),
        pytest.param(
            mounting({**MOUNT, "name": "V"}, {**SECRET, "name": "V"}),
            f"invalid value: V: {POD}.volumes[0].name",
            id="a volume's name",
        ),
        pytest.param(
            mounting(MOUNT, {"name": "v", "secret": {"items": [{"key": "k"}, {"path": "p"}]}}),
            f"missing field(s): {POD}.volumes[0].items[0].path, {POD}.volumes[0].items[1].key",
            id="items without a key or path",
        ),
        pytest.param(
            mounting(MOUNT, {"name": "v", "hostPath": {"path": "/"}}),
            "HostPath volume support is disabled, but found HostPath volume v: \n"
            f"must not set the field(s): {POD}.volumes[0].hostPath",
            id="a path of the host",
        ),
        pytest.param(
            mounting(
                MOUNT,
                {
                    "name": "v",
                    "projected": {
                        "sources": [
                            {},
                            {"secret": {}, "configMap": {"name": "c"}},
                            {"serviceAccountToken": {}},
                            {"downwardAPI": {"items": [{"path": "p"}]}},
                        ]
                    },
                },
            ),
            f"expected exactly one, got both: {POD}.volumes[0].projected[1].configMap,"
            f" {POD}.volumes[0].projected[1].secret\n"
            f"expected exactly one, got neither: {POD}.volumes[0].projected[0].configMap,"
            f" {POD}.volumes[0].projected[0].downwardAPI, {POD}.volumes[0].projected[0].secret,"
            f" {POD}.volumes[0].projected[0].serviceAccountToken,"
            f" {POD}.volumes[0].projected[3].downwardAPI.items[0].fieldRef,"
            f" {POD}.volumes[0].projected[3].downwardAPI.items[0].resourceFieldRef\n"
            f"missing field(s): {POD}.volumes[0].projected[1].secret.name,"
            f" {POD}.volumes[0].projected[2].serviceAccountToken.path",
            id="projected sources",
        ),
        pytest.param(
            mounting({"name": "w", "mountPath": "/x"}),
            f"volumeMount has no matching volume: {FIRST}.volumeMounts[0].name",
            id="a mount of nothing",
        ),
        pytest.param(
            mounting({"name": "v", "mountPath": ""}, SECRET),
            f"missing field(s): {FIRST}.volumeMounts[0].mountPath",
            id="no mount path",
        ),
        pytest.param(
            mounting({"name": "v", "mountPath": "rel"}, SECRET),
            f"invalid value: rel: {FIRST}.volumeMounts[0].mountPath",
            id="a relative mount path",
        ),
        *(
            pytest.param(
                mounting({"name": "v", "mountPath": path}, SECRET),
                f'mountPath "{clean}" is a reserved path: {FIRST}.volumeMounts[0].mountPath',
                id=f"reserved path {path}",
            )
            for path, clean in (("/", "/"), ("//dev/", "/dev"), ("/dev/x/../log", "/dev/log"))
        ),
        pytest.param(
            service(
                volumes=[SECRET],
                containers=[container(volumeMounts=[MOUNT, {**MOUNT, "mountPath": "/data/"}])],
            ),
            f'invalid value: "/data/" must be unique: {FIRST}.volumeMounts[1].mountPath',
            id="one path twice, spelt differently",
        ),
        pytest.param(
            mounting({**MOUNT, "mountPropagation": "None"}, SECRET),
            "Volume Mount Propagation support is disabled, but found volume mount v with mount"
            f" propagation: \nmust not set the field(s): {FIRST}.volumeMounts[0].mountPropagation",
            id="mount propagation",
        ),
    ],
)
def test_volumes_and_mounts_must_be_sound(document: Document, message: str) -> None:
    assert refusal(document) == message


def test_a_claim_is_refused_with_its_name() -> None:
    claim = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    assert refusal(mounting(MOUNT, claim)) == (
        "Persistent volume claim support is disabled, but found persistent volume claim c: \n"
        "Persistent volume write support is disabled, but found persistent volume claim c that is"
        " not read-only: \n"
        f"must not set the field(s): {POD}.volumes[0].persistentVolumeClaim"
    )


@pytest.mark.parametrize("junk", [1, "x", True, [], [1], {}, {"x": []}, {"items": "x"}])
@pytest.mark.parametrize("key", ["secret", "projected", "emptyDir", "persistentVolumeClaim"])
def test_junk_in_free_form_volumes_never_breaks_admission(key: str, junk: Any) -> None:
    document = mounting(MOUNT, {"name": "v", key: junk})
    with contextlib.suppress(BadRequest):
        admitted(document)

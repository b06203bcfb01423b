"""The rules of volumes and of how containers mount them.

Source: knative/serving `pkg/apis/serving/k8s_validation.go`, `fieldmask.go`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from simulator.admission import freeform
from simulator.admission.fielderrors import (
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_value,
    missing_field,
    missing_one_of,
    multiple_one_of,
    via_field,
    via_field_index,
    via_index,
)
from simulator.admission.settings import Defaults
from simulator.resources.names import dns_1123_label_problems
from simulator.resources.podspec import VolumeMount
from simulator.resources.wording import quoted

Volume = Mapping[str, Any]

RESERVED_PATHS = frozenset({"/", "/dev", "/dev/log"})
ALWAYS_ALLOWED = ("secret", "configMap", "projected")
# Source of a volume: the feature that allows it, and what Knative calls it when it is off.
GATED = {
    "emptyDir": ("kubernetes.podspec-volumes-emptydir", "EmptyDir volume"),
    "persistentVolumeClaim": (
        "kubernetes.podspec-persistent-volume-claim",
        "Persistent volume claim",
    ),
    "hostPath": ("kubernetes.podspec-volumes-hostpath", "HostPath volume"),
    "csi": ("kubernetes.podspec-volumes-csi", "CSI volume"),
    "ephemeral": ("kubernetes.podspec-volumes-ephemeral", "Ephemeral volume"),
    "image": ("kubernetes.podspec-volumes-image", "Image volume"),
}
SOURCES = ("secret", "configMap", "projected", *GATED)
PROJECTIONS = ("secret", "configMap", "serviceAccountToken", "downwardAPI")
WRITABLE = ("emptyDir", "persistentVolumeClaim", "ephemeral")
MOUNT_PROPAGATION = "kubernetes.podspec-volumes-mount-propagation"
PULL_POLICIES = ("", "Always", "IfNotPresent", "Never")
PERSISTENT_WRITE = "kubernetes.podspec-persistent-volume-write"


def is_writable(volume: Volume) -> bool:
    """Tell whether mounts of this volume may be other than read-only."""
    return any(freeform.is_set(volume, source) for source in WRITABLE)


def validate_volumes(
    volumes: Sequence[Volume], mounted: frozenset[str], defaults: Defaults
) -> Errors:
    """Return what is wrong with a pod's volumes; `mounted` are the names that containers mount."""
    errors = NONE
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        name = freeform.text(volume, "name")
        if name in seen:
            errors += via_index(generic(f"duplicate volume name {quoted(name)}", "name"), index)
        if name not in mounted:
            not_mounted = generic(f"volume with name {quoted(name)} not mounted", "name")
            errors += via_index(not_mounted, index)
        errors += via_index(_validate_volume(volume, defaults), index)
        seen.add(name)
    return errors


def _validate_volume(volume: Volume, defaults: Defaults) -> Errors:
    name = freeform.text(volume, "name")
    errors = _validate_gates(volume, defaults)
    # As in Knative, a bad name hides what the gates found.
    if not name:
        errors = missing_field("name")
    elif dns_1123_label_problems(name):
        errors = invalid_value(name, "name")
    errors += disallowed_fields(
        *(
            source
            for source, (feature, _) in GATED.items()
            if freeform.is_set(volume, source) and not defaults.permits(feature)
        )
    )
    errors += _validate_items(freeform.part(volume, "secret"))
    errors += _validate_items(freeform.part(volume, "configMap"))
    for index, source in enumerate(freeform.items(freeform.part(volume, "projected"), "sources")):
        errors += via_field_index(_validate_projection(source), "projected", index)
    errors += _validate_empty_dir(freeform.part(volume, "emptyDir"))
    errors += _validate_image(freeform.part(volume, "image"))
    return errors + _validate_source_count(volume, defaults)


def _validate_gates(volume: Volume, defaults: Defaults) -> Errors:
    """Return the sentences about volume types that are not enabled. They have no path."""
    errors = NONE
    claim = freeform.part(volume, "persistentVolumeClaim")
    for source, (feature, title) in GATED.items():
        if not freeform.is_set(volume, source) or feature in defaults.features:
            continue
        name = freeform.text(volume, "name")
        found = f"{title} {name}"
        if source == "persistentVolumeClaim":
            found = f"persistent volume claim {freeform.text(claim, 'claimName')}"
        errors += generic(f"{title} support is disabled, but found {found}")
    writable = claim is not None and claim.get("readOnly") is not True
    if writable and PERSISTENT_WRITE not in defaults.features:
        errors += generic(
            "Persistent volume write support is disabled, but found persistent volume claim"
            f" {freeform.text(claim, 'claimName')} that is not read-only"
        )
    return errors


def _validate_source_count(volume: Volume, defaults: Defaults) -> Errors:
    given = [source for source in SOURCES if freeform.is_set(volume, source)]
    if len(given) > 1:
        return multiple_one_of(*given)
    if given:
        return NONE
    enabled = (source for source, (feature, _) in GATED.items() if feature in defaults.features)
    return missing_one_of(*ALWAYS_ALLOWED, *enabled)


def _validate_items(source: Mapping[str, Any] | None) -> Errors:
    errors = NONE
    for index, item in enumerate(freeform.items(source, "items")):
        missing = [field for field in ("key", "path") if not freeform.text(item, field)]
        for field in missing:
            errors += via_field_index(missing_field(field), "items", index)
    return errors


def _validate_projection(source: Mapping[str, Any]) -> Errors:
    errors = NONE
    given = [projection for projection in PROJECTIONS if freeform.is_set(source, projection)]
    for projection in ("secret", "configMap"):
        below = freeform.part(source, projection)
        if below is not None:
            unnamed = NONE if freeform.text(below, "name") else missing_field("name")
            errors += via_field(unnamed + _validate_items(below), projection)
    token = freeform.part(source, "serviceAccountToken")
    if token is not None and not freeform.text(token, "path"):
        errors += via_field(missing_field("path"), "serviceAccountToken")
    downward = freeform.part(source, "downwardAPI")
    for index, item in enumerate(freeform.items(downward, "items")):
        errors += via_field(
            via_field_index(_validate_downward_item(item), "items", index), "downwardAPI"
        )
    if not given:
        return errors + missing_one_of("secret", "configMap", "serviceAccountToken", "downwardAPI")
    return errors + (multiple_one_of(*given) if len(given) > 1 else NONE)


def _validate_downward_item(item: Mapping[str, Any]) -> Errors:
    by_field, by_resource = (freeform.is_set(item, key) for key in ("fieldRef", "resourceFieldRef"))
    errors = NONE
    if not by_field and not by_resource:
        errors += missing_one_of("fieldRef", "resourceFieldRef")
    if by_field and by_resource:
        message = "Within a single item, cannot set both"
        errors += generic(message, "resourceFieldRef", "fieldRef")
    return errors if freeform.text(item, "path") else errors + missing_field("path")


def _validate_empty_dir(source: Mapping[str, Any] | None) -> Errors:
    if source is None:
        return NONE
    errors = NONE
    medium = freeform.text(source, "medium")
    if medium not in ("", "Memory"):
        errors += invalid_value(medium, "medium")
    limit = source.get("sizeLimit")
    if limit is not None and str(limit).startswith("-"):
        errors += invalid_value(limit, "sizeLimit")
    return via_field(errors, "emptyDir")


def _validate_image(source: Mapping[str, Any] | None) -> Errors:
    if source is None:
        return NONE
    errors = NONE if freeform.text(source, "reference") else missing_field("reference")
    policy = freeform.text(source, "pullPolicy")
    if policy not in PULL_POLICIES:
        errors += invalid_value(policy, "pullPolicy")
    return via_field(errors, "image")


def validate_mounts(
    mounts: Sequence[VolumeMount], volumes: Mapping[str, Volume], defaults: Defaults
) -> Errors:
    """Return what is wrong with a container's mounts of these volumes, by name."""
    errors = NONE
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        found = _validate_mount(mount, volumes.get(mount.name), defaults)
        errors += via_index(found + _validate_path(mount.mount_path, paths), index)
        paths.add(_clean(mount.mount_path))
    return errors


def _validate_mount(mount: VolumeMount, volume: Volume | None, defaults: Defaults) -> Errors:
    masked = {
        "subPathExpr": mount.sub_path_expr,
        "recursiveReadOnly": mount.recursive_read_only,
    }
    if not defaults.permits(MOUNT_PROPAGATION):
        masked["mountPropagation"] = mount.mount_propagation
    errors = disallowed_fields(*(field for field, value in masked.items() if value))
    if volume is None:
        errors += generic("volumeMount has no matching volume", "name")
    known = volume or {}
    if not is_writable(known) and not mount.read_only:
        message = "volume mount should be readOnly for this type of volume"
        errors += generic(message, "readOnly")
    if mount.mount_propagation is not None:
        errors += _validate_propagation(mount, defaults)
    claim = freeform.part(known, "persistentVolumeClaim")
    if claim and claim.get("readOnly") is True and not mount.read_only:
        errors += generic("volume is readOnly but volume mount is not", "readOnly")
    return errors


def _validate_propagation(mount: VolumeMount, defaults: Defaults) -> Errors:
    errors = NONE
    if MOUNT_PROPAGATION not in defaults.features:
        errors += generic(
            "Volume Mount Propagation support is disabled, but found volume mount"
            f" {mount.name} with mount propagation"
        )
    if mount.mount_propagation not in ("None", "HostToContainer"):
        message = "mount propagation should be set to None or HostToContainer"
        errors += generic(message, "mountPropagation")
    return errors


def _validate_path(path: str, seen: set[str]) -> Errors:
    clean = _clean(path)
    if not path:
        return missing_field("mountPath")
    if clean in RESERVED_PATHS:
        return generic(f"mountPath {quoted(clean)} is a reserved path", "mountPath")
    if not path.startswith("/"):
        return invalid_value(path, "mountPath")
    if clean in seen:
        return invalid_value(f"{quoted(path)} must be unique", "mountPath")
    return NONE


def _clean(path: str) -> str:
    """Return the path without doubled slashes, "." and "..", as Go's path.Clean."""
    clean = posixpath.normpath(path)
    return clean[1:] if clean.startswith("//") else clean

"""The rules of metadata: Kubernetes' own for every kind, and Knative's.

Sources: apimachinery `api/validation/objectmeta.go`; knative/pkg `apis/metadata_validation.go`;
knative/serving `pkg/apis/serving/metadata_validation.go`, `v1/revision_validation.go`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from gateway.contract import SPLITTERS
from simulator.admission.autoscaling_validation import find_annotation
from simulator.admission.fielderrors import (
    CURRENT_FIELD,
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_key_name,
    invalid_value,
    missing_field,
    out_of_bounds,
    via_key,
    warning,
)
from simulator.resources.core import Namespace
from simulator.resources.durations import is_whole_seconds, parse_duration
from simulator.resources.endpoints import CoreService
from simulator.resources.meta import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    ObjectMeta,
    OwnerReference,
    Resource,
)
from simulator.resources.names import (
    dns_1035_label_problems,
    dns_1123_label_problems,
    dns_1123_subdomain_problems,
    label_value_problems,
    prefix_for_check,
    qualified_name_problems,
)
from simulator.resources.serving import (
    ANNOTATION_CREATOR,
    ANNOTATION_HASH_HEADER,
    ANNOTATION_LAST_MODIFIER,
    ANNOTATION_PROGRESS_DEADLINE,
    ANNOTATION_SPLITTER,
    ANNOTATION_STICKY,
    GROUP,
    ROLLOUT_DURATIONS,
    TemplateMeta,
)
from simulator.resources.stickiness import parse_sticky
from simulator.resources.wording import bad_value, listed, quoted

Annotations = Mapping[str, str]
Cause = tuple[str, str, str]  # field, reason, message: what errors.Invalid takes

ANNOTATIONS_BYTES_MAX = 256 * 1024

SIDECAR = f"queue.sidecar.{GROUP}"
SIDECAR_PERCENTAGE = (f"{SIDECAR}/resource-percentage", f"{SIDECAR}/resourcePercentage")
SIDECAR_QUANTITIES = tuple(
    f"{SIDECAR}/{resource}-resource-{bound}"
    for resource in ("cpu", "memory", "ephemeral-storage")
    for bound in ("request", "limit")
)
NETWORKING = "networking.knative.dev"
NETWORKING_ANNOTATIONS = frozenset(
    f"{NETWORKING}/{name}"
    for name in (
        "certificate-class",
        "certificate.class",
        "disable-auto-tls",
        "disable-external-domain-tls",
        "disableAutoTLS",
        "http-protocol",
        "httpOption",
        "ingress-class",
        "ingress.class",
    )
)

_NAME_PROBLEMS: dict[type[Resource], Callable[[str], tuple[str, ...]]] = {
    CoreService: dns_1035_label_problems,
    Namespace: dns_1123_label_problems,
}

_number = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_token = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_quantity = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?", re.ASCII
)


def validate_generic_metadata(resource: Resource) -> tuple[Cause, ...]:
    """Return what any API server would refuse in an object's metadata, as causes of a 422."""
    meta = resource.metadata
    # Namespaces and Services become labels of host names; others may have dots in their names.
    name_problems = _NAME_PROBLEMS.get(type(resource), dns_1123_subdomain_problems)
    causes: list[Cause] = []
    if meta.generate_name:
        prefix = prefix_for_check(meta.generate_name)
        causes += _invalid("metadata.generateName", meta.generate_name, name_problems(prefix))
    if meta.name:
        causes += _invalid("metadata.name", meta.name, name_problems(meta.name))
    elif not meta.generate_name:
        message = "Required value: name or generateName is required"
        causes.append(("metadata.name", "FieldValueRequired", message))
    for key, value in meta.labels.items():
        causes += _invalid("metadata.labels", key, qualified_name_problems(key))
        causes += _invalid("metadata.labels", value, label_value_problems(value))
    for key in meta.annotations:
        causes += _invalid("metadata.annotations", key, qualified_name_problems(key.lower()))
    size = sum(len(key.encode()) + len(text.encode()) for key, text in meta.annotations.items())
    if size > ANNOTATIONS_BYTES_MAX:
        message = f"Too long: may not be more than {ANNOTATIONS_BYTES_MAX} bytes"
        causes.append(("metadata.annotations", "FieldValueTooLong", message))
    causes += _owner_causes(meta.owner_references)
    for finalizer in meta.finalizers:
        causes += _invalid("metadata.finalizers", finalizer, qualified_name_problems(finalizer))
    if {FOREGROUND_FINALIZER, ORPHAN_FINALIZER} <= set(meta.finalizers):
        shown = ", ".join(map(bad_value, meta.finalizers))
        why = f"finalizer {ORPHAN_FINALIZER} and {FOREGROUND_FINALIZER} cannot be both set"
        message = f"Invalid value: [{shown}]: {why}"
        causes.append(("metadata.finalizers", "FieldValueInvalid", message))
    return tuple(causes)


def _owner_causes(references: Sequence[OwnerReference]) -> list[Cause]:
    """Return what is wrong with owners: something missing, an Event, or two controllers."""
    causes: list[Cause] = []
    first = ""
    for index, one in enumerate(references):
        path = f"metadata.ownerReferences[{index}]"
        fields = {"apiVersion": one.api_version, "kind": one.kind, "name": one.name, "uid": one.uid}
        for name, value in fields.items():
            if not value:
                why = "Required value: must not be empty"
                causes.append((f"{path}.{name}", "FieldValueRequired", why))
        if one.api_version.count("/") > 1 or one.api_version.endswith("/"):
            why = "must be <group>/<version> or <version>"
            causes += _invalid(f"{path}.apiVersion", one.api_version, (why,))
        if (one.api_version, one.kind) == ("v1", "Event"):
            causes += _invalid(
                path, one.name, ("/v1, Kind=Event is disallowed from being an owner",)
            )
        if one.controller:
            name = f"{one.kind}/{one.name}"
            if first:
                why = "Only one reference can have Controller set to true. Found "
                why += f'"true" in references for {first} and {name}'
                causes += _invalid("metadata.ownerReferences", one.name, (why,))
            first = first or name
    return causes


def _invalid(field: str, value: str, problems: Sequence[str]) -> list[Cause]:
    shown = bad_value(value)
    return [(field, "FieldValueInvalid", f"Invalid value: {shown}: {why}") for why in problems]


def validate_name(meta: ObjectMeta) -> Errors:
    """Return what keeps a Knative object's name from being a DNS-1035 label; the first only."""
    if meta.generate_name:
        problems = dns_1035_label_problems(prefix_for_check(meta.generate_name))
        if problems:
            return generic(f"not a DNS 1035 label prefix: {listed(problems)}", "generateName")
    if meta.name:
        problems = dns_1035_label_problems(meta.name)
        return generic(f"not a DNS 1035 label: {listed(problems)}", "name") if problems else NONE
    return NONE if meta.generate_name else generic("name or generateName is required", "name")


def validate_owner_label(meta: ObjectMeta, label: str, owner_kind: str) -> Errors:
    """Return the refusal of a label that names an owner which the object does not have."""
    named = meta.labels.get(label)
    if named is None or any(_is_owner(ref, owner_kind, named) for ref in meta.owner_references):
        return NONE
    return missing_field(label)


def _is_owner(reference: OwnerReference, kind: str, name: str) -> bool:
    return reference.kind == kind and reference.name == name


def validate_rollout_duration(annotations: Annotations) -> Errors:
    """Return what keeps the time of a gradual rollout from being whole seconds, 0 or more."""
    return _validate_seconds(find_annotation(annotations, *ROLLOUT_DURATIONS), "rollout-duration")


def validate_progress_deadline(annotations: Annotations) -> Errors:
    """Return what keeps the time to become ready from being whole seconds, 0 or more."""
    found = find_annotation(annotations, ANNOTATION_PROGRESS_DEADLINE)
    return _validate_seconds(found, "progress-deadline")


def _validate_seconds(found: tuple[str, str] | None, word: str) -> Errors:
    """Return what keeps the annotation from being a Go duration of whole seconds."""
    if found is None or not found[1]:
        return NONE
    key, text = found
    try:
        duration = parse_duration(text)
    except ValueError:
        return invalid_value(text, key)
    if not is_whole_seconds(duration):
        return generic(f"{word}={text} is not at second precision", key)
    return generic(f"{word}={text} must be positive", key) if duration < 0 else NONE


def validate_splitter(annotations: Annotations) -> Errors:
    """Return the refusal of a splitting algorithm, its header's name, or its sessions. Ours."""
    errors = NONE
    splitter = annotations.get(ANNOTATION_SPLITTER)
    if splitter is not None and splitter not in SPLITTERS:
        known = f"it must be one of {', '.join(SPLITTERS)}"
        errors += invalid_value(splitter, ANNOTATION_SPLITTER, known)
    header = annotations.get(ANNOTATION_HASH_HEADER)
    if header is not None and _token.fullmatch(header) is None:
        why = "it must be the name of a header, such as X-User"
        errors += invalid_value(header, ANNOTATION_HASH_HEADER, why)
    if (sticky := annotations.get(ANNOTATION_STICKY)) is not None:
        try:
            parse_sticky(sticky)
        except ValueError as error:
            errors += invalid_value(sticky, ANNOTATION_STICKY, str(error))
    return errors


def validate_creator_and_modifier(
    old: Annotations, new: Annotations, is_changed: Callable[[], bool]
) -> Errors:
    """Return the refusal of a user's own word on who wrote the object."""
    errors = NONE
    if old.get(ANNOTATION_CREATOR) != new.get(ANNOTATION_CREATOR):
        errors += generic("annotation value is immutable", ANNOTATION_CREATOR)
    modifier = new.get(ANNOTATION_LAST_MODIFIER)
    if old.get(ANNOTATION_LAST_MODIFIER) != modifier and not is_changed():
        errors += invalid_value(modifier or "", ANNOTATION_LAST_MODIFIER)
    return errors


def validate_networking(annotations: Annotations) -> Errors:
    """Return the refusal of networking annotations that a revision may not have."""
    errors = NONE
    for key in annotations:
        if key.startswith(NETWORKING) and key not in NETWORKING_ANNOTATIONS:
            errors += invalid_key_name(key, CURRENT_FIELD)
    return errors


def validate_queue_sidecar(annotations: Annotations) -> Errors:
    """Return what is wrong with the resources asked for the queue-proxy, which knary has not."""
    errors = NONE
    if found := find_annotation(annotations, *SIDECAR_PERCENTAGE):
        key, text = found
        deprecated = (
            "Queue proxy resource percentage annotation is deprecated. Please use the available"
            " annotations to explicitly set resource values per service"
        )
        errors += via_key(warning(deprecated), key)
        if not _number.fullmatch(text):
            errors += via_key(invalid_value(text, CURRENT_FIELD), key)
        elif not 0.1 <= float(text) <= 100:
            bounds = out_of_bounds(repr(float(text)).removesuffix(".0"), 0.1, 100, CURRENT_FIELD)
            errors += via_key(bounds, key)
    for key in SIDECAR_QUANTITIES:
        if key in annotations and not _quantity.fullmatch(annotations[key]):
            errors += via_key(invalid_value(annotations[key], CURRENT_FIELD), key)
    return errors


def validate_revision_name(template: TemplateMeta, parent: ObjectMeta) -> Errors:
    """Return what is wrong with the name that a template brings for its revision."""
    if template.generate_name:
        problems = dns_1035_label_problems(prefix_for_check(template.generate_name))
        if problems:
            why = f"not a DNS 1035 label prefix: {listed(problems)}"
            return invalid_value(why, "metadata.generateName")
    if not template.name:
        return NONE
    if problems := dns_1035_label_problems(template.name):
        return invalid_value(f"not a DNS 1035 label: {listed(problems)}", "metadata.name")
    if not parent.name and parent.generate_name:
        return disallowed_fields("metadata.name")
    prefix = f"{parent.name}-"
    if template.name.startswith(prefix):
        return NONE
    why = f"{quoted(template.name)} must have prefix {quoted(prefix)}"
    return invalid_value(why, "metadata.name")

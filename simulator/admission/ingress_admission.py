"""Defaults and rules of Ingresses: those that are made by hand, as the controllers' own are sound.

Source: knative/networking `v1alpha1/ingress_{defaults,validation}.go`.
"""

from __future__ import annotations

from msgspec.structs import replace

from simulator.admission.fielderrors import (
    CURRENT_FIELD,
    NONE,
    Errors,
    generic,
    invalid_value,
    missing_field,
    via_field,
    via_field_index,
)
from simulator.resources.networking import (
    VISIBILITY_EXTERNAL,
    Ingress,
    IngressPath,
    IngressRule,
    IngressSpec,
    IngressSplit,
)

WHOLE = 100  # percent
HTTP_OPTIONS = ("", "Enabled", "Redirected")


def with_ingress_defaults(new: Ingress) -> Ingress:
    """Return the Ingress with what its rules leave out."""
    return replace(new, spec=replace(new.spec, rules=tuple(map(_rule, new.spec.rules))))


def _rule(rule: IngressRule) -> IngressRule:
    paths = tuple(map(_path, rule.http.paths))
    visibility = rule.visibility or VISIBILITY_EXTERNAL
    return replace(rule, visibility=visibility, http=replace(rule.http, paths=paths))


def _path(path: IngressPath) -> IngressPath:
    if len(path.splits) != 1 or path.splits[0].percent:
        return path
    return replace(path, splits=(replace(path.splits[0], percent=WHOLE),))


def validate_ingress(new: Ingress) -> Errors:
    """Return what is wrong with an Ingress."""
    spec = new.spec
    if spec == IngressSpec():
        return missing_field("spec")
    errors = NONE if spec.rules else missing_field("rules")
    for index, rule in enumerate(spec.rules):
        found = _validate_rule(rule, new.metadata.namespace)
        errors += via_field_index(found, "rules", index)
    if spec.http_option not in HTTP_OPTIONS:
        errors += invalid_value(spec.http_option, "httpOption")
    return via_field(errors, "spec")


def _validate_rule(rule: IngressRule, namespace: str) -> Errors:
    if not rule.http.paths:
        return via_field(missing_field("paths"), "http")
    errors = NONE
    for index, path in enumerate(rule.http.paths):
        errors += via_field_index(_validate_path(path, namespace), "paths", index)
    return via_field(errors, "http")


def _validate_path(path: IngressPath, namespace: str) -> Errors:
    if path == IngressPath():
        return missing_field(CURRENT_FIELD)
    if not path.splits:
        return missing_field("splits")
    for index, split in enumerate(path.splits):
        if found := _validate_split(split, namespace):
            return via_field_index(found, "splits", index)
    total = sum(split.percent for split in path.splits)
    if total != WHOLE:
        return generic(f"traffic split percentage must total to {WHOLE}, but was {total}", "splits")
    return NONE


def _validate_split(split: IngressSplit, namespace: str) -> Errors:
    errors = NONE
    if not 0 <= split.percent <= WHOLE:
        errors += invalid_value(split.percent, "percent")
    if replace(split, percent=0, append_headers={}) == IngressSplit():
        return errors + missing_field(CURRENT_FIELD)
    if not split.service_namespace:
        errors += missing_field("serviceNamespace")
    elif split.service_namespace != namespace:
        message = "service namespace must match ingress namespace"
        errors += generic(message, "serviceNamespace")
    if not split.service_name:
        errors += missing_field("serviceName")
    return errors if split.service_port else errors + missing_field("servicePort")

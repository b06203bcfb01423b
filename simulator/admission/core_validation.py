"""What an API server refuses in Kubernetes' own objects, as causes of a 422.

Source: kubernetes `pkg/apis/core/validation/validation.go`; the messages are its own.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simulator.resources.core import ConfigMap, Secret
from simulator.resources.endpoints import CLUSTER_IP, EXTERNAL_NAME, CoreService, ServicePort
from simulator.resources.endpointslices import FQDN, IPV4, IPV6, EndpointSlice
from simulator.resources.meta import Resource
from simulator.resources.names import (
    dns_1123_label_problems,
    dns_1123_subdomain_problems,
    label_value_problems,
    qualified_name_problems,
)
from simulator.resources.wording import bad_value, quoted

Cause = tuple[str, str, str]  # field, reason, message: what errors.Invalid takes

DATA_BYTES_MAX = 1024 * 1024
PORTS = range(1, 65536)
ENDPOINTS_MAX = 1000
ADDRESSES_MAX = 100
IMMUTABLE = "field is immutable when `immutable` is set"

_TYPES = (CLUSTER_IP, EXTERNAL_NAME, "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ADDRESS_TYPES = (FQDN, IPV4, IPV6)
_AFFINITIES = ("ClientIP", "None")
_key = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    " (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is"
    " '[-._a-zA-Z0-9]+')"
)
_port_name = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

# The keys that a Secret of a type must have; of `basic-auth` one of two is enough.
_SECRET_KEYS: dict[str, tuple[str, ...]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_BASIC_AUTH = "kubernetes.io/basic-auth"
_JSON_KEYS = frozenset({".dockercfg", ".dockerconfigjson"})
_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 (a type's name)
_TOKEN_OF = "kubernetes.io/service-account.name"  # noqa: S105 (an annotation's name)


def bad_base64(resource: Resource) -> str:
    """Return why a Secret's data or a ConfigMap's binary data is no base64, or ""."""
    data: Mapping[str, str] = {}
    if isinstance(resource, Secret):
        data = resource.data
    elif isinstance(resource, ConfigMap):
        data = resource.binary_data
    for text in data.values():
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return f"illegal base64 data at input byte {_first_bad_byte(text)}"
    return ""


def _first_bad_byte(text: str) -> int:
    for index, mark in enumerate(text):
        if not (mark.isascii() and (mark.isalnum() or mark in "+/=")):
            return index
    return len(text) // 4 * 4


def validate_core(new: Resource, old: Resource | None) -> tuple[Cause, ...]:
    """Return what is wrong with a defaulted object; `old` is what it would replace."""
    match new:
        case ConfigMap():
            return tuple(_config_map(new, old if isinstance(old, ConfigMap) else None))
        case Secret():
            return tuple(_secret(new, old if isinstance(old, Secret) else None))
        case CoreService():
            return tuple(_service(new))
        case EndpointSlice():
            return tuple(_slice(new, old if isinstance(old, EndpointSlice) else None))
        case _:
            return ()


def _config_map(new: ConfigMap, old: ConfigMap | None) -> Iterator[Cause]:
    for field, keys in (("data", new.data), ("binaryData", new.binary_data)):
        yield from _keys(field, keys)
    for key in new.data.keys() & new.binary_data.keys():
        yield _invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    size = sum(len(text.encode()) for text in new.data.values())
    size += sum(len(text) * 3 // 4 for text in new.binary_data.values())
    if size > DATA_BYTES_MAX:
        yield _too_long("", DATA_BYTES_MAX)
    if old is not None and old.immutable:
        yield from _changes(
            ("immutable", bool(new.immutable), True),
            ("data", new.data, old.data),
            ("binaryData", new.binary_data, old.binary_data),
        )


def _secret(new: Secret, old: Secret | None) -> Iterator[Cause]:
    yield from _keys("data", new.data)
    if sum(len(text) * 3 // 4 for text in new.data.values()) > DATA_BYTES_MAX:
        yield _too_long("data", DATA_BYTES_MAX)
    yield from _keys_of_type(new)
    if old is None:
        return
    if new.type != old.type:
        yield _invalid("type", new.type, "field is immutable")
    if old.immutable:
        yield from _changes(("immutable", bool(new.immutable), True), ("data", new.data, old.data))


def _keys_of_type(secret: Secret) -> Iterator[Cause]:
    for key in _SECRET_KEYS.get(secret.type, ()):
        if key not in secret.data:
            yield _required(f"data[{key}]")
        elif key in _JSON_KEYS and (why := _not_json(secret.data[key])):
            yield _invalid(f"data[{key}]", "<secret contents redacted>", why)
    if secret.type == _BASIC_AUTH and not secret.data.keys() & {"username", "password"}:
        yield _required("data[username]")
        yield _required("data[password]")
    if secret.type == _TOKEN and not secret.metadata.annotations.get(_TOKEN_OF):
        yield _required(f"metadata.annotations[{_TOKEN_OF}]")


def _not_json(data: str) -> str:
    try:
        json.loads(base64.b64decode(data))
    except ValueError:  # a broken JSON text, and one that is no text
        return "the content is not JSON"
    return ""


def _service(service: CoreService) -> Iterator[Cause]:
    spec = service.spec
    is_named_outside = spec.type == EXTERNAL_NAME
    if not spec.ports and spec.cluster_ip != "None" and not is_named_outside:
        yield _required("spec.ports")
    for index, port in enumerate(spec.ports):
        yield from _port(port, f"spec.ports[{index}]", spec.ports[:index], len(spec.ports) > 1)
    for key, value in spec.selector.items():
        for why in qualified_name_problems(key):
            yield _invalid("spec.selector", key, why)
        for why in label_value_problems(value):
            yield _invalid("spec.selector", value, why)
    if spec.session_affinity not in _AFFINITIES:
        yield _unsupported("spec.sessionAffinity", spec.session_affinity, _AFFINITIES)
    if spec.type not in _TYPES:
        yield _unsupported("spec.type", spec.type, _TYPES)
    if is_named_outside:
        name = spec.external_name
        if not name:
            yield _required("spec.externalName")
        elif problems := dns_1123_subdomain_problems(name.removesuffix(".")):
            yield _invalid("spec.externalName", name, problems[0])
        if spec.cluster_ips:
            why = "may not be set for ExternalName services"
            yield ("spec.clusterIPs", "FieldValueForbidden", f"Forbidden: {why}")


def _port(
    port: ServicePort,
    path: str,
    before: Sequence[ServicePort],
    is_name_required: bool,  # noqa: FBT001 (Kubernetes' own argument)
) -> Iterator[Cause]:
    if not port.name:
        if is_name_required:
            yield _required(f"{path}.name")
    elif problems := dns_1123_label_problems(port.name):
        yield from (_invalid(f"{path}.name", port.name, why) for why in problems)
    elif any(one.name == port.name for one in before):
        yield _duplicate(f"{path}.name", port.name)
    out_of_range = "must be between 1 and 65535, inclusive"
    if port.port not in PORTS:
        yield _invalid(f"{path}.port", port.port, out_of_range)
    if port.protocol not in _PROTOCOLS:
        yield _unsupported(f"{path}.protocol", port.protocol, _PROTOCOLS)
    target = port.target_port
    if isinstance(target, int) and target not in PORTS:
        yield _invalid(f"{path}.targetPort", target, out_of_range)
    elif isinstance(target, str):
        yield from (_invalid(f"{path}.targetPort", target, why) for why in _port_problems(target))
    if any((one.protocol, one.port) == (port.protocol, port.port) for one in before):
        twin = {"port": port.port, "protocol": port.protocol}
        yield _duplicate(path, twin)


def _port_problems(name: str) -> Iterator[str]:
    """Yield what keeps it from being a port's name (apimachinery `IsValidPortName`)."""
    if len(name) > 15:
        yield "must be no more than 15 characters"
    if not _port_name.fullmatch(name):
        yield (
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
            if not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
            else "must not begin or end with a hyphen"
        )
    if not any(mark.isalpha() for mark in name):
        yield "must contain at least one letter (a-z)"
    if "--" in name:
        yield "must not contain consecutive hyphens"


def _slice(new: EndpointSlice, old: EndpointSlice | None) -> Iterator[Cause]:
    """What `pkg/apis/discovery/validation` says of types and numbers; not of each address."""
    if not new.address_type:
        yield _required("addressType")
    elif new.address_type not in _ADDRESS_TYPES:
        yield _unsupported("addressType", new.address_type, _ADDRESS_TYPES)
    if (count := len(new.endpoints)) > ENDPOINTS_MAX:
        yield _too_many("endpoints", count, ENDPOINTS_MAX)
    for index, endpoint in enumerate(new.endpoints):
        path = f"endpoints[{index}].addresses"
        if not endpoint.addresses:
            yield (path, "FieldValueRequired", "Required value: must contain at least 1 address")
        elif (count := len(endpoint.addresses)) > ADDRESSES_MAX:
            yield _too_many(path, count, ADDRESSES_MAX)
    names: set[str] = set()
    for index, port in enumerate(new.ports):
        path = f"ports[{index}]"
        name = port.name or ""
        for why in dns_1123_label_problems(name) if name else ():
            yield _invalid(f"{path}.name", name, why)
        if name in names:
            yield _duplicate(f"{path}.name", name)
        names.add(name)
        if port.protocol not in _PROTOCOLS:
            yield _unsupported(f"{path}.protocol", port.protocol or "", _PROTOCOLS)
    if old is not None and new.address_type != old.address_type:
        yield _invalid("addressType", new.address_type, "field is immutable")


def _keys(field: str, data: Mapping[str, str]) -> Iterator[Cause]:
    for key in data:
        path = f"{field}[{key}]"
        if len(key) > 253:
            yield _invalid(path, key, "must be no more than 253 characters")
        if not _key.fullmatch(key):
            yield _invalid(path, key, _KEY_RULE)
        elif key in (".", ".."):
            yield _invalid(path, key, f"must not be '{key}'")
        elif key.startswith(".."):
            yield _invalid(path, key, "must not start with '..'")


def _changes(*fields: tuple[str, Any, Any]) -> Iterator[Cause]:
    for field, now, before in fields:
        if now != before:
            yield (field, "FieldValueForbidden", f"Forbidden: {IMMUTABLE}")


def _required(field: str) -> Cause:
    return (field, "FieldValueRequired", "Required value")


def _invalid(field: str, value: Any, why: str) -> Cause:
    return (field, "FieldValueInvalid", f"Invalid value: {bad_value(value)}: {why}")


def _duplicate(field: str, value: Any) -> Cause:
    return (field, "FieldValueDuplicate", f"Duplicate value: {bad_value(value)}")


def _unsupported(field: str, value: str, supported: Sequence[str]) -> Cause:
    known = ", ".join(quoted(one) for one in supported)
    return (
        field,
        "FieldValueNotSupported",
        f"Unsupported value: {quoted(value)}: supported values: {known}",
    )


def _too_many(field: str, count: int, count_max: int) -> Cause:
    return (
        field,
        "FieldValueTooMany",
        f"Too many: {count}: must have at most {count_max} items",
    )


def _too_long(field: str, bytes_max: int) -> Cause:
    return (field, "FieldValueTooLong", f"Too long: may not be more than {bytes_max} bytes")

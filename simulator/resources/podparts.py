"""What Knative's schema says of the parts of a pod that are kept as documents.

A field annotated with `described_by(STRUCT)` stays the plain document that its client sent, cleaned
and checked as the struct has it: unknown fields go, a wrong type or a missing field is refused.
A field that is `Free` in turn is open below: the schema keeps whatever is there. Names are those of
Kubernetes' Go types. Source: knative/serving `config/core/300-resources/service.yaml`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Meta, Struct, field

Free = dict[str, Any]

SCHEMA = "schema"  # the key of a field's metadata


def described_by(struct: type[Struct]) -> Meta:
    """Return the metadata of a free-form field whose schema is this struct's."""
    return Meta(extra={SCHEMA: struct})


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """A shape only: no object is ever made of it.

    What the schema requires is not said: Knative's webhook fills such fields with empty texts
    before the schema is asked, and complains itself.
    """


class ConfigMapKeySelector(_Part, frozen=True):
    key: str = ""
    name: str = ""
    optional: bool | None = None


class SecretKeySelector(ConfigMapKeySelector, frozen=True):
    pass


class EnvVarSource(_Part, frozen=True):
    config_map_key_ref: ConfigMapKeySelector | None = None
    secret_key_ref: SecretKeySelector | None = None
    field_ref: Free | None = None
    resource_field_ref: Free | None = None


class ConfigMapEnvSource(_Part, frozen=True):
    name: str = ""
    optional: bool | None = None


class SecretEnvSource(ConfigMapEnvSource, frozen=True):
    pass


class LocalObjectReference(_Part, frozen=True):
    name: str = ""


class Capabilities(_Part, frozen=True):
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class SeccompProfile(_Part, frozen=True):
    type: str = ""
    localhost_profile: str = ""


class SecurityContext(_Part, frozen=True):
    allow_privilege_escalation: bool | None = None
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    read_only_root_filesystem: bool | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    seccomp_profile: SeccompProfile | None = None


class KeyToPath(_Part, frozen=True):
    key: str = ""
    path: str = ""
    mode: int | None = None


class ConfigMapVolumeSource(_Part, frozen=True):
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class SecretVolumeSource(_Part, frozen=True):
    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    default_mode: int | None = None
    optional: bool | None = None


class ConfigMapProjection(_Part, frozen=True):
    name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool | None = None


class SecretProjection(ConfigMapProjection, frozen=True):
    pass


class ServiceAccountTokenProjection(_Part, frozen=True):
    path: str = ""
    audience: str = ""
    expiration_seconds: int | None = None


class ObjectFieldSelector(_Part, frozen=True):
    field_path: str = ""
    api_version: str = ""


class ResourceFieldSelector(_Part, frozen=True):
    resource: str = ""
    container_name: str = ""
    divisor: int | str | float | None = None


class DownwardAPIVolumeFile(_Part, frozen=True):
    path: str = ""
    field_ref: ObjectFieldSelector | None = None
    mode: int | None = None
    resource_field_ref: ResourceFieldSelector | None = None


class DownwardAPIProjection(_Part, frozen=True):
    items: tuple[DownwardAPIVolumeFile, ...] = ()


class VolumeProjection(_Part, frozen=True):
    config_map: ConfigMapProjection | None = None
    downward_api: DownwardAPIProjection | None = field(default=None, name="downwardAPI")
    secret: SecretProjection | None = None
    service_account_token: ServiceAccountTokenProjection | None = None


class ProjectedVolumeSource(_Part, frozen=True):
    default_mode: int | None = None
    sources: tuple[VolumeProjection, ...] = ()


class Volume(_Part, frozen=True):
    name: str = ""
    config_map: ConfigMapVolumeSource | None = None
    secret: SecretVolumeSource | None = None
    projected: ProjectedVolumeSource | None = None
    csi: Free | None = None
    empty_dir: Free | None = None
    ephemeral: Free | None = None
    host_path: Free | None = None
    image: Free | None = None
    persistent_volume_claim: Free | None = None

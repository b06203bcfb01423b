"""The Go types behind the parts of a pod that Knative's schema leaves open.

The schema keeps whatever is there; then Knative's webhook decodes it, and a value of a wrong type
is refused. These shapes say the types and nothing else: no object is ever made of one.
Source: k8s.io/api `core/v1/types.go`, k8s.io/apimachinery `meta/v1/types.go`.
"""

from __future__ import annotations

from msgspec import Struct

Quantity = int | str | float


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """A shape only."""


class LabelSelectorRequirement(_Part, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(_Part, frozen=True):
    match_labels: dict[str, str] = {}
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


class NodeSelectorRequirement(_Part, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class NodeSelectorTerm(_Part, frozen=True):
    match_expressions: tuple[NodeSelectorRequirement, ...] = ()
    match_fields: tuple[NodeSelectorRequirement, ...] = ()


class NodeSelector(_Part, frozen=True):
    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()


class PreferredSchedulingTerm(_Part, frozen=True):
    weight: int = 0
    preference: NodeSelectorTerm | None = None


class NodeAffinity(_Part, frozen=True):
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredSchedulingTerm, ...] = ()


class PodAffinityTerm(_Part, frozen=True):
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    topology_key: str = ""
    namespace_selector: LabelSelector | None = None
    match_label_keys: tuple[str, ...] = ()
    mismatch_label_keys: tuple[str, ...] = ()


class WeightedPodAffinityTerm(_Part, frozen=True):
    weight: int = 0
    pod_affinity_term: PodAffinityTerm | None = None


class PodAffinity(_Part, frozen=True):
    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] = ()


class PodAntiAffinity(PodAffinity, frozen=True):
    pass


class Affinity(_Part, frozen=True):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class Toleration(_Part, frozen=True):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    toleration_seconds: int | None = None


class TopologySpreadConstraint(_Part, frozen=True):
    max_skew: int = 0
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] = ()


class HostAlias(_Part, frozen=True):
    ip: str = ""
    hostnames: tuple[str, ...] = ()


class PodDNSConfigOption(_Part, frozen=True):
    name: str = ""
    value: str | None = None


class PodDNSConfig(_Part, frozen=True):
    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[PodDNSConfigOption, ...] = ()


class SELinuxOptions(_Part, frozen=True):
    user: str = ""
    role: str = ""
    type: str = ""
    level: str = ""


class Sysctl(_Part, frozen=True):
    name: str = ""
    value: str = ""


class SeccompProfile(_Part, frozen=True):
    type: str = ""
    localhost_profile: str | None = None


class PodSecurityContext(_Part, frozen=True):
    se_linux_options: SELinuxOptions | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    supplemental_groups: tuple[int, ...] = ()
    fs_group: int | None = None
    sysctls: tuple[Sysctl, ...] = ()
    fs_group_change_policy: str | None = None
    seccomp_profile: SeccompProfile | None = None


class EmptyDirVolumeSource(_Part, frozen=True):
    medium: str = ""
    size_limit: Quantity | None = None


class HostPathVolumeSource(_Part, frozen=True):
    path: str = ""
    type: str | None = None


class PersistentVolumeClaimVolumeSource(_Part, frozen=True):
    claim_name: str = ""
    read_only: bool = False


class CSIVolumeSource(_Part, frozen=True):
    driver: str = ""
    read_only: bool | None = None
    fs_type: str | None = None
    volume_attributes: dict[str, str] = {}


class ImageVolumeSource(_Part, frozen=True):
    reference: str = ""
    pull_policy: str = ""


class _Pod(_Part, frozen=True):
    """The open fields of a pod, and of a volume: under what names they are there."""

    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    topology_spread_constraints: tuple[TopologySpreadConstraint, ...] = ()
    host_aliases: tuple[HostAlias, ...] = ()
    dns_config: PodDNSConfig | None = None
    security_context: PodSecurityContext | None = None


class _Volume(_Part, frozen=True):
    empty_dir: EmptyDirVolumeSource | None = None
    host_path: HostPathVolumeSource | None = None
    persistent_volume_claim: PersistentVolumeClaimVolumeSource | None = None
    csi: CSIVolumeSource | None = None
    image: ImageVolumeSource | None = None


POD: type[Struct] = _Pod
VOLUME: type[Struct] = _Volume

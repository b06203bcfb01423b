"""Every setting of Knative's ConfigMaps: its stock value, and what it changes here, if anything.

The one table behind `_example` in each map and behind docs/configuration.md; a test keeps that
page equal to `page()`. Source of names and values: knative/serving `config/core/configmaps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from simulator.config.current import (
    AUTOSCALER,
    DEFAULTS,
    DEPLOYMENT,
    DOMAIN,
    FEATURES,
    GC,
    LEADER_ELECTION,
    LOGGING,
    NETWORK,
    OBSERVABILITY,
)

NONE: Final = ""


class Setting(NamedTuple):
    """A key of a map. `effect` is NONE for one that is checked, and changes nothing here."""

    key: str
    stock: str
    effect: str = NONE


CPU: Final = ("cpu", "request")


def _gated(field: str) -> str:
    return f"`{field}` may be set"


SETTINGS: Final[dict[str, tuple[Setting, ...]]] = {
    AUTOSCALER: (
        Setting("pod-autoscaler-class", "kpa.autoscaling.knative.dev", "which annotations fit"),
        Setting("initial-scale", "1", "replicas of a new revision, until it was ready once"),
        Setting("allow-zero-initial-scale", "false", "an initial scale of 0 is accepted (as 1)"),
        Setting("min-scale", "0", "replicas of a revision that is needed; at least 1"),
        Setting("max-scale", "0", "the most replicas; 0 is no limit"),
        Setting("max-scale-limit", "0", "the most that the annotation max-scale may be"),
        Setting("container-concurrency-target-percentage", "70"),
        Setting("container-concurrency-target-default", "100"),
        Setting("requests-per-second-target-default", "200"),
        Setting("target-burst-capacity", "211"),
        Setting("stable-window", "60s"),
        Setting("panic-window-percentage", "10.0"),
        Setting("panic-threshold-percentage", "200.0"),
        Setting("max-scale-up-rate", "1000.0"),
        Setting("max-scale-down-rate", "2.0"),
        Setting("enable-scale-to-zero", "true"),
        Setting("scale-to-zero-grace-period", "30s"),
        Setting("scale-to-zero-pod-retention-period", "0s"),
        Setting("scale-down-delay", "0s"),
        Setting("activator-capacity", "100.0"),
    ),
    DEFAULTS: (
        Setting("revision-timeout-seconds", "300", "`timeoutSeconds` when it is not given"),
        Setting("max-revision-timeout-seconds", "600", "the most that `timeoutSeconds` may be"),
        Setting(
            "revision-response-start-timeout-seconds",
            "300",
            "`responseStartTimeoutSeconds`, if that is below `timeoutSeconds`",
        ),
        Setting(
            "revision-idle-timeout-seconds",
            "0",
            "`idleTimeoutSeconds`, if that is below `timeoutSeconds`; 0 is none",
        ),
        Setting("container-name-template", "user-container", "names of containers without one"),
        Setting("init-container-name-template", "init-container", "the same of init containers"),
        Setting("container-concurrency", "0", "`containerConcurrency` when it is not given"),
        Setting("container-concurrency-max-limit", "1000", "the most that it may be"),
        Setting("allow-container-concurrency-zero", "true", "it may be 0, without limit"),
        Setting("enable-service-links", "false", "`enableServiceLinks` of new services"),
        *(
            Setting(
                f"revision-{resource}-{bound}",
                "",
                f"`resources.{bound}s.{resource}` when it is not given (kept, not enforced)",
            )
            for resource in ("cpu", "memory", "ephemeral-storage")
            for bound in ("request", "limit")
        ),
    ),
    DEPLOYMENT: (
        Setting("queue-sidecar-image", "knary.dev/none", "must be there; nothing runs it"),
        Setting("progress-deadline", "600s", "for how long a new revision may start"),
        Setting(
            "registries-skipping-tag-resolving",
            "kind.local,ko.local,dev.local",
            "images of these registries get no digest",
        ),
        Setting("digest-resolution-timeout", "10s"),
        Setting("default-affinity-type", "prefer-spread-revision-over-nodes"),
        Setting("runtime-class-name", ""),
        Setting("pod-is-always-schedulable", "false"),
        *(
            Setting(f"queue-sidecar-{resource}-{bound}", "25m" if (resource, bound) == CPU else "")
            for resource in ("cpu", "memory", "ephemeral-storage")
            for bound in ("request", "limit")
        ),
        Setting("queue-sidecar-token-audiences", ""),
        Setting("queue-sidecar-rootca", ""),
        Setting("queue-sidecar-tls-min-version", ""),
        Setting("queue-sidecar-tls-max-version", ""),
        Setting("queue-sidecar-tls-cipher-suites", ""),
        Setting("queue-sidecar-tls-curve-preferences", ""),
    ),
    DOMAIN: (
        Setting(
            "DOMAIN",
            "",
            'with `""` the domain of all routes, in the place of `knary up --domain`; with'
            " `selector:` and labels, that of the routes that have them",
        ),
    ),
    FEATURES: (
        Setting("multi-container", "enabled", "more than one container is accepted"),
        Setting("multi-container-probing", "disabled", "other containers may have probes"),
        Setting(
            "tag-header-based-routing", "disabled", "the header `Knative-Serving-Tag` chooses a tag"
        ),
        Setting("secure-pod-defaults", "disabled", "`securityContext` gets secure values"),
        Setting("kubernetes.podspec-affinity", "disabled", _gated("affinity")),
        Setting(
            "kubernetes.podspec-topologyspreadconstraints",
            "disabled",
            _gated("topologySpreadConstraints"),
        ),
        Setting("kubernetes.podspec-hostaliases", "disabled", _gated("hostAliases")),
        Setting("kubernetes.podspec-nodeselector", "disabled", _gated("nodeSelector")),
        Setting("kubernetes.podspec-tolerations", "disabled", _gated("tolerations")),
        Setting("kubernetes.podspec-fieldref", "disabled", _gated("valueFrom.fieldRef")),
        Setting("kubernetes.podspec-runtimeclassname", "disabled", _gated("runtimeClassName")),
        Setting("kubernetes.podspec-dnspolicy", "disabled", _gated("dnsPolicy")),
        Setting("kubernetes.podspec-dnsconfig", "disabled", _gated("dnsConfig")),
        Setting("kubernetes.podspec-securitycontext", "disabled", _gated("securityContext")),
        Setting(
            "kubernetes.podspec-shareprocessnamespace",
            "disabled",
            _gated("shareProcessNamespace"),
        ),
        Setting("kubernetes.podspec-hostipc", "disabled", _gated("hostIPC")),
        Setting("kubernetes.podspec-hostpid", "disabled", _gated("hostPID")),
        Setting("kubernetes.podspec-hostnetwork", "disabled", _gated("hostNetwork")),
        Setting("kubernetes.podspec-priorityclassname", "disabled", _gated("priorityClassName")),
        Setting("kubernetes.podspec-schedulername", "disabled", _gated("schedulerName")),
        Setting("kubernetes.podspec-init-containers", "disabled", _gated("initContainers")),
        Setting(
            "kubernetes.podspec-persistent-volume-claim",
            "disabled",
            _gated("volumes[].persistentVolumeClaim"),
        ),
        Setting(
            "kubernetes.podspec-persistent-volume-write",
            "disabled",
            "claims may be mounted to be written",
        ),
        Setting("kubernetes.podspec-volumes-emptydir", "enabled", _gated("volumes[].emptyDir")),
        Setting("kubernetes.podspec-volumes-hostpath", "disabled", _gated("volumes[].hostPath")),
        Setting("kubernetes.podspec-volumes-csi", "disabled", _gated("volumes[].csi")),
        Setting("kubernetes.podspec-volumes-ephemeral", "disabled", _gated("volumes[].ephemeral")),
        Setting("kubernetes.podspec-volumes-image", "disabled", _gated("volumes[].image")),
        Setting(
            "kubernetes.podspec-volumes-mount-propagation",
            "disabled",
            _gated("volumeMounts[].mountPropagation"),
        ),
        Setting(
            "kubernetes.containerspec-addcapabilities",
            "disabled",
            _gated("securityContext.capabilities.add"),
        ),
        Setting("autodetect-http2", "disabled"),
        Setting("queueproxy.mount-podinfo", "disabled"),
        Setting("queueproxy.resource-defaults", "disabled"),
    ),
    GC: (
        Setting("retain-since-create-time", "48h", "no younger revision is deleted"),
        Setting(
            "retain-since-last-active-time",
            "15h",
            "nor one that was routed to within this time; `disabled` for either: it does not count",
        ),
        Setting("min-non-active-revisions", "20", "so many are kept, however old"),
        Setting(
            "max-non-active-revisions", "1000", "no more are kept, however young, or `disabled`"
        ),
    ),
    LEADER_ELECTION: (
        Setting("lease-duration", "60s"),
        Setting("renew-deadline", "40s"),
        Setting("retry-period", "10s"),
        Setting("buckets", "1"),
    ),
    LOGGING: (
        Setting("zap-logger-config", ""),
        Setting("loglevel.COMPONENT", "info"),
    ),
    NETWORK: (
        Setting("domain-template", "{{.Name}}.{{.Namespace}}.{{.Domain}}", "the hosts of routes"),
        Setting("tag-template", "{{.Tag}}-{{.Name}}", "the first part of a tag's host"),
        Setting(
            "rollout-duration", "0", "seconds of a gradual rollout; an annotation goes before it"
        ),
        Setting(
            "autocreate-cluster-domain-claims",
            "false",
            "domains are claimed by who maps them first",
        ),
        Setting("default-external-scheme", "http", "the scheme in the URLs of public services"),
        Setting("http-protocol", "Enabled"),
        Setting("ingress-class", "kourier.ingress.networking.knative.dev"),
        Setting("certificate-class", "cert-manager.certificate.networking.knative.dev"),
        Setting("external-domain-tls", "Disabled"),
        Setting("cluster-local-domain-tls", "Disabled"),
        Setting("system-internal-tls", "Disabled"),
        Setting("namespace-wildcard-cert-selector", ""),
        Setting("enable-mesh-pod-addressability", "false"),
        Setting("mesh-compatibility-mode", "auto"),
    ),
    OBSERVABILITY: (
        Setting(
            "logging.revision-url-template",
            "",
            "`status.logUrl` of revisions, with their uid for `${REVISION_UID}`",
        ),
        Setting("logging.enable-request-log", "false"),
        Setting("logging.enable-probe-request-log", "false"),
        Setting("logging.request-log-template", ""),
        Setting("logging.enable-var-log-collection", "false"),
        *(
            Setting(f"{prefix}metrics-{what}", stock)
            for prefix in ("", "request-")
            for what, stock in (("protocol", "none"), ("endpoint", ""), ("export-interval", ""))
        ),
        Setting("tracing-protocol", "none"),
        Setting("tracing-endpoint", ""),
        Setting("tracing-sampling-rate", "0"),
        Setting("runtime-profiling", "disabled"),
        Setting("runtime-export-interval", "15s"),
    ),
}

# What a map must hold to be accepted at all.
REQUIRED: Final[dict[str, tuple[str, ...]]] = {DEPLOYMENT: ("queue-sidecar-image",)}


def why_nobody_waits(name: str) -> str:
    """Return why a change of the map is done with once it is stored, "" when it is not."""
    if not any(setting.effect for setting in SETTINGS[name]):
        return "changes nothing here (docs/configuration.md)"
    return "counts for what is written from now on" if name == DEFAULTS else ""


def required(name: str) -> dict[str, str]:
    """Return the settings that the map of that name must have, with their stock values."""
    keys = REQUIRED.get(name, ())
    return {one.key: one.stock for one in SETTINGS[name] if one.key in keys}


def example(name: str) -> str:
    """Return the text of the map's `_example`: each setting, its stock value, what it changes."""
    lines = ["Nothing below has an effect: copy a line to `data`, beside `_example`.", ""]
    for setting in SETTINGS[name]:
        lines.append(f"# {setting.effect or 'no effect here'}")
        lines.append(f'{setting.key}: "{setting.stock}"')
    return "\n".join(lines) + "\n"


def page() -> Iterator[str]:
    """Yield the lines of the documentation's tables, one table per map."""
    for name, settings in SETTINGS.items():
        yield from ("", f"## {name}", "", "| key | stock | effect |", "|---|---|---|")
        for setting in settings:
            stock = f"`{setting.stock}`" if setting.stock else "not set"
            yield f"| `{setting.key}` | {stock} | {setting.effect or 'none'} |"

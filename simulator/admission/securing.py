"""What the feature `secure-pod-defaults` fills in: Kubernetes' "restricted" profile.

Source: knative/serving `v1/revision_defaults.go` (`defaultSecurityContext`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from simulator.admission import freeform
from simulator.admission.settings import Defaults
from simulator.config.features import SECURE_POD_DEFAULTS
from simulator.resources.podspec import Container

LOW_PORTS_END = 1024
Context = Mapping[str, Any] | None


def secured(container: Container, pod: Context, defaults: Defaults) -> Container:
    """Return the container with secure settings where it and its pod say nothing.

    AllowRootBounded in place of Enabled leaves out that it may not run as root.
    """
    if not defaults.permits(SECURE_POD_DEFAULTS):
        return container
    context = {
        "allowPrivilegeEscalation": False,
        "capabilities": _capabilities(container),
        **(container.security_context or {}),
    }
    if not freeform.text(freeform.part(pod, "seccompProfile"), "type"):
        profile = freeform.part(context, "seccompProfile") or {}
        kind = freeform.text(profile, "type") or "RuntimeDefault"
        context["seccompProfile"] = {**profile, "type": kind}
    may_be_root = freeform.is_set(pod, "runAsNonRoot") or "runAsNonRoot" in context
    if SECURE_POD_DEFAULTS in defaults.features and not may_be_root:
        context["runAsNonRoot"] = True
    return replace(container, security_context=context)


def _capabilities(container: Container) -> dict[str, list[str]]:
    """Return none at all, but the one to listen on a low port where the container asks for one."""
    needs_low_port = any((port.container_port or 0) < LOW_PORTS_END for port in container.ports)
    return {"drop": ["ALL"]} | ({"add": ["NET_BIND_SERVICE"]} if needs_low_port else {})

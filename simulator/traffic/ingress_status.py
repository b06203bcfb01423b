"""What an Ingress's status says once the gateway serves it, or why it does not yet. All pure.

Sources: networking `pkg/apis/networking/v1alpha1/ingress_lifecycle.go` (conditions, reasons),
net-kourier `pkg/reconciler/ingress/ingress.go` (addresses, conflict).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from simulator.resources.lifecycle import Conditions, ConditionSet
from simulator.resources.networking import (
    LOAD_BALANCER_READY,
    NETWORK_CONFIGURED,
    Ingress,
    IngressStatus,
    LoadBalancer,
    LoadBalancerIngress,
)
from simulator.traffic.table import Conflicting, Programmed, Verdict, Waiting

CONDITIONS = ConditionSet(dependents=(NETWORK_CONFIGURED, LOAD_BALANCER_READY))

_PUBLIC = "kourier.kourier-system.svc.cluster.local"
_PRIVATE = "kourier-internal.kourier-system.svc.cluster.local"
_CONFLICT_MESSAGE = "Ingress rejected: ingress has a conflicting domain with another ingress"


def status_of(ingress: Ingress, verdict: Verdict, now: datetime) -> IngressStatus:
    """Return the status of an Ingress of which every worker serves what the verdict says."""
    generation = verdict.generation
    status = ingress.status
    marks = CONDITIONS.begin(status.conditions, generation, status.observed_generation, now)
    marks.mark_true(NETWORK_CONFIGURED)
    if not isinstance(verdict, Programmed):
        _mark_unprogrammed(marks, verdict)
        return msgspec.structs.replace(
            status, observed_generation=generation, conditions=marks.result()
        )
    marks.mark_true(LOAD_BALANCER_READY)
    return IngressStatus(
        observed_generation=generation,
        conditions=marks.result(),
        public_load_balancer=_at(_PUBLIC),
        private_load_balancer=_at(_PRIVATE),
        programmed=verdict.rules,
        programmed_generation=generation,
        programmed_annotations=verdict.annotations,
    )


def _mark_unprogrammed(marks: Conditions, verdict: Waiting | Conflicting) -> None:
    if isinstance(verdict, Conflicting):
        marks.mark_false(LOAD_BALANCER_READY, "DomainConflict", _CONFLICT_MESSAGE)
    else:
        marks.mark_unknown(
            LOAD_BALANCER_READY, "Uninitialized", "Waiting for load balancer to be ready"
        )


def _at(domain_internal: str) -> LoadBalancer:
    return LoadBalancer((LoadBalancerIngress(domain_internal=domain_internal),))

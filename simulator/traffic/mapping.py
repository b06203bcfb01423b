"""The Ingress of a DomainMapping: its domain leads to a host inside the cluster.

Source: knative/serving `pkg/reconciler/domainmapping/resources/ingress.go`. The gateway takes it as
one more host of the route that has the target's host (`rows.mappings_of`).
"""

from __future__ import annotations

from simulator.resources.domainmapping import (
    LABEL_DOMAIN_MAPPING_NAMESPACE,
    LABEL_DOMAIN_MAPPING_UID,
    DomainMapping,
)
from simulator.resources.meta import LAST_APPLIED, ObjectMeta, child_name, controller_reference
from simulator.resources.networking import (
    VISIBILITY_EXTERNAL,
    Ingress,
    IngressHttp,
    IngressPath,
    IngressRule,
    IngressSpec,
    IngressSplit,
)

HEADER_ORIGINAL_HOST = "K-Original-Host"
PORT_HTTP = 80


def mapping_ingress_name(mapping: DomainMapping) -> str:
    """Return the name of a DomainMapping's Ingress: the domain, shortened when it is long."""
    return child_name(mapping.metadata.name, "")


def make_mapping_ingress(mapping: DomainMapping, target: str) -> Ingress:
    """Return the Ingress that sends the domain's requests to `target`, "NAME.NAMESPACE.svc…"."""
    meta = mapping.metadata
    split = IngressSplit(
        service_namespace=meta.namespace,
        service_name=target.partition(".")[0],
        service_port=PORT_HTTP,
        percent=100,
        append_headers={HEADER_ORIGINAL_HOST: meta.name},
    )
    path = IngressPath(splits=(split,), rewrite_host=target)
    return Ingress(
        metadata=ObjectMeta(
            name=mapping_ingress_name(mapping),
            namespace=meta.namespace,
            labels=meta.labels
            | {
                LABEL_DOMAIN_MAPPING_UID: mapping.uid,
                LABEL_DOMAIN_MAPPING_NAMESPACE: meta.namespace,
            },
            annotations={k: v for k, v in meta.annotations.items() if k != LAST_APPLIED},
            owner_references=(controller_reference(mapping),),
        ),
        spec=IngressSpec(
            http_option="Enabled",
            rules=(IngressRule((meta.name,), VISIBILITY_EXTERNAL, IngressHttp((path,))),),
        ),
    )

"""networking.internal.knative.dev: what routes ask of the gateway."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import domainmapping, networking

NETWORKING: Meanings = {
    networking.Ingress: Meaning(
        "What one Route asks of the gateway: hosts, and who answers for them. Made by the route"
        " controller.",
        {"spec": "What is asked.", "status": "What the gateway does."},
    ),
    networking.IngressSpec: Meaning(
        "Hosts, and who answers for them.",
        {
            "httpOption": "Enabled, or Redirected to send HTTP over to HTTPS; the gateway has no"
            " HTTPS.",
            "rules": "One for each set of hosts.",
        },
    ),
    networking.IngressRule: Meaning(
        "What happens to the requests for some hosts.",
        {
            "hosts": "The hosts.",
            "visibility": "ExternalIP for everybody, ClusterLocal for the inside alone.",
            "http": "Who answers.",
        },
    ),
    networking.IngressHttp: Meaning(
        "Who answers, by path and header.", {"paths": "The first that fits counts."}
    ),
    networking.IngressPath: Meaning(
        "Requests that are alike, and how they are split.",
        {
            "splits": "The revisions, with the share of each.",
            "path": "The beginning of the path; any when left out.",
            "headers": "Headers that a request must have, each with its exact value.",
            "appendHeaders": "Headers that every request is given along.",
            "rewriteHost": "The host under which the request goes on.",
        },
    ),
    networking.IngressSplit: Meaning(
        "One share of the requests.",
        {
            "serviceNamespace": "The namespace of the revision.",
            "serviceName": "The revision.",
            "servicePort": "The port of the revision's own service: 80, or a name.",
            "percent": "The share, from 0 to 100.",
            "appendHeaders": "Headers that these requests are given along.",
        },
    ),
    networking.IngressStatus: Meaning(
        "What the gateway does.",
        {
            "observedGeneration": "The generation of the spec that this status speaks of.",
            "conditions": "Ready when every gateway worker serves the rules.",
            "publicLoadBalancer": "Where requests from outside arrive.",
            "privateLoadBalancer": "Where requests from inside arrive.",
            "programmed": "The rules that are served now.",
            "programmedGeneration": "The generation that they are of.",
            "programmedAnnotations": "The annotations of knary that they are split by.",
        },
    ),
    networking.LoadBalancer: Meaning(
        "Where requests arrive.", {"ingress": "The places, each by itself enough."}
    ),
    networking.LoadBalancerIngress: Meaning(
        "One place where requests arrive.",
        {
            "ip": "Its address.",
            "domain": "Its name outside.",
            "domainInternal": "Its name inside.",
            "meshOnly": "Whether only a service mesh reaches it.",
        },
    ),
    domainmapping.ClusterDomainClaim: Meaning(
        "A claim that keeps a domain, the object's name, in one namespace.",
        {"spec": "Whose the domain is."},
    ),
    domainmapping.ClusterDomainClaimSpec: Meaning(
        "Whose the domain is.", {"namespace": "The namespace that may map the domain."}
    ),
}

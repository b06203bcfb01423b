"""What Knative makes around a revision: Deployment, Service, Endpoints and Image."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import apps, caching, endpoints, endpointslices

_SPEC, _STATUS = "What is wanted.", "What is so."
_NO_EFFECT = "Stored and shown; nothing here acts on it."

WORKLOADS: Meanings = {
    apps.Deployment: Meaning(
        "How many replicas a revision has, and how many should run. Made by knary from the"
        " revision; it can be read and deleted.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    apps.DeploymentSpec: Meaning(
        "Replicas that are alike.",
        {
            "replicas": "How many there should be.",
            "selector": "The labels by which its Pods are known.",
            "template": "What each of them is made of.",
            "strategy": f"How old ones are replaced by new ones. {_NO_EFFECT}",
            "minReadySeconds": f"How long one must be ready to count. {_NO_EFFECT}",
            "revisionHistoryLimit": f"How many old versions are kept. {_NO_EFFECT}",
            "paused": f"Whether nothing is replaced for now. {_NO_EFFECT}",
            "progressDeadlineSeconds": "How long it may take to become ready before it has failed.",
        },
    ),
    apps.LabelSelector: Meaning(
        "Labels that an object must have.",
        {
            "matchLabels": "Names, each with its exact value.",
            "matchExpressions": "Names, each with a rule.",
        },
    ),
    apps.LabelRequirement: Meaning(
        "A rule about one label.",
        {
            "key": "The label's name.",
            "operator": "In, NotIn, Exists or DoesNotExist.",
            "values": "The values that In and NotIn speak of.",
        },
    ),
    apps.PodTemplate: Meaning(
        "What a replica is made of.",
        {"metadata": "Its labels and annotations.", "spec": "What it runs."},
    ),
    apps.PodMeta: Meaning(
        "What a template gives its Pods along.",
        {
            "labels": "The labels of the Pods.",
            "annotations": "The annotations of the Pods.",
            "creationTimestamp": "Without effect.",
        },
    ),
    apps.DeploymentStrategy: Meaning(
        f"How old replicas are replaced. {_NO_EFFECT}",
        {"type": "RollingUpdate or Recreate.", "rollingUpdate": "How many at a time."},
    ),
    apps.RollingUpdate: Meaning(
        "How many replicas are replaced at a time, by number or percent.",
        {
            "maxUnavailable": "How many may be missing meanwhile.",
            "maxSurge": "How many more there may be meanwhile.",
        },
    ),
    apps.DeploymentStatus: Meaning(
        "How many replicas there are.",
        {
            "observedGeneration": "The generation of the spec that this status speaks of.",
            "replicas": "How many there are.",
            "updatedReplicas": "How many are of the present template.",
            "readyReplicas": "How many may get requests.",
            "availableReplicas": "How many have been ready for long enough.",
            "unavailableReplicas": "How many are missing.",
            "terminatingReplicas": "How many are about to end.",
            "conditions": "What is so and what is not: Available and Progressing.",
            "collisionCount": "How often a name was taken already.",
        },
    ),
    apps.DeploymentCondition: Meaning(
        "One thing that is so, is not so, or is not known.",
        {
            "type": "Available, Progressing or ReplicaFailure.",
            "status": "True, False or Unknown.",
            "lastUpdateTime": "When it was last looked at.",
            "lastTransitionTime": "When the status became what it is.",
            "reason": "Why, in a word.",
            "message": "Why, in a sentence.",
        },
    ),
    endpoints.CoreService: Meaning(
        "A name inside the cluster, Kubernetes' own kind: knary makes those that Knative makes for"
        " routes and revisions. A Knative Service is a ksvc.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    endpoints.CoreServiceSpec: Meaning(
        "Who answers under the name. There is no network of the cluster's own here, so most of it"
        " is stored and shown, and no more.",
        {
            "ports": "The ports that are answered.",
            "selector": "The labels of the Pods that answer.",
            "clusterIP": "The address; None when there is none.",
            "clusterIPs": "The same, as a list.",
            "type": "ClusterIP, NodePort, LoadBalancer, or ExternalName for another name.",
            "externalIPs": "Further addresses that are answered.",
            "sessionAffinity": "ClientIP when a client stays with its Pod, else None.",
            "sessionAffinityConfig": "For how long it stays.",
            "loadBalancerIP": "The address that is asked for.",
            "loadBalancerSourceRanges": "The addresses that may ask.",
            "loadBalancerClass": "Who makes the load balancer.",
            "externalName": "The other name that this one stands for.",
            "externalTrafficPolicy": "Cluster, or Local for Pods of the same node.",
            "internalTrafficPolicy": "The same for requests from inside.",
            "healthCheckNodePort": "The port that tells whether a node has Pods.",
            "publishNotReadyAddresses": "Whether Pods that are not ready count too.",
            "ipFamilies": "IPv4, IPv6 or both.",
            "ipFamilyPolicy": "Whether one of them will do.",
            "allocateLoadBalancerNodePorts": "Whether nodes get ports too.",
            "trafficDistribution": "Which Pods are preferred.",
        },
    ),
    endpoints.ServicePort: Meaning(
        "One port.",
        {
            "name": "The port's name.",
            "protocol": "TCP, UDP or SCTP.",
            "appProtocol": "What is spoken, such as kubernetes.io/h2c.",
            "port": "The port under the name.",
            "targetPort": "The port of the Pods, by number or name.",
            "nodePort": "The port of every node.",
        },
    ),
    endpoints.SessionAffinityConfig: Meaning(
        "How a client stays with its Pod.", {"clientIP": "By its address."}
    ),
    endpoints.ClientIpConfig: Meaning(
        "A client known by its address.", {"timeoutSeconds": "How long it stays with its Pod."}
    ),
    endpoints.CoreServiceStatus: Meaning(
        "Where it is reached from outside.", {"loadBalancer": "The load balancer, if any."}
    ),
    endpoints.LoadBalancerStatus: Meaning(
        "Where requests arrive.", {"ingress": "The places, each by itself enough."}
    ),
    endpoints.LoadBalancerAddress: Meaning(
        "One place where requests arrive.",
        {
            "ip": "Its address.",
            "hostname": "Its name.",
            "ipMode": "VIP or Proxy.",
            "ports": "Its ports.",
        },
    ),
    endpoints.PortStatus: Meaning(
        "One port of a load balancer.",
        {"port": "The port.", "protocol": "TCP or UDP.", "error": "What is wrong with it."},
    ),
    endpoints.Endpoints: Meaning(
        "The addresses behind a Service of the same name: the replicas that are ready.",
        {"subsets": "Addresses and ports that go together."},
    ),
    endpoints.EndpointSubset: Meaning(
        "Addresses, each with all of the ports.",
        {
            "addresses": "Those that are ready.",
            "notReadyAddresses": "Those that are not.",
            "ports": "The ports.",
        },
    ),
    endpoints.EndpointAddress: Meaning(
        "One address.",
        {
            "ip": "The address.",
            "hostname": "Its name.",
            "nodeName": "The machine that it is on.",
            "targetRef": "The Pod that has it.",
        },
    ),
    endpoints.EndpointPort: Meaning(
        "One port.",
        {
            "name": "The port's name.",
            "port": "The port.",
            "protocol": "TCP, UDP or SCTP.",
            "appProtocol": "What is spoken.",
        },
    ),
    endpointslices.EndpointSlice: Meaning(
        "Some of the addresses behind a Service, which its label kubernetes.io/service-name names.",
        {
            "addressType": "IPv4, IPv6 or FQDN; for good.",
            "endpoints": "The replicas, 1,000 at most.",
            "ports": "The ports of each of them.",
        },
    ),
    endpointslices.Endpoint: Meaning(
        "One replica.",
        {
            "addresses": "Where it is reached; the first one counts.",
            "conditions": "Whether it takes requests.",
            "hostname": "Its name.",
            "targetRef": "The Pod that it is.",
            "deprecatedTopology": f"Where it is, as v1beta1 had it. {_NO_EFFECT}",
            "nodeName": "The machine that it is on.",
            "zone": "The zone that it is in.",
            "hints": f"From where it should be asked. {_NO_EFFECT}",
        },
    ),
    endpointslices.EndpointConditions: Meaning(
        "What a replica does at the moment.",
        {
            "ready": "It takes requests, and is not about to go.",
            "serving": "It takes requests, whether it is about to go or not.",
            "terminating": "It is about to go.",
        },
    ),
    endpointslices.EndpointHints: Meaning(
        "From where a replica should be asked.",
        {"forZones": "The zones, eight at most.", "forNodes": "The machines, eight at most."},
    ),
    endpointslices.ForZone: Meaning("One zone.", {"name": "The zone's name."}),
    endpointslices.ForNode: Meaning("One machine.", {"name": "The machine's name."}),
    endpointslices.SlicePort: Meaning(
        "One port.",
        {
            "name": "The port's name, as the Service has it.",
            "protocol": "TCP, UDP or SCTP.",
            "port": "The port.",
            "appProtocol": "What is spoken.",
        },
    ),
    caching.Image: Meaning(
        "An image that a revision runs: which program it stands for, for good.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    caching.ImageSpec: Meaning(
        "Which image.",
        {
            "image": "The image, by digest.",
            "serviceAccountName": f"The account that it is pulled with. {_NO_EFFECT}",
            "imagePullSecrets": f"The Secrets that it is pulled with. {_NO_EFFECT}",
        },
    ),
    caching.ImageStatus: Meaning(
        "What has become of it.",
        {
            "observedGeneration": "The generation of the spec that this status speaks of.",
            "conditions": "What is so and what is not.",
        },
    ),
}

"""serving.knative.dev: Service, Configuration, Revision, Route and DomainMapping."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import domainmapping, serving

_SPEC = "What is wanted."
_STATUS = "What is so, written by the controllers."

# What the status of every Knative kind says.
_KNATIVE_STATUS: Mapping[str, str] = {
    "observedGeneration": "The generation of the spec that this status speaks of; while it is"
    " behind metadata.generation the status is of yesterday.",
    "conditions": "What is so and what is not. Ready sums the others up.",
    "annotations": "Further facts that controllers note down.",
}
_LATEST: Mapping[str, str] = {
    "latestCreatedRevisionName": "The newest revision, ready or not.",
    "latestReadyRevisionName": "The newest revision that has become ready. Traffic to the latest"
    " revision goes here.",
}
_ROUTED: Mapping[str, str] = {
    "url": "Where it is reached, as others write it: the host decides, so ask the gateway's port"
    " with this Host.",
    "address": "Where it is reached from inside.",
    "traffic": "Who gets how much right now: the spec's shares, with names and URLs filled in.",
}
_TRAFFIC = (
    "Who gets how much of the requests. The percents make 100 together; a target with a tag and"
    " no percent is reached by its tag alone."
)
_TEMPLATE = "The next revision. Each change of it makes a new one; the older ones stay as they are."

SERVING: Meanings = {
    serving.Service: Meaning(
        "A program that answers HTTP, whole: a Configuration that keeps its revisions and a Route"
        " that splits its requests among them, both made and kept by the Service.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    serving.ServiceSpec: Meaning(
        "The program that is to run, and how its requests are split.",
        {
            "template": _TEMPLATE,
            "traffic": f"{_TRAFFIC} Left out, everything goes to the latest revision that is"
            " ready.",
        },
    ),
    serving.ServiceStatus: Meaning(
        "What has become of the Service.", {**_KNATIVE_STATUS, **_LATEST, **_ROUTED}
    ),
    serving.Configuration: Meaning(
        "The wanted state of a program: of each change it makes a Revision.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    serving.ConfigurationSpec: Meaning("The program that is to run.", {"template": _TEMPLATE}),
    serving.ConfigurationStatus: Meaning(
        "What has become of the Configuration.", {**_KNATIVE_STATUS, **_LATEST}
    ),
    serving.RevisionTemplate: Meaning(
        "What a revision is made of.",
        {
            "metadata": "The name, labels and annotations of the revision that is made.",
            "spec": "The program, its environment and its limits.",
        },
    ),
    serving.TemplateMeta: Meaning(
        "What a template gives its revisions along.",
        {
            "name": "The next revision's name, beginning with that of the service and a dash."
            " Left out, it is NAME-00001 and so on. Every change needs another one.",
            "generateName": "The beginning of the next revision's name.",
            "namespace": "Without effect: a revision is where its service is.",
            "creationTimestamp": "Without effect; tools that write YAML leave it there, empty.",
            "labels": "The labels of the revision.",
            "annotations": "The annotations of the revision, such as"
            " autoscaling.knative.dev/min-scale.",
            "finalizers": "Who must be done before the revision goes.",
            "ownerReferences": "What the revision belongs to besides its Configuration.",
        },
    ),
    serving.RevisionSpec: Meaning(
        "One state of the program for good: nothing of it can be changed.",
        {
            "containerConcurrency": "How many requests a replica gets at the same time; 0 is any"
            " number. The others wait.",
            "timeoutSeconds": "How long an answer may take to be complete. 300 when left out.",
            "responseStartTimeoutSeconds": "How long an answer may take to begin.",
            "idleTimeoutSeconds": "How long an answer may pause.",
        },
    ),
    serving.Revision: Meaning(
        "One state of a program, kept for good: it can be gone back to as long as it is there.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    serving.RevisionStatus: Meaning(
        "What has become of the revision.",
        {
            **_KNATIVE_STATUS,
            "logUrl": "Where its logs are, when there is such a place.",
            "containerStatuses": "Which image each container runs, by digest. Empty here: programs"
            " have none.",
            "initContainerStatuses": "The same of init containers.",
            "actualReplicas": "How many replicas are ready.",
            "desiredReplicas": "How many replicas there should be.",
        },
    ),
    serving.ContainerDigest: Meaning(
        "The image of one container.",
        {"name": "The container's name.", "imageDigest": "The image, by digest."},
    ),
    serving.Route: Meaning(
        "A host whose requests are split among revisions, by percent.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    serving.RouteSpec: Meaning("How the requests are split.", {"traffic": _TRAFFIC}),
    serving.RouteStatus: Meaning("What has become of the Route.", {**_KNATIVE_STATUS, **_ROUTED}),
    serving.TrafficTarget: Meaning(
        "One share of the requests: a revision by its name, or the latest one that is ready.",
        {
            "tag": "A name for this target alone: TAG-NAME.NAMESPACE.DOMAIN goes to it whatever"
            " its percent, and so does the header Knative-Serving-Tag where that is allowed.",
            "revisionName": "The revision that gets the share.",
            "configurationName": "The Configuration whose latest ready revision gets the share. In"
            " a Service it is left out.",
            "latestRevision": "Whether the share goes to the latest revision that is ready, now and"
            " later on. It is true exactly when no revision is named.",
            "percent": "The share of all requests, from 0 to 100.",
            "url": "The URL of the tag; only the status says it.",
        },
    ),
    serving.Address: Meaning(
        "Where something is reached.", {"name": "The address's name.", "url": "The address."}
    ),
    domainmapping.DomainMapping: Meaning(
        "A domain of one's own, which is the object's name, in front of a service.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    domainmapping.DomainMappingSpec: Meaning(
        "Which service answers for the domain.",
        {
            "ref": "The service or route that answers.",
            "tls": "The certificate. It is noted, and the URL says https, but the gateway speaks"
            " no TLS.",
        },
    ),
    domainmapping.Reference: Meaning(
        "An object that can be reached.",
        {
            "apiVersion": "Its apiVersion, such as serving.knative.dev/v1.",
            "kind": "Its kind, such as Service.",
            "name": "Its name.",
            "namespace": "Its namespace: that of the mapping, which is filled in.",
            "group": "Its group, instead of apiVersion.",
            "address": "Which of its addresses, when it has several.",
        },
    ),
    domainmapping.SecretTls: Meaning(
        "A certificate.", {"secretName": "The Secret that holds certificate and key."}
    ),
    domainmapping.DomainMappingStatus: Meaning(
        "What has become of the mapping.",
        {
            **_KNATIVE_STATUS,
            "url": "The domain as a URL.",
            "address": "Where it is reached.",
        },
    ),
}

"""core/v1: Namespace, ConfigMap, Secret, ServiceAccount, Pod and Event."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import core

_SPEC, _STATUS = "What is wanted.", "What is so."

CORE: Meanings = {
    core.Namespace: Meaning(
        "A name around other names: objects of two namespaces never collide, and deleting one"
        " deletes all that is in it.",
        {"spec": _SPEC, "status": _STATUS},
    ),
    core.NamespaceSpec: Meaning(
        "What must be done before it goes.",
        {"finalizers": "Who has something to do before it goes."},
    ),
    core.NamespaceStatus: Meaning(
        "How far it has come.",
        {"phase": "Active, or Terminating while its contents are deleted."},
    ),
    core.ConfigMap: Meaning(
        "Settings by name, as texts or bytes. Those in knative-serving are settings of this very"
        " instance.",
        {
            "data": "The texts.",
            "binaryData": "The bytes, each in base64.",
            "immutable": "Whether nothing of it can be changed any more.",
        },
    ),
    core.Secret: Meaning(
        "What others should not read, by name: passwords, keys, certificates. Stored here like"
        " everything else, in a folder that its owner alone can read.",
        {
            "type": "What it holds, such as Opaque or kubernetes.io/tls.",
            "data": "The values, each in base64.",
            "stringData": "Values as they are: they go into data, and are never shown.",
            "immutable": "Whether nothing of it can be changed any more.",
        },
    ),
    core.ServiceAccount: Meaning(
        "A name to act under. No program here acts as one.",
        {
            "secrets": "The Secrets that it may use.",
            "imagePullSecrets": "The Secrets with which images are pulled.",
            "automountServiceAccountToken": "Whether its replicas get a token.",
        },
    ),
    core.LocalObjectReference: Meaning(
        "An object of the same namespace.", {"name": "The object's name."}
    ),
    core.Pod: Meaning(
        "One replica of a revision: a process of this machine. Made by knary; it can be read and"
        " deleted.",
        {"spec": "What runs.", "status": _STATUS},
    ),
    core.PodTemplateSpec: Meaning(
        "What a replica runs.",
        {
            "restartPolicy": "Always: a program that ends is started again.",
            "terminationGracePeriodSeconds": "How long it may take to end after SIGTERM.",
            "nodeName": "The machine that it runs on.",
        },
    ),
    core.PodStatus: Meaning(
        "How the replica is.",
        {
            "phase": "Pending, Running, Succeeded or Failed.",
            "conditions": "What is so and what is not; Ready sums it up.",
            "message": "Why it is so, in a sentence.",
            "reason": "Why it is so, in a word.",
            "hostIP": "The machine's address.",
            "podIP": "The replica's address.",
            "hostIPs": "The same, as a list.",
            "podIPs": "The same, as a list.",
            "qosClass": "BestEffort, Burstable or Guaranteed, by what its containers ask for.",
            "startTime": "When it was first looked after.",
            "containerStatuses": "How each of its containers is.",
        },
    ),
    core.ContainerStatus: Meaning(
        "How one container is.",
        {
            "name": "The container's name.",
            "state": "What it does now.",
            "lastState": "How it ended the last time.",
            "ready": "Whether it may get requests.",
            "restartCount": "How often it was started again.",
            "image": "Its image.",
            "imageID": "The image by digest; empty, as programs have none.",
            "containerID": "The container itself.",
            "started": "Whether its startup probe has succeeded.",
        },
    ),
    core.PodIp: Meaning("One address.", {"ip": "The address."}),
    core.ContainerState: Meaning(
        "One of the three.",
        {
            "waiting": "It does not run yet, or not at the moment.",
            "running": "It runs.",
            "terminated": "It has ended.",
        },
    ),
    core.Waiting: Meaning(
        "Why a container does not run.",
        {"reason": "Why, in a word, such as CrashLoopBackOff.", "message": "Why, in a sentence."},
    ),
    core.Running: Meaning("A container that runs.", {"startedAt": "Since when it runs."}),
    core.Terminated: Meaning(
        "How a container ended.",
        {
            "exitCode": "What its program ended with.",
            "signal": "The signal that ended it.",
            "reason": "Why, in a word.",
            "message": "Why, in a sentence.",
            "startedAt": "When it was started.",
            "finishedAt": "When it ended.",
        },
    ),
    core.Event: Meaning(
        "Something that happened to an object. Made by knary; it can be read and deleted.",
        {
            "involvedObject": "The object that it happened to.",
            "reason": "What happened, in a word.",
            "message": "What happened, in a sentence.",
            "type": "Normal or Warning.",
            "count": "How often it happened.",
            "firstTimestamp": "When it happened first.",
            "lastTimestamp": "When it happened last.",
            "eventTime": "When it happened, when that is known better than to a second.",
            "source": "Who tells of it.",
            "reportingComponent": "Which controller tells of it.",
            "reportingInstance": "Which instance of that controller.",
            "action": "What was done about it.",
            "related": "Another object that had to do with it.",
            "series": "How often it happened, when it still goes on.",
        },
    ),
    core.EventSeries: Meaning(
        "An event that goes on.",
        {"count": "How often it happened.", "lastObservedTime": "When it happened last."},
    ),
    core.EventSource: Meaning(
        "Who tells of an event.", {"component": "The component.", "host": "The machine it runs on."}
    ),
    core.ObjectReference: Meaning(
        "A name for another object.",
        {
            "apiVersion": "Its apiVersion.",
            "kind": "Its kind.",
            "namespace": "Its namespace.",
            "name": "Its name.",
            "uid": "Its uid.",
            "resourceVersion": "Its version.",
            "fieldPath": "The part of it that is meant.",
        },
    ),
}

"""ObjectMeta, owner references and conditions."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import conditions, meta

META: Meanings = {
    meta.ObjectMeta: Meaning(
        "Who an object is: its name and version, its labels, and what keeps it alive.",
        {
            "name": "The name, unique among the objects of one kind in a namespace. It cannot be"
            " changed.",
            "generateName": "The beginning of a name: the server adds five characters to it when"
            " no name is given.",
            "namespace": "The namespace that the object is in. It cannot be changed.",
            "uid": "A name for this very object: one made later under the same name has another.",
            "resourceVersion": "The version of the object, raised by every change. Sent back with"
            " a write it makes sure that nobody else has written meanwhile.",
            "generation": "How often the spec has been changed. A controller that has seen a"
            " generation says so in status.observedGeneration.",
            "creationTimestamp": "When the object was made.",
            "deletionTimestamp": "When its deletion was asked for; it goes when no finalizer is"
            " left.",
            "deletionGracePeriodSeconds": "How long the object may take to end once its deletion"
            " has been asked for.",
            "labels": "Names and values to choose objects by, as in kubectl get -l app=shop.",
            "annotations": "Names and values for tools and controllers, by which nothing is"
            " chosen.",
            "finalizers": "What must be done before the object goes, each taken away by who does"
            " it.",
            "ownerReferences": "The objects that this one belongs to; when all are gone it goes"
            " too.",
            "managedFields": "Which manager has set which fields, for kubectl apply --server-side.",
        },
    ),
    meta.OwnerReference: Meaning(
        "An object that this one belongs to, in the same namespace or in none.",
        {
            "apiVersion": "The owner's apiVersion.",
            "kind": "The owner's kind.",
            "name": "The owner's name.",
            "uid": "The owner's uid: another object of its name is not the owner.",
            "controller": "Whether the owner made this object and keeps it as it should be; at"
            " most one does.",
            "blockOwnerDeletion": "Whether an owner that is deleted in the foreground waits for"
            " this object.",
        },
    ),
    meta.ManagedFieldsEntry: Meaning(
        "Which fields one manager has set, and how.",
        {
            "manager": "Who set them, such as kubectl or kn.",
            "operation": "Apply, or Update for all other writes.",
            "apiVersion": "The version of the API in which the fields are named.",
            "time": "When the entry was last changed.",
            "fieldsType": "FieldsV1, the only format there is.",
            "fieldsV1": "The fields, as a tree whose keys begin with f:, k:, v: or a dot.",
            "subresource": "status when they were set there, else empty.",
        },
    ),
    conditions.Condition: Meaning(
        "One thing that is so, is not so, or is not known yet, since when and why.",
        {
            "type": "What it is about, such as Ready.",
            "status": "True, False or Unknown.",
            "severity": "Empty when it decides whether the object is Ready; Warning or Info when"
            " it is only told.",
            "lastTransitionTime": "When the status became what it is.",
            "reason": "One word for programs, such as RevisionMissing.",
            "message": "The same for people, in a sentence.",
        },
    ),
}

"""The messages that every kind has, and the options of a delete.

Source: apimachinery `pkg/apis/meta/v1/generated.proto`.
"""

from __future__ import annotations

from simulator.api.protobuf.messages import (
    Field,
    Message,
    optional,
    part,
    parts,
    text,
    text_map,
    texts,
)

OWNER_REFERENCE = Message(
    "OwnerReference",
    {
        1: text("kind"),
        3: text("name"),
        4: text("uid"),
        5: text("apiVersion"),
        6: optional("controller", "bool"),
        7: optional("blockOwnerDeletion", "bool"),
    },
)
MANAGED_FIELDS_ENTRY = Message(
    "ManagedFieldsEntry",
    {
        1: text("manager"),
        2: text("operation"),
        3: text("apiVersion"),
        4: Field("time", "time"),
        6: text("fieldsType"),
        7: Field("fieldsV1", "fields", keeps_zero=True),
        8: text("subresource"),
    },
)
OBJECT_META = Message(
    "ObjectMeta",
    {
        1: text("name"),
        2: text("generateName"),
        3: text("namespace"),
        4: text("selfLink"),
        5: text("uid"),
        6: text("resourceVersion"),
        7: Field("generation", "int64"),
        8: Field("creationTimestamp", "time"),
        9: Field("deletionTimestamp", "time"),
        10: optional("deletionGracePeriodSeconds", "int64"),
        11: text_map("labels"),
        12: text_map("annotations"),
        13: parts("ownerReferences", OWNER_REFERENCE),
        14: texts("finalizers"),
        17: parts("managedFields", MANAGED_FIELDS_ENTRY),
    },
)
LABEL_SELECTOR_REQUIREMENT = Message(
    "LabelSelectorRequirement", {1: text("key"), 2: text("operator"), 3: texts("values")}
)
LABEL_SELECTOR = Message(
    "LabelSelector",
    {1: text_map("matchLabels"), 2: parts("matchExpressions", LABEL_SELECTOR_REQUIREMENT)},
)
CONDITION = Message(
    "Condition",
    {
        1: text("type"),
        2: text("status"),
        3: Field("observedGeneration", "int64"),
        4: Field("lastTransitionTime", "time"),
        5: text("reason"),
        6: text("message"),
    },
)
PRECONDITIONS = Message(
    "Preconditions",
    {1: optional("uid", "string"), 2: optional("resourceVersion", "string")},
)
DELETE_OPTIONS = Message(
    "DeleteOptions",
    {
        1: optional("gracePeriodSeconds", "int64"),
        2: part("preconditions", PRECONDITIONS),
        3: optional("orphanDependents", "bool"),
        4: optional("propagationPolicy", "string"),
        5: texts("dryRun"),
    },
)

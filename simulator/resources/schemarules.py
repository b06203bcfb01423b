"""What the CRDs of Knative say beyond types.

Sources: knative/serving `config/core/300-resources`; apiextensions-apiserver (pruning, list maps).
"""

from __future__ import annotations

import re

from msgspec import Struct

from simulator.resources import core, meta, podparts, podspec, podtypes, serving

# JSON names that a part of a core object must have, beyond the struct fields without a default. In
# Knative's kinds the webhook has made them empty texts by now, and says itself what is missing.
REQUIRED: dict[type, tuple[str, ...]] = {
    podspec.EnvVar: ("name",),
    podspec.HttpHeader: ("name", "value"),
    podspec.VolumeMount: ("mountPath", "name"),
}

# The list that each of these must lead to. One that is missing, with whatever leads to it, the
# webhook has made null by now, which is no array.
REQUIRED_LISTS: dict[type, tuple[str, ...]] = {
    serving.RevisionSpec: ("containers",),
    serving.RevisionTemplate: ("spec", "containers"),
    serving.ServiceSpec: ("template", "spec", "containers"),
    serving.ConfigurationSpec: ("template", "spec", "containers"),
    serving.Service: ("spec", "template", "spec", "containers"),
    serving.Configuration: ("spec", "template", "spec", "containers"),
    serving.Revision: ("spec", "containers"),
}

# Lists whose items are told apart by one of their fields.
LIST_KEYS: dict[tuple[type, str], str] = {
    (podspec.Container, "env"): "name",
    (podspec.Container, "volumeMounts"): "mountPath",
    **{
        (holder, field): "name"
        for holder in (podspec.PodSpec, serving.RevisionSpec, core.PodTemplateSpec)
        for field in ("volumes", "imagePullSecrets")
    },
}

# Where the types are of fields that the schema leaves open (`podtypes`).
TYPED: dict[type, type[Struct]] = {
    podparts.Volume: podtypes.VOLUME,
    podspec.PodSpec: podtypes.POD,
    serving.RevisionSpec: podtypes.POD,
    core.PodTemplateSpec: podtypes.POD,
}

# Parts whose unknown fields are dropped without a word: the schema lets them pass.
OPEN: frozenset[type] = frozenset({serving.TemplateMeta})
OPEN_FIELD = "initContainers"  # so is all below this field

# Fields of a Pod that the schema of Knative's kinds does not know, but for init containers.
PRUNED: dict[type, frozenset[str]] = {
    podspec.ContainerPort: frozenset({"hostIP", "hostPort"}),
    podspec.Probe: frozenset({"terminationGracePeriodSeconds"}),
    podspec.ResourceRequirements: frozenset({"claims"}),
    podspec.VolumeMount: frozenset({"recursiveReadOnly", "subPathExpr"}),
}

# Fields of Kubernetes that mean nothing here, and are no mistake of the client.
IGNORED: dict[type, frozenset[str]] = {meta.ObjectMeta: frozenset({"selfLink"})}

_time = re.compile(r"(Timestamp|Time)$|^time$|^(started|finished)At$")


def is_time(field: str) -> bool:
    """Tell whether a field of this JSON name holds a moment, when it is a text."""
    return _time.search(field) is not None

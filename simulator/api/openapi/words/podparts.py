"""The parts of a pod that are kept as they were sent: volumes, values from elsewhere, rights."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import podparts

_MODE = "The file's rights, in decimal: 420 is 0644."
_KEY: Mapping[str, str] = {
    "name": "The object's name.",
    "key": "Which of its keys.",
    "optional": "Whether it may be missing.",
}
_WHOLE: Mapping[str, str] = {
    "name": "The object's name.",
    "optional": "Whether it may be missing.",
}
_ITEMS = "Which keys become which files; all of them, by their names, when left out."
_FILES: Mapping[str, str] = {**_WHOLE, "items": _ITEMS, "defaultMode": f"{_MODE} 0644 is usual."}

PODPARTS: Meanings = {
    podparts.EnvVarSource: Meaning(
        "Where a value is taken from: one of these.",
        {
            "configMapKeyRef": "A key of a ConfigMap.",
            "secretKeyRef": "A key of a Secret.",
            "fieldRef": "A field of the Pod, where that feature is on.",
            "resourceFieldRef": "A limit of the container, where that feature is on.",
        },
    ),
    podparts.ConfigMapKeySelector: Meaning("One key of a ConfigMap.", _KEY),
    podparts.SecretKeySelector: Meaning("One key of a Secret.", _KEY),
    podparts.ConfigMapEnvSource: Meaning("All of a ConfigMap.", _WHOLE),
    podparts.SecretEnvSource: Meaning("All of a Secret.", _WHOLE),
    podparts.LocalObjectReference: Meaning(
        "An object of the same namespace.", {"name": "The object's name."}
    ),
    podparts.SecurityContext: Meaning(
        "The user and the rights of a program. Stored and shown; here it runs as you.",
        {
            "allowPrivilegeEscalation": "Whether it may gain rights that it did not begin with.",
            "capabilities": "Single rights of root's that it has or has not.",
            "privileged": "Whether it may do everything.",
            "readOnlyRootFilesystem": "Whether its own files cannot be written to.",
            "runAsGroup": "The group that it runs as.",
            "runAsNonRoot": "Whether it must not run as root.",
            "runAsUser": "The user that it runs as.",
            "seccompProfile": "Which system calls it may make.",
        },
    ),
    podparts.Capabilities: Meaning(
        "Single rights of root's.", {"add": "Those that it gets.", "drop": "Those that it loses."}
    ),
    podparts.SeccompProfile: Meaning(
        "Which system calls a program may make.",
        {
            "type": "RuntimeDefault, Unconfined or Localhost.",
            "localhostProfile": "The profile's file, for Localhost.",
        },
    ),
    podparts.Volume: Meaning(
        "Files for containers, under a name: one of the kinds below.",
        {
            "name": "The name that volumeMounts refer to.",
            "configMap": "Files of a ConfigMap, one per key.",
            "secret": "Files of a Secret, one per key.",
            "projected": "Files of several of these, together.",
            "emptyDir": "An empty folder that lives as long as the replica.",
            "csi": "A driver's, where that feature is on.",
            "ephemeral": "Storage made for the replica, where that feature is on.",
            "hostPath": "A path of the node, where that feature is on.",
            "image": "The files of an image, where that feature is on.",
            "persistentVolumeClaim": "Storage that stays, where that feature is on.",
        },
    ),
    podparts.ConfigMapVolumeSource: Meaning("Files of a ConfigMap.", _FILES),
    podparts.SecretVolumeSource: Meaning(
        "Files of a Secret.",
        {
            "secretName": "The Secret's name.",
            "items": _ITEMS,
            "defaultMode": f"{_MODE} 0644 is usual.",
            "optional": "Whether it may be missing.",
        },
    ),
    podparts.KeyToPath: Meaning(
        "One key as one file.",
        {"key": "The key.", "path": "The file, below the volume's folder.", "mode": _MODE},
    ),
    podparts.ProjectedVolumeSource: Meaning(
        "Files from several places.",
        {"sources": "The places.", "defaultMode": f"{_MODE} 0644 is usual."},
    ),
    podparts.VolumeProjection: Meaning(
        "One place that files come from: one of these.",
        {
            "configMap": "A ConfigMap.",
            "secret": "A Secret.",
            "serviceAccountToken": "A token of the replica's account.",
            "downwardAPI": "Facts about the replica.",
        },
    ),
    podparts.ConfigMapProjection: Meaning("Files of a ConfigMap.", {**_WHOLE, "items": _ITEMS}),
    podparts.SecretProjection: Meaning("Files of a Secret.", {**_WHOLE, "items": _ITEMS}),
    podparts.ServiceAccountTokenProjection: Meaning(
        "A token as a file.",
        {
            "path": "The file, below the volume's folder.",
            "audience": "Whom the token is for.",
            "expirationSeconds": "How long the token is good.",
        },
    ),
    podparts.DownwardAPIProjection: Meaning(
        "Facts about the replica, as files.", {"items": "The files."}
    ),
    podparts.DownwardAPIVolumeFile: Meaning(
        "One fact as one file.",
        {
            "path": "The file, below the volume's folder.",
            "fieldRef": "A field of the Pod.",
            "resourceFieldRef": "A limit of a container.",
            "mode": _MODE,
        },
    ),
    podparts.ObjectFieldSelector: Meaning(
        "A field of the Pod.",
        {
            "fieldPath": "The field, such as metadata.name.",
            "apiVersion": "The version in which it is named.",
        },
    ),
    podparts.ResourceFieldSelector: Meaning(
        "A limit of a container.",
        {
            "resource": "Which, such as limits.memory.",
            "containerName": "Whose.",
            "divisor": "The unit it is told in.",
        },
    ),
}

"""The messages of a pod, as far as knary keeps its fields; others are passed over.

Source: kubernetes/api `core/v1/generated.proto`.
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

LOCAL_OBJECT_REFERENCE = Message("LocalObjectReference", {1: text("name")})

# One key of a ConfigMap or Secret, and all of one.
_KEY_SELECTOR = Message(
    "KeySelector",
    {1: part("", LOCAL_OBJECT_REFERENCE), 2: text("key"), 3: optional("optional", "bool")},
)
_ENV_SOURCE = Message(
    "EnvSource", {1: part("", LOCAL_OBJECT_REFERENCE), 2: optional("optional", "bool")}
)
_KEY_TO_PATH = Message("KeyToPath", {1: text("key"), 2: text("path"), 3: optional("mode", "int32")})
_CONFIG_MAP_VOLUME = Message(
    "ConfigMapVolumeSource",
    {
        1: part("", LOCAL_OBJECT_REFERENCE),
        2: parts("items", _KEY_TO_PATH),
        3: optional("defaultMode", "int32"),
        4: optional("optional", "bool"),
    },
)
_SECRET_VOLUME = Message(
    "SecretVolumeSource",
    {
        1: text("secretName"),
        2: parts("items", _KEY_TO_PATH),
        3: optional("defaultMode", "int32"),
        4: optional("optional", "bool"),
    },
)
_PROJECTION = Message(
    "Projection",
    {
        1: part("", LOCAL_OBJECT_REFERENCE),
        2: parts("items", _KEY_TO_PATH),
        4: optional("optional", "bool"),
    },
)
_TOKEN_PROJECTION = Message(
    "ServiceAccountTokenProjection",
    {1: text("audience"), 2: optional("expirationSeconds", "int64"), 3: text("path")},
)
_VOLUME_PROJECTION = Message(
    "VolumeProjection",
    {
        1: part("secret", _PROJECTION),
        3: part("configMap", _PROJECTION),
        4: part("serviceAccountToken", _TOKEN_PROJECTION),
    },
)
_PROJECTED_VOLUME = Message(
    "ProjectedVolumeSource",
    {1: parts("sources", _VOLUME_PROJECTION), 2: optional("defaultMode", "int32")},
)
_VOLUME_SOURCE = Message(
    "VolumeSource",
    {
        1: part(
            "hostPath",
            Message("HostPathVolumeSource", {1: text("path"), 2: optional("type", "string")}),
        ),
        2: part(
            "emptyDir",
            Message(
                "EmptyDirVolumeSource", {1: text("medium"), 2: optional("sizeLimit", "quantity")}
            ),
        ),
        6: part("secret", _SECRET_VOLUME),
        10: part(
            "persistentVolumeClaim",
            Message(
                "PersistentVolumeClaimVolumeSource",
                {1: text("claimName"), 2: Field("readOnly", "bool")},
            ),
        ),
        19: part("configMap", _CONFIG_MAP_VOLUME),
        26: part("projected", _PROJECTED_VOLUME),
    },
)
_VOLUME = Message("Volume", {1: text("name"), 2: part("", _VOLUME_SOURCE)})

_ENV_VAR_SOURCE = Message(
    "EnvVarSource",
    {
        1: part(
            "fieldRef",
            Message("ObjectFieldSelector", {1: text("apiVersion"), 2: text("fieldPath")}),
        ),
        2: part(
            "resourceFieldRef",
            Message(
                "ResourceFieldSelector",
                {1: text("containerName"), 2: text("resource"), 3: Field("divisor", "quantity")},
            ),
        ),
        3: part("configMapKeyRef", _KEY_SELECTOR),
        4: part("secretKeyRef", _KEY_SELECTOR),
    },
)
_ENV_VAR = Message(
    "EnvVar", {1: text("name"), 2: text("value"), 3: part("valueFrom", _ENV_VAR_SOURCE)}
)
_ENV_FROM = Message(
    "EnvFromSource",
    {1: text("prefix"), 2: part("configMapRef", _ENV_SOURCE), 3: part("secretRef", _ENV_SOURCE)},
)
_PORT = Message(
    "ContainerPort",
    {
        1: text("name"),
        2: Field("hostPort", "int32"),
        3: Field("containerPort", "int32"),
        4: text("protocol"),
        5: text("hostIP"),
    },
)
_HTTP_GET = Message(
    "HTTPGetAction",
    {
        1: text("path"),
        2: Field("port", "int or string", keeps_zero=True),
        3: text("host"),
        4: text("scheme"),
        5: parts("httpHeaders", Message("HTTPHeader", {1: text("name"), 2: text("value")})),
    },
)
_TCP_SOCKET = Message(
    "TCPSocketAction", {1: Field("port", "int or string", keeps_zero=True), 2: text("host")}
)
_HANDLER = Message(
    "ProbeHandler",
    {
        1: part("exec", Message("ExecAction", {1: texts("command")})),
        2: part("httpGet", _HTTP_GET),
        3: part("tcpSocket", _TCP_SOCKET),
        4: part(
            "grpc",
            Message("GRPCAction", {1: Field("port", "int32"), 2: optional("service", "string")}),
        ),
    },
)
_PROBE = Message(
    "Probe",
    {
        1: part("", _HANDLER),
        2: Field("initialDelaySeconds", "int32"),
        3: Field("timeoutSeconds", "int32"),
        4: Field("periodSeconds", "int32"),
        5: Field("successThreshold", "int32"),
        6: Field("failureThreshold", "int32"),
        7: optional("terminationGracePeriodSeconds", "int64"),
    },
)
_RESOURCES = Message(
    "ResourceRequirements",
    {1: Field("limits", "quantity", "map"), 2: Field("requests", "quantity", "map")},
)
_MOUNT = Message(
    "VolumeMount",
    {
        1: text("name"),
        2: Field("readOnly", "bool"),
        3: text("mountPath"),
        4: text("subPath"),
        5: optional("mountPropagation", "string"),
        6: text("subPathExpr"),
        7: optional("recursiveReadOnly", "string"),
    },
)
_SECCOMP = Message("SeccompProfile", {1: text("type"), 2: optional("localhostProfile", "string")})
_SECURITY = Message(
    "SecurityContext",
    {
        1: part("capabilities", Message("Capabilities", {1: texts("add"), 2: texts("drop")})),
        2: optional("privileged", "bool"),
        4: optional("runAsUser", "int64"),
        5: optional("runAsNonRoot", "bool"),
        6: optional("readOnlyRootFilesystem", "bool"),
        7: optional("allowPrivilegeEscalation", "bool"),
        8: optional("runAsGroup", "int64"),
        11: part("seccompProfile", _SECCOMP),
    },
)
_POD_SECURITY = Message(
    "PodSecurityContext",
    {
        2: optional("runAsUser", "int64"),
        3: optional("runAsNonRoot", "bool"),
        4: Field("supplementalGroups", "int64", "many"),
        5: optional("fsGroup", "int64"),
        6: optional("runAsGroup", "int64"),
        10: part("seccompProfile", _SECCOMP),
    },
)
CONTAINER = Message(
    "Container",
    {
        1: text("name"),
        2: text("image"),
        3: texts("command"),
        4: texts("args"),
        5: text("workingDir"),
        6: parts("ports", _PORT),
        7: parts("env", _ENV_VAR),
        8: part("resources", _RESOURCES),
        9: parts("volumeMounts", _MOUNT),
        10: part("livenessProbe", _PROBE),
        11: part("readinessProbe", _PROBE),
        13: text("terminationMessagePath"),
        14: text("imagePullPolicy"),
        15: part("securityContext", _SECURITY),
        19: parts("envFrom", _ENV_FROM),
        20: text("terminationMessagePolicy"),
        22: part("startupProbe", _PROBE),
    },
)
_TOLERATION = Message(
    "Toleration",
    {
        1: text("key"),
        2: text("operator"),
        3: text("value"),
        4: text("effect"),
        5: optional("tolerationSeconds", "int64"),
    },
)
POD_SPEC = Message(
    "PodSpec",
    {
        1: parts("volumes", _VOLUME),
        2: parts("containers", CONTAINER),
        3: text("restartPolicy"),
        4: optional("terminationGracePeriodSeconds", "int64"),
        6: text("dnsPolicy"),
        7: text_map("nodeSelector"),
        8: text("serviceAccountName"),
        10: text("nodeName"),
        11: Field("hostNetwork", "bool"),
        12: Field("hostPID", "bool"),
        13: Field("hostIPC", "bool"),
        14: part("securityContext", _POD_SECURITY),
        15: parts("imagePullSecrets", LOCAL_OBJECT_REFERENCE),
        19: text("schedulerName"),
        20: parts("initContainers", CONTAINER),
        21: optional("automountServiceAccountToken", "bool"),
        22: parts("tolerations", _TOLERATION),
        23: parts("hostAliases", Message("HostAlias", {1: text("ip"), 2: texts("hostnames")})),
        24: text("priorityClassName"),
        27: optional("shareProcessNamespace", "bool"),
        29: optional("runtimeClassName", "string"),
        30: optional("enableServiceLinks", "bool"),
    },
)

"""Pods and their containers, as far as Knative lets them be described."""

from __future__ import annotations

from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources import podspec

_STORED = "Stored and shown; it changes nothing here, where a replica is a process of yours."
_GATED = "Refused unless its feature in config-features is on."

PODSPEC: Meanings = {
    podspec.PodSpec: Meaning(
        "The containers of a replica and what is around them.",
        {
            "containers": "The program. Of several the one with a port takes the requests; here"
            " that one alone runs.",
            "initContainers": f"Containers that run first. {_GATED}",
            "volumes": f"Folders and files for containers. {_STORED}",
            "serviceAccountName": f"The account that the replica acts under. {_STORED}",
            "imagePullSecrets": f"Secrets with which images are pulled. {_STORED}",
            "enableServiceLinks": "Whether the replica's environment names the other services."
            f" {_STORED}",
            "automountServiceAccountToken": "Whether the replica gets its account's token; only"
            f" false may be given. {_STORED}",
            "affinity": f"Which nodes suit a replica. {_GATED}",
            "topologySpreadConstraints": f"How replicas spread over nodes. {_GATED}",
            "hostAliases": f"Further lines for the file of hosts. {_GATED}",
            "nodeSelector": f"The labels of nodes that suit a replica. {_GATED}",
            "runtimeClassName": f"What runs the containers. {_GATED}",
            "tolerations": f"Taints of nodes that do no harm. {_GATED}",
            "securityContext": f"Users, groups and rights of all containers. {_GATED}",
            "shareProcessNamespace": f"Whether containers see each other's processes. {_GATED}",
            "priorityClassName": f"How important the replica is. {_GATED}",
            "schedulerName": f"Who finds a node for the replica. {_GATED}",
            "dnsPolicy": f"Whom the replica asks for addresses. {_GATED}",
            "dnsConfig": f"How the replica asks for addresses. {_GATED}",
            "hostIPC": f"Whether it shares the node's IPC. {_GATED}",
            "hostPID": f"Whether it sees the node's processes. {_GATED}",
            "hostNetwork": f"Whether it uses the node's network. {_GATED}",
        },
    ),
    podspec.Container: Meaning(
        "One program: what it is, its environment, its port, and how to tell that it is well.",
        {
            "name": "The container's name; user-container when left out.",
            "image": "The image. Here it stands for a local program: knary images lists them.",
            "command": "What is run instead of the image's entry point.",
            "args": "What follows the command.",
            "workingDir": "The folder that the program begins in.",
            "ports": "The port that takes requests: one at most. The program listens on $PORT.",
            "env": "The environment. PORT and K_SERVICE, K_CONFIGURATION and K_REVISION are"
            " Knative's own.",
            "envFrom": "Environment from whole ConfigMaps and Secrets.",
            "resources": "How much memory and processor is asked for and allowed. It is not"
            " enforced here.",
            "volumeMounts": "Where volumes appear.",
            "livenessProbe": "When it fails, the container is started again.",
            "readinessProbe": "While it fails, the replica gets no requests. Left out, it is a"
            " connection to the port.",
            "startupProbe": "Until it succeeds the other probes wait.",
            "imagePullPolicy": f"When the image is pulled. {_STORED}",
            "securityContext": f"The user and the rights of the program. {_STORED}",
            "terminationMessagePath": f"The file of the program's last words. {_STORED}",
            "terminationMessagePolicy": "File or FallbackToLogsOnError: where last words are"
            f" taken from. {_STORED}",
        },
    ),
    podspec.ContainerPort: Meaning(
        "The port that takes requests.",
        {
            "containerPort": "The port's number, 8080 when left out. Here the program gets another"
            " one, in $PORT.",
            "name": "http1 (the default), or h2c for HTTP/2 without TLS and gRPC.",
            "protocol": "TCP.",
            "hostPort": "Not allowed.",
            "hostIP": "Not allowed.",
        },
    ),
    podspec.EnvVar: Meaning(
        "One variable of the environment.",
        {
            "name": "The variable's name.",
            "value": "Its value; $(NAME) stands for the value of an earlier one.",
            "valueFrom": "Where its value is taken from instead: configMapKeyRef or secretKeyRef,"
            " each with name and key.",
        },
    ),
    podspec.EnvFrom: Meaning(
        "Variables from one ConfigMap or Secret.",
        {
            "prefix": "What is put before each name.",
            "configMapRef": "The ConfigMap, by name.",
            "secretRef": "The Secret, by name.",
        },
    ),
    podspec.ResourceRequirements: Meaning(
        "How much a container needs, and how much it may take.",
        {
            "limits": "The most that it may take, such as cpu: 500m and memory: 128Mi.",
            "requests": "What is set aside for it.",
            "claims": "Devices that it asks for by name.",
        },
    ),
    podspec.VolumeMount: Meaning(
        "Where a volume appears in a container.",
        {
            "name": "The volume's name.",
            "mountPath": "The folder in which it appears; it begins with a slash.",
            "readOnly": "Whether it cannot be written to.",
            "subPath": "Which of its folders or files appears, instead of all.",
            "subPathExpr": "The same, with $(NAME) for variables.",
            "mountPropagation": "Whether later mounts are seen from either side.",
            "recursiveReadOnly": "Whether what is mounted below cannot be written to either.",
        },
    ),
    podspec.Probe: Meaning(
        "A question that tells whether a container is well: one of exec, grpc, httpGet, tcpSocket.",
        {
            "exec": "A command that ends with 0.",
            "grpc": "gRPC's health check.",
            "httpGet": "A request answered with 200 to 399.",
            "tcpSocket": "A connection that is accepted.",
            "initialDelaySeconds": "How long to wait before asking for the first time.",
            "timeoutSeconds": "How long to wait for an answer. 1 when left out.",
            "periodSeconds": "How long to wait between two questions.",
            "successThreshold": "How many good answers in a row make it well.",
            "failureThreshold": "How many bad answers in a row make it unwell.",
            "terminationGracePeriodSeconds": "How long the container may take to end when it has"
            " failed.",
        },
    ),
    podspec.ExecAction: Meaning(
        "A command that is run beside the program.", {"command": "The command and its arguments."}
    ),
    podspec.GrpcAction: Meaning(
        "A call of gRPC's health check.",
        {"port": "The port that is called.", "service": "The service that is asked about."},
    ),
    podspec.HttpGetAction: Meaning(
        "A GET.",
        {
            "port": "The port that is asked, by number or name; that of the container when 0 or"
            " left out.",
            "path": "The path.",
            "host": "The host to ask, instead of the replica.",
            "scheme": "HTTP or HTTPS.",
            "httpHeaders": "Headers of the request.",
        },
    ),
    podspec.HttpHeader: Meaning(
        "One header.", {"name": "The header's name.", "value": "The header's value."}
    ),
    podspec.TcpSocketAction: Meaning(
        "A connection.",
        {
            "port": "The port to connect to, by number or name; that of the container when 0 or"
            " left out.",
            "host": "The host to connect to, instead of the replica.",
        },
    ),
}

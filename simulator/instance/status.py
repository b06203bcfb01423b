"""The status document of a running instance, as `knary status -o json` prints it. Pure.

Its schema is documented in docs/status.md; a field is added, never changed, under one `schema`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from simulator.instance.description import SCHEMA, Description
from simulator.resources.conditions import is_true
from simulator.resources.core import ANNOTATION_ADDRESS, ANNOTATION_PID, Pod
from simulator.resources.faults import Fault
from simulator.resources.serving import LABEL_REVISION


class WorkerProcess(Struct, frozen=True):
    """One gateway worker that is connected now.

    `build` is how its modules were built, `turns` whose it takes: its own, or with the others.
    """

    index: int
    pid: int
    build: str = "interpreted"
    turns: str = "own"


def status_document(
    description: Description,
    *,
    python: str,
    pid: int,
    workers: Sequence[WorkerProcess],
    pods: Iterable[Pod],
    faults: Iterable[Fault] = (),
    reconciled: int,
    images_flaw: str = "",
) -> dict[str, Any]:
    """Return the document; `pid` is the control plane's, `python` its version.

    Of the changes up to the version `reconciled` nothing is left for the controllers to look at;
    `images_flaw` is what is wrong with the image map's files.
    """
    return {
        "schema": SCHEMA,
        "version": description.version,
        "python": python,
        "build": ", ".join(sorted({one.build for one in workers})) or None,
        "gateway": description.gateway,
        "gatewayLocal": description.gateway_local,
        "api": description.api,
        "console": description.console,
        "domain": description.domain,
        "splitter": description.splitter,
        "network": description.network,
        "dataFolder": description.data_folder,
        "images": {"error": images_flaw or None},
        "started": description.started,
        "parent": {"pid": description.pid},
        "controlPlane": {"pid": pid, "reconciled": reconciled},
        "workers": [msgspec.structs.asdict(one) for one in workers],
        "replicas": [_replica(pod) for pod in pods],
        "faults": [_fault(one) for one in faults],
    }


def _fault(fault: Fault) -> dict[str, Any]:
    spec = fault.spec
    return {
        "namespace": fault.metadata.namespace,
        "name": fault.metadata.name,
        "service": spec.service,
        "revision": spec.revision,
        "tag": spec.tag,
        "type": spec.type,
        "stream": spec.stream,
        "toxicity": spec.toxicity,
        "attributes": dict(spec.attributes),
    }


def _replica(pod: Pod) -> dict[str, Any]:
    annotations = pod.metadata.annotations
    process = annotations.get(ANNOTATION_PID, "")
    return {
        "namespace": pod.metadata.namespace,
        "revision": pod.metadata.labels.get(LABEL_REVISION, ""),
        "pod": pod.metadata.name,
        "pid": int(process) if process.isdigit() else None,
        "address": annotations.get(ANNOTATION_ADDRESS) or None,
        "ready": is_true(pod.status.conditions) and not pod.is_deleting,
    }

"""What is asked of a log, and whether there is one to ask. Pure.

Source: the API server's `pkg/apis/core/validation` (ValidatePodLogOptions) and
`pkg/registry/core/pod/strategy.go` (validateContainer); the kubelet's `pkg/kubelet/kubelet_pods.go`
(validateContainerLogStatus).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from simulator.api.queries import Query
from simulator.errors import BadRequest, Invalid
from simulator.replicalogs.marks import nanoseconds
from simulator.replicalogs.reading import Wanted
from simulator.resources.core import Pod

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS: Final = 1_000_000_000
_NOT_STARTED: Final = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class LogOptions(Struct, frozen=True):
    """A query for a log (core/v1 PodLogOptions)."""

    container: str = ""
    follow: bool = False
    limit_bytes: int | None = None
    wanted: Wanted = Wanted()


def options_of(query: Query, pod: str, now: datetime) -> LogOptions:
    """Return what the query asks for. Raise BadRequest or Invalid."""
    tail_lines = query.integer("tailLines")
    limit_bytes = query.integer("limitBytes")
    since_s = query.integer("sinceSeconds")
    since_time = query.text("sinceTime")
    causes: list[tuple[str, str, str]] = []
    if tail_lines is not None and tail_lines < 0:
        causes.append(_invalid("tailLines", tail_lines, "must be greater than or equal to 0"))
    if limit_bytes is not None and limit_bytes < 1:
        causes.append(_invalid("limitBytes", limit_bytes, "must be greater than 0"))
    if since_s is not None and since_time:
        both = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(("[]", "FieldValueForbidden", both))
    elif since_s is not None and since_s < 1:
        causes.append(_invalid("sinceSeconds", since_s, "must be greater than 0"))
    since_ns = _moment(since_time) if since_time else None
    if causes:
        raise Invalid.of("", "PodLogOptions", pod, causes)
    if since_s is not None:
        since_ns = max(0, (now - _EPOCH) // timedelta(microseconds=1) * 1000 - since_s * _NS)
    return LogOptions(
        container=query.text("container"),
        follow=query.boolean("follow"),
        limit_bytes=limit_bytes,
        wanted=Wanted(
            previous=query.boolean("previous"),
            tail_lines=tail_lines,
            since_ns=since_ns,
            timestamps=query.boolean("timestamps"),
        ),
    )


def _invalid(field: str, value: int, why: str) -> tuple[str, str, str]:
    return (field, "FieldValueInvalid", f"Invalid value: {value}: {why}")


def _moment(text: str) -> int:
    """Return an RFC 3339 time in nanoseconds since 1970. Raise BadRequest."""
    try:
        return nanoseconds(text)
    except ValueError as error:
        raise BadRequest(f'invalid time "{text[:60]}": want RFC 3339') from error


def container_of(pod: Pod, wanted: str) -> str:
    """Return the name of the container whose log is wanted. Raise BadRequest."""
    regular = [one.name for one in pod.spec.containers]
    every = [*(one.name for one in pod.spec.init_containers), *regular]
    if wanted:
        if wanted not in every:
            raise BadRequest(f"container {wanted} is not valid for pod {pod.metadata.name}")
        return wanted
    if len(regular) == 1:
        return regular[0]
    raise BadRequest(
        f"a container name must be specified for pod {pod.metadata.name},"
        f" choose one of: [{' '.join(every)}]"
    )


def wanted_of(pod: Pod, container: str, options: LogOptions) -> Wanted:
    """Return what is to be read; raise BadRequest, in the kubelet's words, when there is no run.

    While a container waits to be started again, its newest run is the one that ended. A Pod
    without a status is one that no kubelet has yet: its log is empty.
    """
    named = f'container "{container}" in pod "{pod.metadata.name}"'
    statuses = pod.status.container_statuses
    status = next((one for one in statuses if one.name == container), None)
    has_ended = status is not None and status.last_state.terminated is not None
    if options.wanted.previous:
        if status is None or not has_ended:
            raise BadRequest(f"previous terminated {named} not found")
        is_newest = status.state.waiting is not None
        return replace(options.wanted, previous=not is_newest)
    if status is None:
        if statuses:
            raise BadRequest(f"{named} is not available")
    elif status.state.waiting is not None and not has_ended:
        why = _NOT_STARTED.get(status.state.waiting.reason, status.state.waiting.reason)
        raise BadRequest(f"{named} is waiting to start: {why}")
    return options.wanted

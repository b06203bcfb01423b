"""kn's flags that change a service and its template. Pure.

Source: knative/client `pkg/commands/service/configuration_edit_flags.go`, `pkg/flags/podspec.go`,
`pkg/serving/{config_changes,service}.go`; the words of the errors are kn's.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from simulator.cli.exits import UsageError

_AUTOSCALING = "autoscaling.knative.dev"
_USER_IMAGE = "client.knative.dev/user-image"
_UPDATE_TIMESTAMP = "client.knative.dev/updateTimestamp"
_VISIBILITY = "networking.knative.dev/visibility"
_TEMPLATE_WORD = re.compile(r"\{\{\s*(?:\.(Service|Generation)|\.Random\s+(\d{1,2}))\s*\}\}")
_CONSONANTS = "bcdfghjklmnpqrstvwxyz"

Document = dict[str, Any]


@dataclass(frozen=True)
class Edits:
    """The flags as given; None and () are "not given"."""

    image: str | None = None
    env: tuple[str, ...] = ()
    port: str | None = None
    cmd: tuple[str, ...] = ()
    arg: tuple[str, ...] = ()
    timeout: int | None = None
    concurrency_limit: int | None = None
    scale: str | None = None
    scale_min: int | None = None
    scale_max: int | None = None
    scale_target: int | None = None
    scale_init: int | None = None
    annotation: tuple[str, ...] = ()
    annotation_service: tuple[str, ...] = ()
    annotation_revision: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    label_service: tuple[str, ...] = ()
    label_revision: tuple[str, ...] = ()
    revision_name: str | None = None
    cluster_local: bool | None = None  # the only one that makes no revision

    @property
    def make_revision(self) -> bool:
        """Tell whether any flag changes the template (kn's AnyMutation)."""
        return any(
            getattr(self, field.name) not in (None, ())
            for field in fields(self)
            if field.name != "cluster_local"
        )

    @property
    def are_given(self) -> bool:
        return self.make_revision or self.cluster_local is not None


def apply_edits(
    service: Document, edits: Edits, updated_at: str, choose: Callable[[str], str]
) -> Document:
    """Return the service with the flags applied. `choose` picks a character, for `{{.Random}}`.

    `updated_at` is RFC 3339; kn's timestamp in the template makes each such command a revision.
    Raise UsageError in kn's words.
    """
    changed = copy.deepcopy(service)
    spec = _child(changed, "spec")
    template = _child(spec, "template")
    metadata = _child(template, "metadata")
    pod = _child(template, "spec")
    _edit_container(_container(pod), edits)
    if edits.revision_name:
        metadata["name"] = revision_name(edits.revision_name, service, choose)
    if edits.make_revision:
        annotations = _child(metadata, "annotations")
        annotations[_UPDATE_TIMESTAMP] = updated_at
        if edits.image is not None and _USER_IMAGE in annotations:
            annotations[_USER_IMAGE] = edits.image
    if edits.timeout is not None:
        pod["timeoutSeconds"] = edits.timeout
    if edits.concurrency_limit is not None:
        if edits.concurrency_limit < 0:
            limit = edits.concurrency_limit
            raise UsageError(f"invalid concurrency-limit {limit} (must not be less than 0)")
        pod["containerConcurrency"] = edits.concurrency_limit
    _edit_scale(metadata, edits)
    _edit_labels(_child(changed, "metadata"), metadata, edits)
    if edits.cluster_local is not None:
        visibility = "cluster-local" if edits.cluster_local else None
        _set(_child(changed, "metadata"), "labels", {_VISIBILITY: visibility})
    _edit_annotations(_child(changed, "metadata"), metadata, edits)
    return _without_empty(changed)


def revision_name(pattern: str, service: Document, choose: Callable[[str], str]) -> str:
    """Return the name that kn's `--revision-name` means, prefixed by the service's when it is not.

    Known are {{.Service}}, {{.Generation}} (of the next change) and {{.Random N}}.
    """
    name = service["metadata"]["name"]
    generation = int(service["metadata"].get("generation") or 0) + 1

    def word(match: re.Match[str]) -> str:
        if match[2] is not None:
            return "".join(choose(_CONSONANTS) for _ in range(int(match[2])))
        return name if match[1] == "Service" else str(generation)

    result = _TEMPLATE_WORD.sub(word, pattern)
    if "{{" in result:
        raise UsageError(
            f"--revision-name {pattern}: known are {{{{.Service}}}}, {{{{.Generation}}}}"
            " and {{.Random N}}"
        )
    return result if not result or result.startswith(f"{name}-") else f"{name}-{result}"


def _edit_container(container: Document, edits: Edits) -> None:
    if edits.env:
        container["env"] = _edited_env(container.get("env") or [], edits.env)
    if edits.image is not None:
        container["image"] = edits.image
    if edits.cmd:
        container["command"] = list(edits.cmd)
    if edits.arg:
        container["args"] = list(edits.arg)
    if edits.port is not None:
        container["ports"] = [_port(edits.port)]


def _edited_env(present: Sequence[Document], flags: Sequence[str]) -> list[Document]:
    """Return the variables with `NAME=value` set, in place or at the end, and `NAME-` removed."""
    wanted: dict[str, str] = {}
    removed: set[str] = set()
    for flag in flags:
        name, equals, value = flag.partition("=")
        if equals:
            wanted[name] = value
        elif name.endswith("-"):
            removed.add(name[:-1])
        else:
            raise UsageError(
                "Invalid --env: argument requires a value that contains the"
                f' "=" character; got "{flag}"'
            )
    edited: dict[str, Document] = {variable["name"]: dict(variable) for variable in present}
    edited.update({name: {"name": name, "value": value} for name, value in wanted.items()})
    return [variable for name, variable in edited.items() if name not in removed]


def _port(text: str) -> Document:
    name, colon, number = text.rpartition(":")
    try:
        port = int(number)
    except ValueError:
        raise UsageError(
            f"the port specification '{text}' is not valid. Please provide in the format"
            " 'NAME:PORT', where 'NAME' is optional. Examples: '--port h2c:8080' , '--port 8080'."
        ) from None
    return {"containerPort": port, "name": name} if colon and name else {"containerPort": port}


def _edit_scale(metadata: Document, edits: Edits) -> None:
    if edits.scale is not None and edits.scale_max is not None:
        raise UsageError("only --scale or --scale-max can be specified")
    if edits.scale is not None and edits.scale_min is not None:
        raise UsageError("only --scale or --scale-min can be specified")
    low, high = _scale_range(edits.scale) if edits.scale is not None else (None, None)
    wanted = {
        "min-scale": edits.scale_min if low is None else low,
        "max-scale": edits.scale_max if high is None else high,
        "target": edits.scale_target,
        "initial-scale": edits.scale_init,
    }
    for name, value in wanted.items():
        if value is not None:
            _child(metadata, "annotations")[f"{_AUTOSCALING}/{name}"] = str(value)


def _scale_range(text: str) -> tuple[int | None, int | None]:
    """Return the ends of "2", "1..5", "1.." or "..5"."""
    low, dots, high = text.partition("..")
    try:
        if not dots:
            return int(low), int(low)
        return int(low) if low else None, int(high) if high else None
    except ValueError:
        raise UsageError("Scale must be of the format x..y or x") from None


def _edit_labels(service: Document, template: Document, edits: Edits) -> None:
    if not (edits.label or edits.label_service or edits.label_revision):
        return
    both = _pairs(edits.label, "--label")
    _set(service, "labels", {**both, **_pairs(edits.label_service, "--label-service")})
    _set(template, "labels", {**both, **_pairs(edits.label_revision, "--label-revision")})


def _edit_annotations(service: Document, template: Document, edits: Edits) -> None:
    both = _pairs(edits.annotation, "--annotation")
    of_service = _pairs(edits.annotation_service, "--annotation-service")
    for key in of_service:
        if key.startswith(_AUTOSCALING):
            raise UsageError(
                f"service can not have auto-scaling related annotation: {key} ,"
                " please update using '--annotation-revision'"
            )
    # Autoscaling annotations belong to revisions alone.
    shared = {key: value for key, value in both.items() if not key.startswith(_AUTOSCALING)}
    _set(template, "annotations", {**both, **_pairs(edits.annotation_revision, "--annotation")})
    _set(service, "annotations", {**shared, **of_service})


def _pairs(flags: Sequence[str], option: str) -> dict[str, str | None]:
    """Return `name=value` pairs; `name-` is a name to remove, given as None."""
    pairs: dict[str, str | None] = {}
    for flag in flags:
        name, equals, value = flag.partition("=")
        if equals and not name:
            raise UsageError(f"Invalid {option}: The key is empty")
        if equals and name in pairs:
            raise UsageError(f'Invalid {option}: The key "{name}" has been duplicate in {flags}')
        if equals:
            pairs[name] = value
        elif name.endswith("-"):
            pairs[name[:-1]] = None
        else:
            pairs[name] = ""
    return pairs


def _set(metadata: Document, field: str, pairs: dict[str, str | None]) -> None:
    if not pairs:
        return
    values = _child(metadata, field)
    for name, value in pairs.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value


def _container(pod: Document) -> Document:
    containers = pod.setdefault("containers", [{}])
    if not containers:
        containers.append({})
    first: Document = containers[0]
    return first


def _child(parent: Document, field: str) -> Document:
    """Return the object in a field; an absent or null one is made."""
    if parent.get(field) is None:
        parent[field] = {}
    child: Document = parent[field]
    return child


def _without_empty(service: Document) -> Document:
    """Drop the maps that were made and stayed empty."""
    template = service["spec"]["template"]
    for holder, field in (
        (service["metadata"], "annotations"),
        (service["metadata"], "labels"),
        (template["metadata"], "annotations"),
        (template["metadata"], "labels"),
        (template, "metadata"),
    ):
        if holder.get(field) == {}:
            del holder[field]
    return service

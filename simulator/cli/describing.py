"""kn's description of a service, a route and a domain mapping, as lines. Pure.

What a gradual rollout is at is ours: kn has no word about it.
Source: knative/client `pkg/commands/{service,route,domain,revision}/describe.go`,
`pkg/commands/describe.go`, `pkg/printers/prefixwriter.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from simulator.cli.conditions import condition_lines, ready_condition
from simulator.cli.rollout import is_in_progress
from simulator.cli.tabs import aligned
from simulator.errors import KnaryError
from simulator.resources.ages import short_age

LABEL_GENERATION = "serving.knative.dev/configurationGeneration"
_USER_IMAGE = "client.knative.dev/user-image"
_BORING = ("serving.knative.dev", "client.knative.dev", "kubectl.kubernetes.io")
_LINE_LENGTH_MAX = 100
_DIGEST = re.compile(r"@sha256:([0-9a-fA-F]+)")

Document = dict[str, Any]
Row = tuple[str, ...]


class Described(NamedTuple):
    """One line's revision, and the traffic target it is shown for (None: it has none)."""

    revision: Document
    target: Mapping[str, Any] | None


def describe_service(
    service: Document,
    revisions: Sequence[Described],
    now: datetime,
    *,
    verbose: bool,
    rollout: Sequence[str] = (),
) -> list[str]:
    """Return the lines of `service describe`: the service, its revisions, its conditions.

    `rollout` has a line per gradual rollout that goes on.
    """
    ordered = sorted(revisions, key=lambda each: -_generation(each.revision))
    rows: list[Row] = []
    for each in ordered:
        rows += _revision_rows(each, service, now, verbose=verbose)
    return [
        *_lines(_service_rows(service, rollout, now, verbose=verbose)),
        "",
        "Revisions:  ",
        *_lines(rows),
        *_condition_section(service, now, verbose=verbose),
    ]


def describe_route(
    route: Document, now: datetime, *, verbose: bool, rollout: Sequence[str] = ()
) -> list[str]:
    """Return the lines of `route describe`: the route, its traffic, its conditions."""
    status = route.get("status", {})
    rows = [
        *_head_rows(route, now, verbose=verbose),
        *(
            ("Service:", f"{owner['name']} ({owner['apiVersion']})" if verbose else owner["name"])
            for owner in route["metadata"].get("ownerReferences") or ()
            if owner["kind"] == "Service"
        ),
        *_rollout_rows(rollout),
    ]
    traffic: list[Row] = []
    for target in status.get("traffic") or ():
        name = target.get("revisionName", "")
        title = f"@latest ({name})" if target.get("latestRevision") else name
        if tag := target.get("tag"):
            title = f"{title} #{tag}"
        traffic.append((f"  {target.get('percent') or 0:3d}%", title))
        if tag:
            traffic.append(("", f"URL:  {target.get('url', '')}"))
    return [
        *_lines(rows),
        "",
        "Traffic Targets:  ",
        *_lines(traffic),
        *_condition_section(route, now, verbose=verbose),
    ]


def describe_domain(mapping: Document, now: datetime, *, verbose: bool) -> list[str]:
    """Return the lines of `domain describe`: the mapping, what it leads to, its conditions."""
    *metadata, url = _head_rows(mapping, now, verbose=verbose)
    reference = mapping["spec"]["ref"]
    rows = [
        ("  APIVersion:", reference.get("apiVersion", "")),
        ("  Kind:", reference.get("kind", "")),
        ("  Name:", reference.get("name", "")),
    ]
    if reference.get("namespace") != mapping["metadata"].get("namespace"):
        rows.append(("  Namespace:", reference.get("namespace", "")))
    return [
        *_lines(metadata),
        "",
        *_lines([url]),
        "",
        "Reference:  ",
        *_lines(rows),
        *_condition_section(mapping, now, verbose=verbose),
    ]


def _condition_section(found: Document, now: datetime, *, verbose: bool) -> list[str]:
    lines = condition_lines(found, now, with_messages=verbose)
    return ["", "Conditions:  ", *(f"  {line}" for line in lines)]


def _rollout_rows(rollout: Sequence[str]) -> list[Row]:
    return [("Rollout:" if index == 0 else "", line) for index, line in enumerate(rollout)]


def _service_rows(
    service: Document, rollout: Sequence[str], now: datetime, *, verbose: bool
) -> list[Row]:
    rows = _head_rows(service, now, verbose=verbose)
    address = service.get("status", {}).get("address")
    if verbose and address:
        rows.append(("Cluster:", address.get("url", "")))
    return rows + _rollout_rows(rollout)


def _head_rows(found: Document, now: datetime, *, verbose: bool) -> list[Row]:
    metadata, status = found["metadata"], found.get("status", {})
    return [
        ("Name:", metadata["name"]),
        ("Namespace:", metadata.get("namespace", "")),
        *_map_rows("Labels", metadata.get("labels") or {}, verbose=verbose),
        *_map_rows("Annotations", metadata.get("annotations") or {}, verbose=verbose),
        ("Age:", short_age(metadata.get("creationTimestamp"), now)),
        ("URL:", status.get("url", "")),
    ]


def _map_rows(label: str, pairs: Mapping[str, str], *, verbose: bool) -> list[Row]:
    """Return a map on one line, cut; or a line per pair, those of the machinery too."""
    shown = [
        f"{key}={pairs[key]}"
        for key in sorted(pairs)
        if verbose or key.partition("/")[0] not in _BORING or "/" not in key
    ]
    if not shown:
        return []
    if verbose:
        return [(f"{label}:" if index == 0 else "", text) for index, text in enumerate(shown)]
    return [(f"{label}:", _cut(", ".join(shown), _LINE_LENGTH_MAX - len(label) - 2))]


def _revision_rows(
    each: Described, service: Document, now: datetime, *, verbose: bool
) -> list[Row]:
    revision, target = each
    ready = ready_condition(revision) or {}
    percent = (target or {}).get("percent") or 0
    rows: list[Row] = [(f"  {_bullet(percent, ready.get('status'))}", _title(each, service, now))]
    if ready.get("status") == "False":
        rows.append(("", "Error:", ready.get("reason", "")))
    rows.append(("", "Image:", _image(revision)))
    status = revision.get("status", {})
    actual, desired = status.get("actualReplicas"), status.get("desiredReplicas")
    if actual is not None and desired is not None:
        rows.append(("", "Replicas:", f"{actual}/{desired}"))
    if verbose:
        rows += _detail_rows(revision)
    return rows


def _detail_rows(revision: Document) -> list[Row]:
    spec = revision.get("spec", {})
    container = (spec.get("containers") or [{}])[0]
    rows: list[Row] = []
    if ports := container.get("ports"):
        rows.append(("", "Port:", str(ports[0].get("containerPort", ""))))
    for index, variable in enumerate(container.get("env") or ()):
        value = "[ref]" if variable.get("valueFrom") else variable.get("value", "")
        rows.append(("", "Env:" if index == 0 else "", f"{variable['name']}={value}"))
    annotations = revision["metadata"].get("annotations") or {}
    low = annotations.get("autoscaling.knative.dev/min-scale")
    high = annotations.get("autoscaling.knative.dev/max-scale")
    if low is not None or high is not None:
        rows.append(("", "Scale:", f"{low or 0} ... {high or '∞'}"))
    if limit := spec.get("containerConcurrency"):
        rows.append(("", "Concurrency limit:", str(limit)))
    return rows


def _title(each: Described, service: Document, now: datetime) -> str:
    """Return "NAME (current @latest) #TAG [GENERATION] (AGE)"."""
    revision, target = each
    metadata, status = revision["metadata"], service.get("status", {})
    name: str = metadata["name"]
    title = name
    if target and target.get("latestRevision") and not _is_left_behind(name, service):
        title = f"@latest ({name})"
    elif name == status.get("latestReadyRevisionName"):
        title = f"{name} (current @latest)"
    elif name == status.get("latestCreatedRevisionName"):
        title = f"{name} (latest created)"
    if target and target.get("tag"):
        title = f"{title} #{target['tag']}"
    age = short_age(metadata.get("creationTimestamp"), now)
    return f"{title} [{_generation(revision)}] ({age})"


def _is_left_behind(revision: str, service: Document) -> bool:
    """Tell whether a gradual rollout is on its way from this revision to the latest."""
    latest = service.get("status", {}).get("latestReadyRevisionName")
    return is_in_progress(service) and revision != latest


def _bullet(percent: int, ready: str | None) -> str:
    sign = "+"
    if ready == "True":
        sign = "%" if percent > 0 else "+"
    elif ready == "False":
        sign = "!"
    else:
        sign = "?"
    return f"{percent:3d}{sign}" if percent else f"   {sign}"


def _image(revision: Document) -> str:
    """Return the image, and the digest it is pinned to when that is known."""
    containers = revision.get("spec", {}).get("containers") or []
    if not containers:
        return "Unknown"
    image: str = containers[0].get("image", "")
    user_image = (revision["metadata"].get("annotations") or {}).get(_USER_IMAGE, "")
    statuses = revision.get("status", {}).get("containerStatuses") or [{}]
    digest = statuses[0].get("imageDigest", "")
    pinned = "at"
    if user_image and digest and user_image.startswith(re.split("[@:]", image)[0]):
        pinned, image = "pinned to", user_image
    if not digest:
        return image
    match = _DIGEST.search(digest)
    return f"{image} ({pinned} {match[1][:6] if match else digest})"


def _generation(revision: Document) -> int:
    text = (revision["metadata"].get("labels") or {}).get(LABEL_GENERATION, "")
    if not text.isdigit():
        name = revision["metadata"]["name"]
        raise KnaryError(f"cannot extract configuration generation for revision {name}")
    return int(text)


def _lines(rows: Sequence[Row]) -> list[str]:
    return aligned(rows, minimum=0, padding=2)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 4] + " ..."

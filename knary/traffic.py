"""Whom a service's traffic goes to: which revision to go back to, and `spec.traffic`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Document = dict[str, Any]

LABEL_GENERATION = "serving.knative.dev/configurationGeneration"
LATEST = "@latest"


class NoWayBack(Exception):
    """There is no revision to go back to; the message says why."""


def rollback_target(service: Document, revisions: Sequence[Document], to: str | None) -> str:
    """Return the revision to go back to: `to`, else the newest ready one that is older than the
    newest that takes traffic. Raise NoWayBack when there is none.

    A latest revision that should take traffic and cannot (it is not ready) counts as taking it:
    going back from it leads to the one that serves now.
    """
    name = service["metadata"]["name"]
    by_name = {revision["metadata"]["name"]: revision for revision in revisions}
    if to is not None:
        if to not in by_name:
            known = ", ".join(sorted(by_name)) or "none"
            raise NoWayBack(f"service '{name}' has no revision '{to}'; it has: {known}")
        if not _is_ready(by_name[to]):
            raise NoWayBack(f"revision '{to}' is not ready: it cannot take the traffic")
        return to
    taking = [by_name[taker] for taker in _taking(service) if taker in by_name]
    newest = max((_age_rank(revision) for revision in taking), default=None)
    older = [
        revision
        for revision in revisions
        if _is_ready(revision) and newest is not None and _age_rank(revision) < newest
    ]
    if not older:
        raise NoWayBack(
            f"service '{name}' has no older ready revision to go back to;"
            " name the one that you mean"
        )
    target: str = max(older, key=_age_rank)["metadata"]["name"]
    return target


def full_name(service: str, revision: str) -> str:
    """Return a revision's name: whole as it is, or like 00002 without its service's."""
    return revision if revision.startswith((f"{service}-", "@")) else f"{service}-{revision}"


def split_among(
    service: str, percents: Mapping[str, int], tags: Mapping[str, str], before: Iterable[Document]
) -> list[Document]:
    """Return the `spec.traffic` of these percents; tags that were given before stay.

    `percents` and the values of `tags` name revisions, or `@latest`.
    """
    kept = {one["tag"]: _named(one) for one in before if one.get("tag")}
    kept |= {tag: full_name(service, revision) for tag, revision in tags.items()}
    left = {full_name(service, name): percent for name, percent in percents.items()}
    entries: list[Document] = []
    for tag, name in kept.items():
        entries.append({**_target(name), "tag": tag, "percent": left.pop(name, 0)})
    entries += [{**_target(name), "percent": percent} for name, percent in left.items()]
    return entries


def _target(name: str) -> Document:
    if name == LATEST:
        return {"latestRevision": True}
    return {"revisionName": name, "latestRevision": False}


def _named(entry: Document) -> str:
    return LATEST if entry.get("latestRevision") else str(entry.get("revisionName", ""))


def _is_ready(found: Document) -> bool:
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _taking(service: Document) -> set[str]:
    status = service.get("status", {})
    names = {
        target["revisionName"]
        for target in status.get("traffic") or ()
        if target.get("percent") and target.get("revisionName")
    }
    wants_latest = any(
        target.get("latestRevision") and target.get("percent")
        for target in service["spec"].get("traffic") or ()
    )
    return names | ({status.get("latestCreatedRevisionName", "")} if wants_latest else set())


def _age_rank(revision: Document) -> tuple[int, str, str]:
    """Order revisions by the generation that made them, then by age and name."""
    metadata = revision["metadata"]
    generation = metadata.get("labels", {}).get(LABEL_GENERATION, "")
    number = int(generation) if generation.isdigit() else 0
    return number, metadata.get("creationTimestamp") or "", metadata["name"]

"""`knary describe`: one object of any kind with its events, as `kubectl describe` shows one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from simulator.cli import output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import EVENT, Kind, find_kind
from simulator.cli.tabs import aligned
from simulator.client import ApiClient, ApiRefused, Document
from simulator.resources.ages import age

_HIDDEN = ("managedFields", "name", "namespace", "labels", "annotations")


@click.command("describe")
@click.argument("kind", metavar="KIND|KIND/NAME")
@click.argument("name", required=False)
@namespace_option
@instance_option
def describe(kind: str, name: str | None, namespace: str, instance: Instance) -> None:
    """Show one object and the events about it.

    \b
    Examples:
      knary describe revision helloworld-go-00001
      knary describe ksvc/helloworld-go
    """
    word, slash, rest = kind.partition("/")
    chosen = rest if slash else name
    if not chosen or (slash and name):
        raise UsageError("give KIND NAME or KIND/NAME")
    found_kind = find_kind(word)
    with instance.client() as client:
        found = client.get(found_kind, namespace, chosen)
        events = _events(client, found_kind, found)
    for line in describe_object(found, events, datetime.now(UTC)):
        output.line(output.clean(line).rstrip())


def describe_object(found: Document, events: list[Document], now: datetime) -> list[str]:
    """Return the lines: identity, every field, then the events, oldest first. Pure."""
    metadata = found["metadata"]
    head = [
        ("Name:", metadata["name"]),
        ("Namespace:", metadata.get("namespace", "")),
        *_pair_rows("Labels", metadata.get("labels") or {}),
        *_pair_rows("Annotations", metadata.get("annotations") or {}),
        ("API Version:", found.get("apiVersion", "")),
        ("Kind:", found.get("kind", "")),
    ]
    lines = aligned(head, minimum=0, padding=2)
    shown = {key: value for key, value in metadata.items() if key not in _HIDDEN}
    lines += ["Metadata:", *_field_lines(shown, "  ")]
    for key, value in found.items():
        if key not in ("apiVersion", "kind", "metadata"):
            lines += _field_lines({key: value}, "")
    return lines + _event_lines(events, now)


def _pair_rows(label: str, pairs: dict[str, str]) -> list[tuple[str, str]]:
    if not pairs:
        return [(f"{label}:", "<none>")]
    texts = [f"{key}: {value.strip()}" for key, value in sorted(pairs.items())]
    return [(f"{label}:" if index == 0 else "", text) for index, text in enumerate(texts)]


def _field_lines(value: Any, indent: str) -> list[str]:
    """Return nested fields, one per line, their names in words: `latestRevision` as kubectl's."""
    lines: list[str] = []
    if isinstance(value, dict):
        for key, below in value.items():
            lines += _entry_lines(_title(key), below, indent)
    elif isinstance(value, list):
        for item in value:
            lines += _field_lines(item, indent)
    else:
        lines.append(f"{indent}{_text(value)}")
    return lines


def _entry_lines(title: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [f"{indent}{title}:", *_field_lines(value, indent + "  ")]
    return [f"{indent}{title}:  {'' if isinstance(value, dict | list) else _text(value)}"]


def _title(key: str) -> str:
    """Return "Latest Revision" for "latestRevision"; names with other characters as they are."""
    if not key.isalnum():
        return key
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in key).strip()
    return spaced[:1].upper() + spaced[1:]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _event_lines(events: list[Document], now: datetime) -> list[str]:
    if not events:
        return ["Events:  <none>"]
    rows = [
        ("  Type", "Reason", "Age", "From", "Message"),
        ("  ----", "------", "---", "----", "-------"),
    ]
    for event in events:
        last = event.get("lastTimestamp") or event["metadata"].get("creationTimestamp")
        count = event.get("count") or 1
        when = f"{age(last, now)} (x{count})" if count > 1 else age(last, now)
        source = event.get("source", {}).get("component") or event.get("reportingComponent", "")
        rows.append(
            (
                f"  {event.get('type', '')}",
                event.get("reason", ""),
                when,
                source,
                event.get("message", ""),
            )
        )
    return ["Events:", *aligned(rows, minimum=0, padding=2)]


def _events(client: ApiClient, kind: Kind, found: Document) -> list[Document]:
    """Return the events about an object, oldest first."""
    metadata = found["metadata"]
    wanted = {"name": metadata["name"], "kind": kind.kind, "uid": metadata.get("uid", "")}
    selector = ",".join(f"involvedObject.{field}={value}" for field, value in wanted.items())
    try:
        events = client.list(
            EVENT, metadata.get("namespace") or "default", {"fieldSelector": selector}
        )["items"]
    except ApiRefused as error:
        if error.code == 404:
            return []
        raise
    return sorted(events, key=lambda event: event.get("lastTimestamp") or "")

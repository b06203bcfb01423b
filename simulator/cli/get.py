"""`knary get`: objects of any kind, as tables that the API draws, or as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from simulator.cli import output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import Kind, find_kinds
from simulator.client import JSON, TABLE, ApiClient, Document, resource_path

FORMS = ("wide", "json", "yaml", "name")
WATCH_TIMEOUT_S = 24 * 3600.0


class View(NamedTuple):
    """What to show of a kind, and how. A namespace of None is all of them."""

    namespace: str | None
    query: Mapping[str, str]
    form: str | None
    headers: bool

    @property
    def accept(self) -> str:
        return TABLE if self.form in (None, "wide") else JSON


@click.command("get")
@click.argument("kind", metavar="KIND[,KIND]|KIND/NAME")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@namespace_option
@click.option("-A", "--all-namespaces", is_flag=True, help="Objects of every namespace.")
@click.option("-l", "--selector", metavar="LABELS", help="Objects with these labels: a=b,c!=d.")
@click.option("-o", "--output", "form", type=click.Choice(FORMS), help="Form of the output.")
@click.option("-w", "--watch", is_flag=True, help="Go on showing changes until Ctrl-C.")
@click.option("--no-headers", is_flag=True, help="Leave the header out.")
@instance_option
def get(
    kind: str,
    names: tuple[str, ...],
    *,
    namespace: str,
    all_namespaces: bool,
    selector: str | None,
    form: str | None,
    watch: bool,
    no_headers: bool,
    instance: Instance,
) -> None:
    """Show objects.

    \b
    Examples:
      knary get ksvc
      knary get revisions,pods -A
      knary get service helloworld-go -o yaml
      knary get revisions -l serving.knative.dev/service=helloworld-go -w
    """
    kinds, names = _kinds_and_names(kind, names)
    if names and all_namespaces:
        raise UsageError("a name and --all-namespaces exclude each other")
    if names and selector:
        raise UsageError("a name and a selector exclude each other")
    if watch and (len(kinds) > 1 or len(names) > 1):
        raise UsageError("-w watches one kind, or one object of it")
    query = {"labelSelector": selector} if selector else {}
    view = View(None if all_namespaces else namespace, query, form, not no_headers)
    with instance.client() as client:
        answers = [(each, _fetch(client, each, names, view)) for each in kinds]
        _show(answers, names, view)
        if watch:
            _watch(client, kinds[0], names, view, answers[0][1])


def _kinds_and_names(kind: str, names: tuple[str, ...]) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    """Return what "KIND NAME…" or "KIND/NAME" means."""
    if "/" not in kind:
        return find_kinds(kind), names
    kind, _, name = kind.partition("/")
    if names or not name:
        raise UsageError("give either KIND/NAME or KIND NAME…")
    return find_kinds(kind), (name,)


def _fetch(client: ApiClient, kind: Kind, names: Sequence[str], view: View) -> list[Document]:
    """Return the API's answers: one of the collection, or one per name."""
    if not names:
        path = resource_path(kind, view.namespace)
        return [client.request("GET", path, query=view.query, accept=view.accept)]
    paths = [resource_path(kind, view.namespace, name) for name in names]
    return [client.request("GET", path, accept=view.accept) for path in paths]


def _show(answers: Sequence[tuple[Kind, list[Document]]], names: Sequence[str], view: View) -> None:
    if view.form in ("json", "yaml"):
        objects = [item for _, found in answers for item in _objects(found)]
        output.document(objects[0] if len(names) == 1 else _list_of(objects), view.form)
        return
    if view.form == "name":
        for kind, found in answers:
            for item in _objects(found):
                output.line(f"{kind.qualified}/{item['metadata']['name']}")
        return
    shown = 0
    for kind, tables in answers:
        rows = _rows(tables, view, f"{kind.qualified}/" if len(answers) > 1 else "")
        if not rows:
            continue
        if shown:
            output.line()
        output.table([_header(tables[0], view), *rows] if view.headers else rows)
        shown += 1
    if not shown:
        inside = view.namespace and any(kind.namespaced for kind, _ in answers)
        where = f" in {view.namespace} namespace." if inside else ""  # as kubectl, period too
        output.note(f"No resources found{where}")


def _objects(answers: Sequence[Document]) -> list[Document]:
    """Return the objects of answers that are lists or objects themselves."""
    return [
        item
        for answer in answers
        for item in (answer["items"] if isinstance(answer.get("items"), list) else [answer])
    ]


def _list_of(objects: list[Document]) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": objects,
        "metadata": {"resourceVersion": ""},
    }


def _columns(table: Document, view: View) -> list[int]:
    """Return the columns to show: those of priority 0; all with `-o wide`."""
    return [
        index
        for index, column in enumerate(table["columnDefinitions"])
        if view.form == "wide" or not column.get("priority")
    ]


def _header(table: Document, view: View) -> list[str]:
    names = [table["columnDefinitions"][index]["name"] for index in _columns(table, view)]
    return (["NAMESPACE"] if view.namespace is None else []) + [name.upper() for name in names]


def _rows(tables: Sequence[Document], view: View, prefix: str) -> list[list[Any]]:
    columns = _columns(tables[0], view)
    rows = []
    for table in tables:
        for row in table.get("rows") or ():
            cells = [row["cells"][index] for index in columns]
            cells[0] = f"{prefix}{cells[0]}"
            if view.namespace is None:
                cells.insert(0, row["object"]["metadata"].get("namespace", ""))
            rows.append(cells)
    return rows


def _watch(
    client: ApiClient, kind: Kind, names: Sequence[str], view: View, answers: list[Document]
) -> None:
    """Print what changes after what was shown, until the server or Ctrl-C ends it."""
    query = {**view.query, "resourceVersion": _version(answers[0])}
    if names:
        query["fieldSelector"] = f"metadata.name={names[0]}"
    path = resource_path(kind, view.namespace)
    headed = answers[0]
    above: list[list[Any]] = []
    if view.accept == TABLE:
        above = [_header(headed, view), *_rows(answers, view, "")]
    with client.watch(path, query, WATCH_TIMEOUT_S, view.accept) as watch:
        for event in watch:
            found: Document = event["object"]
            if view.form in ("json", "yaml"):
                output.document(found, view.form)
            elif view.form == "name":
                output.line(f"{kind.qualified}/{found['metadata']['name']}")
            else:
                # Only the first frame of a watch describes its columns.
                table = {**found, "columnDefinitions": headed["columnDefinitions"]}
                output.table(_rows([table], view, ""), above)


def _version(answer: Document) -> str:
    """Return the resourceVersion of a list, an object, or a table of either."""
    version: str = answer.get("metadata", {}).get("resourceVersion", "")
    rows = answer.get("rows") or ()
    if not version and rows:
        version = rows[0]["object"]["metadata"].get("resourceVersion", "")
    return version

"""What kind of file this is, and what is to be said of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from simulator.errors import ApiError
from simulator.linting.findings import Finding
from simulator.linting.manifests import ObjectCheck
from simulator.linting.scenarios import findings_of as scenario_findings
from simulator.resources.manifests import ManifestError, parse_yaml
from simulator.resources.scheme import BY_KIND
from simulator.resources.strictyaml import places_of


class Checked:
    """What was looked at in a file: `findings`, and how many objects and scenarios it has."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.objects = 0
        self.scenarios = 0
        self.others = 0  # documents that are neither: of other kinds, or no objects at all


def check_file(text: str, file: str) -> Checked:
    """Return what is to be said of a file's documents. What is not knary's is only counted."""
    checked = Checked()
    try:
        documents = parse_yaml(text, file)
    except ManifestError as error:
        checked.findings.append(_syntax(file, text, str(error)))
        return checked
    if len(documents) == 1 and _is_scenario(documents[0].document):
        checked.scenarios = 1
        checked.findings.extend(scenario_findings(text, file))
        return checked
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    nodes = [node for node in yaml.compose_all(text, loader) if node is not None]
    for document, node in zip((each.document for each in documents), nodes, strict=False):
        for path, part in _objects(document, "$"):
            _check_object(checked, file, part, _below(node, path))
    checked.findings.sort()
    return checked


def _check_object(checked: Checked, file: str, document: Any, node: yaml.Node) -> None:
    info = None
    if isinstance(document, dict):
        info = BY_KIND.get((str(document.get("apiVersion")), str(document.get("kind"))))
    if info is None:
        checked.others += 1
        return
    checked.objects += 1
    check = ObjectCheck(file, dict(places_of(node, "$")))
    try:
        checked.findings.extend(check.findings(document, info))
    except ApiError as error:  # the document as a whole is none of this kind
        mark = node.start_mark
        checked.findings.append(Finding(file, mark.line + 1, mark.column + 1, "error", str(error)))


def _objects(document: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the objects of a document; those of a List are its items."""
    if isinstance(document, dict) and document.get("kind") == "List":
        for index, item in enumerate(document.get("items") or ()):
            yield f"{path}.items[{index}]", item
    else:
        yield path, document


def _below(node: yaml.Node, path: str) -> yaml.Node:
    """Return the node of an item of a List, or the node itself."""
    if path == "$" or not isinstance(node, yaml.MappingNode):
        return node
    index = int(path.removesuffix("]").rpartition("[")[2])
    for key, value in node.value:
        if key.value == "items":
            item: yaml.Node = value.value[index]
            return item
    return node


def _is_scenario(document: Any) -> bool:
    return isinstance(document, dict) and "steps" in document and "kind" not in document


def _syntax(file: str, text: str, message: str) -> Finding:
    import re

    match = re.search(r"line (\d+)(?:, column (\d+))?", message)
    line, column = (int(match[1]), int(match[2] or 1)) if match else (1, 1)
    return Finding(file, min(line, text.count("\n") + 1), column, "error", message)

"""From a scenario's YAML to its steps, strictly: every flaw with line, column and the way out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import yaml
from msgspec import Struct

from simulator.errors import KnaryError
from simulator.resources.manifests import ManifestError, parse_yaml
from simulator.scenario import model
from simulator.scenario.flaws import Flaw, flaws_of
from simulator.scenario.model import ScenarioDocument, StepDocument

SCENARIO_BYTES_MAX = 1024 * 1024


class ScenarioError(KnaryError):
    """The file is no scenario. Each line names file, line, column, what is wrong, the way out."""


# Where each struct stands in a file, to name the fields that it knows.
_STRUCTS: dict[str, type[Struct]] = {
    "$": ScenarioDocument,
    "$.steps[]": StepDocument,
    "$.steps[].apply": model.Apply,
    "$.steps[].command": model.Command,
    "$.steps[].load": model.Load,
    "$.steps[].expect": model.Expect,
    "$.steps[].expect.answers": model.AnswersClaim,
    "$.steps[].expect.response": model.ResponseClaim,
    "$.steps[].expect.condition": model.ConditionClaim,
    "$.steps[].expect.traffic": model.TrafficClaim,
}


class Place(NamedTuple):
    """Line and column, from 1."""

    line: int
    column: int


def parse_scenario(text: str, source: str) -> model.Scenario:
    """Return the scenario. Raise ScenarioError."""
    if len(text) > SCENARIO_BYTES_MAX:
        raise ScenarioError(f"{source}: larger than {SCENARIO_BYTES_MAX} bytes")
    try:
        documents = parse_yaml(text, source)
    except ManifestError as error:
        located = re.sub(r", line (\d+), column (\d+)", r":\1:\2", str(error), count=1)
        raise ScenarioError(located) from error
    if len(documents) != 1:
        raise ScenarioError(
            f"{source}: want one YAML document with `title` and `steps`, got {len(documents)}"
        )
    places = _places_in(text, source)
    try:
        document = msgspec.convert(documents[0].document, ScenarioDocument)
    except msgspec.ValidationError as error:
        raise ScenarioError(_located(source, places, _translated(str(error)))) from error
    flaws = list(flaws_of(document))
    if flaws:
        raise ScenarioError("\n".join(_located(source, places, flaw) for flaw in flaws))
    steps = tuple(
        model.Step(
            action=_action(step),
            line=places.get(f"$.steps[{index}]", Place(1, 1)).line,
            title=step.title,
            why=step.why,
            show=step.show,
        )
        for index, step in enumerate(document.steps)
    )
    return model.Scenario(
        title=document.title,
        why=document.why,
        namespace=document.namespace,
        steps=steps,
        source=source,
    )


def _action(step: StepDocument) -> model.Action:
    if isinstance(step.command, str):
        return model.Command(run=step.command)
    action = step.apply or step.command or step.load or step.expect
    assert action is not None  # noqa: S101 (`flaws_of` made sure)
    return action


# Where values are.


def _places_in(text: str, source: str) -> dict[str, Place]:
    """Return where each value is. `parse_yaml` refused aliases and depth, so composing is safe."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the parser of parse_yaml, if it can
    try:
        nodes = [node for node in yaml.compose_all(text, loader) if node is not None]
    except yaml.YAMLError as error:
        raise ScenarioError(f"{source}: {' '.join(str(error).split())}") from error
    return dict(_places(nodes[0], "$")) if nodes else {}


def _places(node: yaml.Node, path: str) -> Iterator[tuple[str, Place]]:
    """Yield the place of each value and, as `PATH key`, of each key."""
    yield path, Place(node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _places(item, f"{path}[{index}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = f"{path}.{key.value}"
            yield f"{below} key", Place(key.start_mark.line + 1, key.start_mark.column + 1)
            yield from _places(value, below)


def _located(source: str, places: dict[str, Place], flaw: Flaw) -> str:
    path = flaw.path
    while path not in places and path != "$":  # e.g. the keys of a map, which msgspec calls [...]
        path = re.sub(r"(\.[^.\[\]]*|\[[^\]]*\]| key)$", "", path) or "$"
    place = places.get(path, Place(1, 1))
    return f"{source}:{place.line}:{place.column}: {flaw.why}"


# What msgspec found, in a user's words.


def _translated(message: str) -> Flaw:
    message, _, path = message.partition(" - at `")
    path = path.rstrip("`").removeprefix("key in ") or "$"
    known = _known_fields(path)
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        near = difflib.get_close_matches(match[1], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
        return Flaw(f"{path}.{match[1]} key", f"unknown field `{match[1]}`; {hint}")
    if match := re.fullmatch(r"Object missing required field `(.*)`", message):
        return Flaw(path, f"`{match[1]}` is missing")
    if match := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        wanted, got = (_kinds(match[1]), _kinds(match[2]))
        hint = "; quote it" if wanted == "a text" and got not in {"a map", "a list"} else ""
        return Flaw(path, f"{_named(path)} wants {wanted}, got {got}{hint}")
    if match := re.fullmatch(r"Invalid enum value '(.*)'", message):
        return Flaw(path, f"{match[1]!r} is not allowed here; allowed are {_choices(path)}")
    return Flaw(path, message)


def _named(path: str) -> str:
    """Return what stands at a path: a field, an entry of a list, a value of a map."""
    if path == "$":
        return "a scenario"
    if path.endswith("[...]"):
        return f"each value of {_named(path.removesuffix('[...]'))}"
    name = path.rsplit(".", 1)[-1]
    return f"each entry of `{name.partition('[')[0]}`" if name.endswith("]") else f"`{name}`"


def _known_fields(path: str) -> tuple[str, ...]:
    struct = _STRUCTS.get(re.sub(r"\[\d+\]", "[]", path))
    return struct.__struct_fields__ if struct is not None else ()


def _choices(path: str) -> str:
    parent, _, name = path.rpartition(".")
    struct = _STRUCTS.get(re.sub(r"\[\d+\]", "[]", parent))
    if struct is None:
        return "others"
    info = msgspec.inspect.type_info(struct)
    for known in info.fields if isinstance(info, msgspec.inspect.StructType) else ():
        if known.name == name and isinstance(known.type, msgspec.inspect.LiteralType):
            return ", ".join(str(value) for value in known.type.values if value)
    return "others"


def _kinds(names: str) -> str:
    words = {
        "str": "a text",
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "object": "a map",
        "array": "a list",
        "null": "nothing",
    }
    kinds = [
        words.get(name, name) for name in names.split(" | ") if name != "null" or " " not in names
    ]
    return " or ".join(kinds)

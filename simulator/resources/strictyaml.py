"""From YAML to a struct, strictly: each flaw with file, line, column and the way out. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import yaml
from msgspec import Struct

from simulator.errors import KnaryError
from simulator.resources.manifests import ManifestError, parse_yaml

S = TypeVar("S", bound=Struct)


class Flaw(NamedTuple):
    """What is wrong with the value at a path such as `$.steps[0].load.rate`."""

    path: str
    why: str


class Place(NamedTuple):
    """Line and column, from 1."""

    line: int
    column: int


Places = Mapping[str, Place]


@dataclass(frozen=True)
class Form(Generic[S]):
    """What a file should be. `structs` says at which path each struct stands, [] for any index.

    `flaws_of` yields what is wrong with a document beyond its types. `noun` has its article;
    `wanted` names what must be in it.
    """

    struct: type[S]
    structs: Mapping[str, type[Struct]]
    noun: str
    wanted: str
    bytes_max: int
    flaws_of: Callable[[S], Iterable[Flaw]]
    error: type[KnaryError]

    def read(self, text: str, source: str) -> tuple[S, Places]:
        """Return the document, and where its values are. Raise `error`, a line for each flaw."""
        if len(text) > self.bytes_max:
            raise self.error(f"{source}: larger than {self.bytes_max} bytes")
        try:
            documents = parse_yaml(text, source)
        except ManifestError as error:
            located = re.sub(r", line (\d+), column (\d+)", r":\1:\2", str(error), count=1)
            raise self.error(located) from error
        if len(documents) != 1:
            raise self.error(
                f"{source}: want one YAML document with {self.wanted}, got {len(documents)}"
            )
        places = self._places_in(text, source)
        try:
            document = msgspec.convert(documents[0].document, self.struct)
        except msgspec.ValidationError as error:
            flaw = self._translated(str(error), documents[0].document)
            raise self.error(_located(source, places, flaw)) from error
        flaws = list(self.flaws_of(document))
        if flaws:
            raise self.error("\n".join(_located(source, places, flaw) for flaw in flaws))
        return document, places

    def _places_in(self, text: str, source: str) -> Places:
        """Return where values are. `parse_yaml` refused aliases and depth: composing is safe."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # parse_yaml's parser, if it can
        try:
            nodes = [node for node in yaml.compose_all(text, loader) if node is not None]
        except yaml.YAMLError as error:
            raise self.error(f"{source}: {' '.join(str(error).split())}") from error
        return dict(places_of(nodes[0], "$")) if nodes else {}

    # What msgspec found, in a user's words.

    def _translated(self, message: str, document: Any) -> Flaw:
        message, _, path = message.partition(" - at `")
        path = path.rstrip("`").removeprefix("key in ") or "$"
        if match := re.fullmatch(r"Object contains unknown field `(.*)`", message):
            known = self._known_fields(path)
            near = difflib.get_close_matches(match[1], known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}"
            return Flaw(f"{path}.{match[1]} key", f"unknown field `{match[1]}`; {hint}")
        if match := re.fullmatch(r"Object missing required field `(.*)`", message):
            return Flaw(path, f"`{match[1]}` is missing")
        if match := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
            wanted, got = (_kinds(match[1]), _kinds(match[2]))
            hint = "; quote it" if wanted == "a text" and got not in {"a map", "a list"} else ""
            shown = _shown(_value_at(document, path))
            return Flaw(path, f"{self._named(path)} wants {wanted}, got {got}{shown}{hint}")
        if match := re.fullmatch(r"Expected `.*` (>=|<=|>|<) (.*)", message):
            bound = f"{_BOUNDS[match[1]]} {match[2].removesuffix('.0')}"
            return Flaw(path, f"{self._named(path)} is {_value_at(document, path)}; want {bound}")
        if re.fullmatch(r"Expected `.*` of length >= 1", message):
            return Flaw(path, f"{self._named(path)} is empty; name at least one")
        if match := re.fullmatch(r"Invalid enum value '(.*)'", message):
            allowed = self._choices(path)
            return Flaw(path, f"{match[1]!r} is not allowed here; allowed are {allowed}")
        return Flaw(path, message)

    def _named(self, path: str) -> str:
        """Return what stands at a path: a field, an entry of a list, a value of a map."""
        if path == "$":
            return self.noun
        if path.endswith("[...]"):
            return f"each value of {self._named(path.removesuffix('[...]'))}"
        name = path.rsplit(".", 1)[-1]
        return f"each entry of `{name.partition('[')[0]}`" if name.endswith("]") else f"`{name}`"

    def _known_fields(self, path: str) -> tuple[str, ...]:
        struct = self.structs.get(re.sub(r"\[\d+\]", "[]", path))
        return struct.__struct_encode_fields__ if struct is not None else ()

    def _choices(self, path: str) -> str:
        parent, _, name = path.rpartition(".")
        struct = self.structs.get(re.sub(r"\[\d+\]", "[]", parent))
        if struct is None:
            return "others"
        info = msgspec.inspect.type_info(struct)
        for known in info.fields if isinstance(info, msgspec.inspect.StructType) else ():
            if known.encode_name == name and (allowed := _literals(known.type)):
                return ", ".join(allowed)
        return "others"


def _literals(kind: msgspec.inspect.Type) -> list[str]:
    """Return the texts that a field may have, when it may only have some."""
    match kind:
        case msgspec.inspect.Metadata():
            return _literals(kind.type)
        case msgspec.inspect.UnionType():
            return [value for one in kind.types for value in _literals(one)]
        case msgspec.inspect.LiteralType():
            return [str(value) for value in kind.values if value]
    return []


_BOUNDS = {">=": "no less than", "<=": "no more than", ">": "more than", "<": "less than"}


def places_of(node: yaml.Node, path: str) -> Iterator[tuple[str, Place]]:
    """Yield the place of each value and, as `PATH key`, of each key."""
    yield path, Place(node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from places_of(item, f"{path}[{index}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = f"{path}.{key.value}"
            yield f"{below} key", Place(key.start_mark.line + 1, key.start_mark.column + 1)
            yield from places_of(value, below)


def _located(source: str, places: Places, flaw: Flaw) -> str:
    path = flaw.path
    while path not in places and path != "$":  # e.g. the keys of a map, which msgspec calls [...]
        path = re.sub(r"(\.[^.\[\]]*|\[[^\]]*\]| key)$", "", path) or "$"
    place = places.get(path, Place(1, 1))
    return f"{source}:{place.line}:{place.column}: {flaw.why}"


def _value_at(document: Any, path: str) -> Any:
    """Return the value at a path of msgspec's; None when it does not say exactly where."""
    value = document
    for name, index in re.findall(r"\.([^.\[\]]+)|\[([^\]]*)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value


def _shown(value: Any) -> str:
    """Return " (VALUE)" of a text or number, shortened; nothing of what speaks for itself."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    text = repr(value)
    return f" ({text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + '…'})"


_SHOWN_MAX = 60


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

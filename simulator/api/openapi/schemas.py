"""A struct as an OpenAPI v3 schema, with all the schemas that it refers to. Pure.

Sources: OpenAPI 3.0; the extensions that Kubernetes reads are those of kube-openapi and of
apiextensions `v1/types_jsonschema.go`.
"""

from __future__ import annotations

from typing import Any

from simulator.api.openapi import facts
from simulator.api.openapi.words.meaning import Meaning, Meanings
from simulator.resources.schemarules import OPEN
from simulator.resources.scheme import KindInfo
from simulator.resources.shapes import (
    AnyShape,
    ListShape,
    MapShape,
    ObjectShape,
    ScalarShape,
    Shape,
    shape_of,
)

Schema = dict[str, Any]

_OPEN: Schema = {"x-kubernetes-preserve-unknown-fields": True}
_API_VERSION = (
    "The group and version of the API that this object is written in, such as"
    " serving.knative.dev/v1. The server refuses one that it does not know."
)
_KIND = "What the object is, in CamelCase. It cannot be changed."
_QUANTITY = "An amount, such as 500m (half of one), 2, 64Mi or 1G."
_INT_OR_STRING = "A number, or a text such as a port's name or 25%."
_METADATA = "The object's name, namespace, labels and annotations, and what the server notes."


class Schemas:
    """The schemas of one document, each made when it is first referred to.

    Knative's own kinds know fewer fields of a pod than Kubernetes' do.
    """

    def __init__(self, meanings: Meanings, *, is_knatives: bool) -> None:
        self._meanings = meanings
        self._is_knatives = is_knatives
        self.components: dict[str, Schema] = {}

    def refer(self, name: str, schema: Schema) -> Schema:
        """Return a reference to a schema that is in the document from now on."""
        self.components.setdefault(name, schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def kind(self, info: KindInfo) -> Schema:
        """Return a reference to the schema of a kind."""
        name = facts.schema_name(info.type)
        if name in self.components:
            return self.refer(name, {})
        schema = self._object(shape_of(info.type))
        own = schema["properties"]
        described = {
            "apiVersion": {"type": "string", "description": _API_VERSION},
            "kind": {"type": "string", "description": _KIND},
        }
        schema["properties"] = described | own
        own["metadata"]["description"] = _METADATA
        schema["properties"]["metadata"] = own["metadata"]
        schema["x-kubernetes-group-version-kind"] = [kind_name(info)]
        return self.refer(name, schema)

    def list_of(self, info: KindInfo) -> Schema:
        """Return a reference to the schema of a kind's list."""
        kind = f"{info.kind}List"
        schema: Schema = {
            "type": "object",
            "description": f"Several objects of the kind {info.kind}.",
            "required": ["items"],
            "properties": {
                "apiVersion": {"type": "string", "description": _API_VERSION},
                "items": {
                    "type": "array",
                    "items": self.kind(info),
                    "description": "The objects, by name.",
                },
                "kind": {"type": "string", "description": _KIND},
                "metadata": {
                    "allOf": [self.refer(f"{facts.META}.ListMeta", LIST_META)],
                    "description": "The version of the list, and where its next page begins.",
                },
            },
            "x-kubernetes-group-version-kind": [kind_name(info) | {"kind": kind}],
        }
        return self.refer(f"{facts.schema_name(info.type)}List", schema)

    def _struct(self, shape: ObjectShape) -> Schema:
        name = facts.schema_name(shape.type)
        if name not in self.components:
            self.components[name] = self._object(shape)
        return self.refer(name, {})

    def _object(self, shape: ObjectShape) -> Schema:
        meaning = self._meaning(shape.type)
        schema: Schema = {"type": "object"}
        if meaning.itself:
            schema["description"] = meaning.itself
        properties = {}
        for name, field in sorted(shape.fields.items()):
            if self._is_knatives and facts.is_pruned(shape.type, name):
                continue
            below = self._field(shape.type, name, field)
            if words := meaning.fields.get(name):
                below = {"allOf": [below]} if "$ref" in below else below
                below["description"] = words
            properties[name] = below
        schema["properties"] = properties
        required = [*shape.required, *facts.required_of(shape.type)]
        if required:
            schema["required"] = sorted(required)
        return schema | _OPEN if shape.type in OPEN else schema

    def _meaning(self, struct: type) -> Meaning:
        """Return a struct's meaning; what it does not say itself, its bases may."""
        itself, fields = "", dict[str, str]()
        for base in reversed(struct.__mro__):
            if found := self._meanings.get(base):
                itself, fields = found.itself, {**fields, **found.fields}
        return Meaning(itself, fields)

    def _field(self, struct: type, name: str, shape: Shape) -> Schema:
        if shape == ScalarShape(("string",)) and (moment := facts.time_name(name)):
            return self.refer(moment, {"type": "string", "format": "date-time"})
        if self._is_knatives and facts.is_open(name) and isinstance(shape, ListShape):
            anything = {"type": "object"} | _OPEN
            return {"type": "array", "items": anything} | facts.list_type(struct, name)
        schema = self._schema(shape)
        return schema | facts.list_type(struct, name) if isinstance(shape, ListShape) else schema

    def _schema(self, shape: Shape) -> Schema:
        match shape:
            case ObjectShape():
                return self._struct(shape)
            case ListShape():
                return {"type": "array", "items": self._schema(shape.item)}
            case MapShape(value=AnyShape()):
                return {"type": "object"} | _OPEN
            case MapShape():
                return {"type": "object", "additionalProperties": self._schema(shape.value)}
            case ScalarShape():
                return self._scalar(shape.names)
            case AnyShape():
                return dict(_OPEN)

    def _scalar(self, names: tuple[str, ...]) -> Schema:
        if names == ("integer",):
            return {"type": "integer", "format": "int64"}
        if len(names) == 1:
            return {"type": names[0]}
        one_of = [{"type": name} for name in names]
        if "number" in names:
            return self.refer(facts.QUANTITY, {"description": _QUANTITY, "anyOf": one_of})
        known = {"description": _INT_OR_STRING, "anyOf": one_of, "format": "int-or-string"}
        return self.refer(facts.INT_OR_STRING, known | {"x-kubernetes-int-or-string": True})


def kind_name(info: KindInfo) -> dict[str, str]:
    """Return the value by which Kubernetes' clients find a kind in a document."""
    return {"group": info.group, "kind": info.kind, "version": info.version}


def _texts(**descriptions: str) -> dict[str, Schema]:
    return {name: {"type": "string", "description": words} for name, words in descriptions.items()}


LIST_META: Schema = {
    "type": "object",
    "description": "What is said of a list as a whole.",
    "properties": {
        **_texts(
            resourceVersion="The version of the list: a watch may go on from here.",
            selfLink="Not used any more.",
        ),
        "continue": {
            "type": "string",
            "description": "Asks for the next page; given in the query. Absent on the last one.",
        },
        "remainingItemCount": {
            "type": "integer",
            "format": "int64",
            "description": "How many objects there are after this page, when that is known.",
        },
    },
}

"""As much of JSON Schema as our OpenAPI documents use, and stricter: what they do not name, is not.

An object may have no property that its schema does not know, unless the schema says that it keeps
unknown fields: so an answer with a field that no document declares is found out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
KEEPS = "x-kubernetes-preserve-unknown-fields"
KNOWN = frozenset(
    {
        *("$ref", "additionalProperties", "allOf", "anyOf", "description", "format", "items"),
        *("oneOf", "properties", "required", "type", KEEPS, "x-kubernetes-group-version-kind"),
        *("x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type"),
    }
)


class Schemas:
    """The schemas of one document."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components

    def resolved(self, schema: Schema) -> Schema:
        """Return the schema without references at its own level; what it says itself counts."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            return self.resolved(self._components[name])
        if "allOf" in schema:
            (one,) = schema["allOf"]
            own = {key: value for key, value in schema.items() if key != "allOf"}
            return {**self.resolved(one), **own}
        return schema

    def flaws(self, value: Any, schema: Schema, path: str = "$") -> Iterator[str]:
        """Yield what the value has that the schema does not allow, or misses."""
        schema = self.resolved(schema)
        assert set(schema) <= KNOWN, f"teach this validator {set(schema) - KNOWN}"
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                tried = [list(self.flaws(value, one, path)) for one in schema[choice]]
                if all(tried):
                    yield f"{path}: none of {choice}: {tried}"
                return
        match schema.get("type"):
            case "object":
                yield from self._object(value, schema, path)
            case "array":
                if not isinstance(value, list):
                    yield f"{path}: not an array: {value!r}"
                    return
                for index, item in enumerate(value):
                    yield from self.flaws(item, schema["items"], f"{path}[{index}]")
            case "string":
                if not isinstance(value, str):
                    yield f"{path}: not a string: {value!r}"
                elif schema.get("format") == "date-time" and not TIME.fullmatch(value):
                    yield f"{path}: not a moment: {value!r}"
            case "integer":
                if not isinstance(value, int) or isinstance(value, bool):
                    yield f"{path}: not an integer: {value!r}"
            case "number":
                if not isinstance(value, int | float) or isinstance(value, bool):
                    yield f"{path}: not a number: {value!r}"
            case "boolean":
                if not isinstance(value, bool):
                    yield f"{path}: not a boolean: {value!r}"
            case None if schema.get(KEEPS):
                return
            case other:
                yield f"{path}: the schema's type is {other}"

    def _object(self, value: Any, schema: Schema, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: not an object: {value!r}"
            return
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{path}: {name} is missing"
        properties = schema.get("properties", {})
        for name, below in value.items():
            if name in properties:
                yield from self.flaws(below, properties[name], f"{path}.{name}")
            elif "additionalProperties" in schema:
                yield from self.flaws(below, schema["additionalProperties"], f"{path}[{name!r}]")
            elif not schema.get(KEEPS):
                yield f"{path}.{name}: no such property"

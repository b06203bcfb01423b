"""Label and field selectors: which objects a client means.

Sources: apimachinery `labels/selector.go` (its lexer and grammar, its words of complaint),
`fields/selector.go`; kubernetes `registry/core` for the fields of Events and Pods.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from msgspec import Struct

from simulator.errors import BadRequest
from simulator.resources.core import ConfigMap, Event, Pod
from simulator.resources.meta import Resource
from simulator.resources.names import label_value_problems, qualified_name_problems
from simulator.resources.scheme import KindInfo
from simulator.resources.wording import quoted

SELECTOR_CHARACTERS_MAX = 64 * 1024


class LabelRequirement(Struct, frozen=True):
    """What one label must be. `operator`: in, notin, exists, !, gt, lt (the rest are these)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def is_met(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in":
                return value is not None and value in self.values
            case "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case operator:
                return value is not None and _is_beyond(value, operator, self.values[0])


class FieldRequirement(Struct, frozen=True):
    """What one field must, or must not, be."""

    field: str
    value: str
    is_equal: bool = True

    def is_met(self, resource: Resource) -> bool:
        return (field_value(resource, self.field) == self.value) is self.is_equal


class Selector(Struct, frozen=True):
    """A conjunction of label and field requirements. An empty one matches everything."""

    labels: tuple[LabelRequirement, ...] = ()
    fields: tuple[FieldRequirement, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not self.labels and not self.fields

    @property
    def exact_name(self) -> str | None:
        """Return the one name that an object must have to match, or None."""
        for requirement in self.fields:
            if requirement.field == "metadata.name" and requirement.is_equal:
                return requirement.value
        return None

    def matches(self, resource: Resource) -> bool:
        """Tell whether the object satisfies every requirement."""
        labels = resource.metadata.labels
        return all(requirement.is_met(labels) for requirement in self.labels) and all(
            requirement.is_met(resource) for requirement in self.fields
        )


EVERYTHING = Selector()

_Getter = Callable[[Any], str]

_FIELDS: dict[str, _Getter] = {
    "metadata.name": lambda resource: resource.metadata.name,
    "metadata.namespace": lambda resource: resource.metadata.namespace,
}
_FIELDS_OF: dict[type[Resource], dict[str, _Getter]] = {
    Event: {
        "involvedObject.kind": lambda event: event.involved_object.kind,
        "involvedObject.namespace": lambda event: event.involved_object.namespace,
        "involvedObject.name": lambda event: event.involved_object.name,
        "involvedObject.uid": lambda event: event.involved_object.uid,
        "involvedObject.apiVersion": lambda event: event.involved_object.api_version,
        "involvedObject.resourceVersion": lambda event: event.involved_object.resource_version,
        "involvedObject.fieldPath": lambda event: event.involved_object.field_path,
        "reason": lambda event: event.reason,
        "type": lambda event: event.type,
        "source": lambda event: event.source.component,
        "reportingComponent": lambda event: event.reporting_component,
    },
    Pod: {
        "status.phase": lambda pod: pod.status.phase,
        "spec.nodeName": lambda pod: pod.spec.node_name,
        "spec.restartPolicy": lambda pod: pod.spec.restart_policy,
        "spec.serviceAccountName": lambda pod: pod.spec.service_account_name,
        "status.podIP": lambda pod: pod.status.pod_ip,
    },
}


def field_value(resource: Resource, field: str) -> str:
    """Return the field's value. Raise KeyError when this kind cannot be selected by it."""
    getter = _FIELDS.get(field) or _FIELDS_OF[type(resource)][field]
    return getter(resource)


def parse_selector(info: KindInfo, labels: str = "", fields: str = "") -> Selector:
    """Return what `labelSelector` and `fieldSelector` ask for; raise BadRequest."""
    for text in (labels, fields):
        if len(text) > SELECTOR_CHARACTERS_MAX:
            raise BadRequest(f"a selector has more than {SELECTOR_CHARACTERS_MAX} characters")
    if not labels and not fields:
        return EVERYTHING
    return Selector(parse_labels(labels), parse_fields(info, fields))


def parse_fields(info: KindInfo, text: str) -> tuple[FieldRequirement, ...]:
    """Return the requirements of a field selector: `FIELD=VALUE`, `==`, `!=`, with commas."""
    requirements = []
    for term in _terms(text):
        if not term:
            continue
        match = _operator.search(term)
        if match is None:
            raise BadRequest(f"invalid selector: '{text}'; can't understand '{term}'")
        field = term[: match.start()]
        _require_selectable(info, field)
        value = _unescaped(term[match.end() :])
        requirements.append(FieldRequirement(field, value, is_equal=match[0] != "!="))
    return tuple(requirements)


def _require_selectable(info: KindInfo, field: str) -> None:
    """Raise BadRequest in the words of the kind's conversion of field labels.

    Sources: apiextensions-apiserver `conversion/converter.go`, apimachinery
    `runtime/conversion.go` for kinds that have none of their own.
    """
    if field in _FIELDS_OF.get(info.type, ()) or field == "metadata.name":
        return
    if field == "metadata.namespace" and info.namespaced:
        return
    if info.type is ConfigMap:
        known = '"metadata.name", "metadata.namespace"'
        raise BadRequest(f"{quoted(field)} is not a known field selector: only {known}")
    raise BadRequest(f"field label not supported: {field}")


_operator = re.compile("!=|==|=")
_term = re.compile(r"(?:[^\\,]|\\.|\\$)*", re.DOTALL)


def _terms(text: str) -> list[str]:
    """Return the text cut at commas that no backslash escapes."""
    terms, position = [], 0
    while position <= len(text):
        match = _term.match(text, position)
        end = match.end() if match else len(text)
        terms.append(text[position:end])
        position = end + 1
    return terms


def _unescaped(value: str) -> str:
    plain, position = [], 0
    while position < len(value):
        character = value[position]
        if character == "\\":
            escaped = value[position + 1 : position + 2]
            if escaped not in ("\\", ",", "="):
                why = f"invalid escape sequence: \\{escaped}"
                raise BadRequest(f"invalid field selector: {why}")
            character, position = escaped, position + 1
        elif character == "=":
            raise BadRequest("invalid field selector: unescaped character in value: 61")
        plain.append(character)
        position += 1
    return "".join(plain)


def _is_beyond(value: str, operator: str, bound: str) -> bool:
    """Compare as integers; what is none is never beyond a bound."""
    if not _integer.fullmatch(value):
        return False
    return int(value) > int(bound) if operator == "gt" else int(value) < int(bound)


_integer = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_token = re.compile(r"[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^=!(),<> \t\r\n]+))")

_OPERATORS = {
    "=": "in",
    "==": "in",
    "!=": "notin",
    "in": "in",
    "notin": "notin",
    ">": "gt",
    "<": "lt",
}
_END = ""  # no token is empty, so this is the end of the text


def parse_labels(text: str) -> tuple[LabelRequirement, ...]:
    """Return the requirements of a label selector: =, ==, !=, in, notin, KEY, !KEY, >, <."""
    return _LabelParser(text).parse()


class _LabelParser:
    """Reads tokens left to right; one look ahead is enough."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position, end = 0, len(text.rstrip(" \t\r\n"))
        while position < end:
            match = _token.match(text, position, end)
            if match is None:  # every character is in one of the two classes
                _refuse(f"found '{text[position:]}', expected: identifier")
            self._tokens.append(match[1] or match[2])
            position = match.end()
        self._tokens.reverse()

    def parse(self) -> tuple[LabelRequirement, ...]:
        requirements: list[LabelRequirement] = []
        if self._next == _END:
            return ()
        while True:
            requirements.append(self._requirement())
            symbol = self._take()
            if symbol == _END:
                return tuple(requirements)
            if symbol != ",":
                _refuse(f"found '{symbol}', expected: ',' or 'end of string'")
            if not self._is_identifier() and self._next != "!":
                _refuse(f"found '{self._next}', expected: identifier after ','")

    @property
    def _next(self) -> str:
        return self._tokens[-1] if self._tokens else _END

    def _take(self) -> str:
        return self._tokens.pop() if self._tokens else _END

    def _is_identifier(self) -> bool:
        return self._next != _END and self._next[0] not in "=!(),<>"

    def _requirement(self) -> LabelRequirement:
        is_absent = self._next == "!"
        if is_absent:
            self._take()
        elif not self._is_identifier():
            _refuse(f"found '{self._next}', expected: !, identifier, or 'end of string'")
        if not self._is_identifier():
            _refuse(f"unable to parse requirement: found '{self._next}', expected: identifier")
        key = _checked_key(self._take())
        if is_absent:
            return LabelRequirement(key, "!")
        if self._next in (_END, ","):
            return LabelRequirement(key, "exists")
        symbol = self._take()
        operator = _OPERATORS.get(symbol)
        if operator is None:
            expected = "in, notin, =, ==, !=, gt, lt"
            _refuse(f"unable to parse requirement: found '{symbol}', expected: {expected}")
        values = self._set() if symbol in ("in", "notin") else (self._exact_value(),)
        return LabelRequirement(key, operator, _checked_values(key, operator, values))

    def _exact_value(self) -> str:
        if self._next in (_END, ","):
            return ""
        if not self._is_identifier():
            _refuse(f"unable to parse requirement: found '{self._next}', expected: identifier")
        return self._take()

    def _set(self) -> tuple[str, ...]:
        """Return the values of `(a,b)`; between two commas, or none at all, is the empty one."""
        if self._take() != "(":
            _refuse(f"unable to parse requirement: found '{self._next}' expected: '('")
        values: list[str] = []
        while True:
            values.append(self._take() if self._is_identifier() else "")
            symbol = self._take()
            if symbol == ")":
                return tuple(dict.fromkeys(values))
            if symbol != ",":
                _refuse(f"unable to parse requirement: found '{symbol}', expected: ',' or ')'")


def _checked_key(key: str) -> str:
    if problems := qualified_name_problems(key):
        shown = f"Invalid value: {quoted(key)}: {'; '.join(problems)}"
        _refuse(f"unable to parse requirement: <nil>: {shown}")
    return key


def _checked_values(key: str, operator: str, values: tuple[str, ...]) -> tuple[str, ...]:
    for index, value in enumerate(values):
        if operator in ("gt", "lt") and not _integer.fullmatch(value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            shown = f"Invalid value: {quoted(value)}: {why}"
            _refuse(f"unable to parse requirement: values[{index}]: {shown}")
        if problems := label_value_problems(value):
            shown = f"Invalid value: {quoted(value)}: {'; '.join(problems)}"
            _refuse(f"unable to parse requirement: values[{index}][{key}]: {shown}")
    return values


def _refuse(why: str) -> NoReturn:
    raise BadRequest(why)

"""How a patch changes a document: RFC 7386 (merge patch) and RFC 6902 (JSON patch).

Neither function changes its arguments, and what they return shares nothing with them. Documents
may have tuples for arrays (`scheme.to_document` does); results have lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.errors import BadRequest, TooLarge, rejected

OPERATIONS_MAX = 10_000  # as an API server (CVE-2019-1002100)
COPIED_BYTES_MAX = 3 * 1024 * 1024  # what all "copy" operations may add, as an API server
SHIFTED_ITEMS_MAX = 20_000_000  # of lists, moved up or down by all operations together
_VALUE_BYTES = 8  # what a value that is no text counts for; it bounds how many there are
DEPTH_MAX = 200  # of a patched document; decoding refuses far shallower ones

_index = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


def copied(value: Any) -> Any:
    """Return a copy that shares nothing mutable; tuples become lists."""
    match value:
        case dict():
            return {key: copied(below) for key, below in value.items()}
        case list() | tuple():
            return [copied(below) for below in value]
        case _:
            return value


def merge_patch(document: Any, patch: Any) -> Any:
    """Return the document with the merge patch applied: null removes, objects merge (RFC 7386)."""
    return _merged(copied(document), patch, 0)


def _merged(document: Any, patch: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise BadRequest(f"the merge patch nests deeper than {DEPTH_MAX} levels")
    if not isinstance(patch, dict):
        return copied(patch)
    result = document if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value, depth + 1)
    return result


def json_patch(document: Any, operations: Any) -> Any:
    """Return the document with the operations applied in order, all or nothing (RFC 6902).

    Raise BadRequest when `operations` is no JSON patch, TooLarge for more than `OPERATIONS_MAX`,
    Invalid (422) when an operation does not apply to this document or a `test` fails.
    """
    if not isinstance(operations, list):
        raise BadRequest("a JSON patch is a list of operations (RFC 6902)")
    if len(operations) > OPERATIONS_MAX:
        raise TooLarge(
            "Request entity too large: The allowed maximum operations in a JSON patch is"
            f" {OPERATIONS_MAX}, got {len(operations)}"
        )
    parsed = [_parsed(operation, index) for index, operation in enumerate(operations)]
    patching = _Patching(copied(document))
    try:
        for operation in parsed:
            patching.apply(operation)
    except RecursionError as error:  # moves can nest the document as deep as they are many
        raise rejected("the document nests too deep") from error
    return patching.document


class _Operation:
    """One operation whose members are those that its `op` needs."""

    __slots__ = ("from_", "op", "path", "source", "target", "value")

    def __init__(self, op: str, given: Mapping[str, Any], index: int) -> None:
        self.op = op
        self.path: str = given["path"]
        self.target = _pointer(self.path, index)
        self.from_: str = given.get("from", "") if op in ("move", "copy") else ""
        self.source = _pointer(self.from_, index)
        self.value = given.get("value")


_NEEDS_VALUE = frozenset({"add", "replace", "test"})
_NEEDS_FROM = frozenset({"move", "copy"})
_OPERATIONS = frozenset({"remove"}) | _NEEDS_VALUE | _NEEDS_FROM


def _parsed(operation: Any, index: int) -> _Operation:
    where = f"JSON patch operation {index}"
    if not isinstance(operation, dict):
        raise BadRequest(f"{where}: it must be an object")
    op = operation.get("op")
    if not isinstance(op, str) or op not in _OPERATIONS:
        known = ", ".join(sorted(_OPERATIONS))
        raise BadRequest(f'{where}: unexpected kind: {op!r}; "op" must be one of {known}')
    for member in ("path", "from") if op in _NEEDS_FROM else ("path",):
        if not isinstance(operation.get(member), str):
            raise BadRequest(f'{where}: "{member}" must be a JSON pointer')
    if op in _NEEDS_VALUE and "value" not in operation:
        raise BadRequest(f'{where}: {op} needs a "value"')
    return _Operation(op, operation, index)


def _pointer(text: str, index: int) -> tuple[str, ...]:
    """Return the reference tokens of a JSON pointer (RFC 6901)."""
    if not text:
        return ()
    if not text.startswith("/"):
        raise BadRequest(f'JSON patch operation {index}: the pointer "{text}" must begin with "/"')
    tokens = text[1:].split("/")
    if len(tokens) > DEPTH_MAX:
        raise BadRequest(f"JSON patch operation {index}: the pointer has too many parts")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)


class _DoesNotApply(Exception):
    """The document has no such place."""


class _Patching:
    """A private copy of the document, and what is left of its bounds."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._copied_bytes = 0
        self._shifted = 0

    def apply(self, operation: _Operation) -> None:
        """Carry out one operation. Raise Invalid when it does not apply."""
        try:
            match operation.op:
                case "add":
                    self._add(operation.target, copied(operation.value))
                case "remove":
                    self._remove(operation.target)
                case "replace":
                    self._replace(operation.target, copied(operation.value))
                case "move":
                    self._move(operation)
                case "copy":
                    self._copy(operation)
                case _:
                    self._test(operation)
        except _DoesNotApply as error:
            why = f"{operation.op} operation does not apply: {error}"
            raise rejected(why) from error

    def _add(self, target: tuple[str, ...], value: Any) -> None:
        if not target:
            self.document = value
            return
        holder, last = self._get(target[:-1]), target[-1]
        match holder:
            case dict():
                holder[last] = value
            case list() if last == "-":
                holder.append(value)
            case list():
                position = _position(last, len(holder) + 1)
                self._shift(len(holder) - position)
                holder.insert(position, value)
            case _:
                raise _DoesNotApply(_missing(target))

    def _remove(self, target: tuple[str, ...]) -> Any:
        if not target:
            raise _DoesNotApply("the whole document cannot be removed")
        holder, last = self._get(target[:-1]), target[-1]
        match holder:
            case dict() if last in holder:
                return holder.pop(last)
            case list():
                position = _position(last, len(holder))
                self._shift(len(holder) - position)
                return holder.pop(position)
            case _:
                raise _DoesNotApply(_missing(target))

    def _replace(self, target: tuple[str, ...], value: Any) -> None:
        if not target:
            self.document = value
            return
        holder, last = self._get(target[:-1]), target[-1]
        match holder:
            case dict() if last in holder:
                holder[last] = value
            case list():
                holder[_position(last, len(holder))] = value
            case _:
                raise _DoesNotApply(_missing(target))

    def _move(self, operation: _Operation) -> None:
        source, target = operation.source, operation.target
        if target[: len(source)] == source:
            self._get(source)
            if target == source:
                return
            raise _DoesNotApply(f"{operation.from_} cannot move into itself")
        self._add(target, self._remove(source))

    def _copy(self, operation: _Operation) -> None:
        value = self._get(operation.source)
        self._copied_bytes += _bytes(value)
        if self._copied_bytes > COPIED_BYTES_MAX:
            raise _DoesNotApply(
                "Unable to complete the copy, the accumulated size increase of copy is"
                f" {self._copied_bytes}, exceeding the limit {COPIED_BYTES_MAX}"
            )
        self._add(operation.target, copied(value))

    def _shift(self, items: int) -> None:
        """Count what an operation on a list moves. Raise _DoesNotApply when it is too much."""
        self._shifted += items
        if self._shifted > SHIFTED_ITEMS_MAX:
            raise _DoesNotApply(
                f"all operations together would move more than {SHIFTED_ITEMS_MAX} items of lists"
            )

    def _test(self, operation: _Operation) -> None:
        if not _equal(self._get(operation.target), operation.value):
            raise rejected(f"testing value {operation.path} failed: test failed")

    def _get(self, tokens: tuple[str, ...]) -> Any:
        """Return the value at this place. Raise _DoesNotApply when there is none."""
        value = self.document
        for token in tokens:
            match value:
                case dict() if token in value:
                    value = value[token]
                case list():
                    value = value[_position(token, len(value))]
                case _:
                    raise _DoesNotApply(_missing(tokens))
        return value


def _missing(tokens: tuple[str, ...]) -> str:
    path = "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)
    return f'doc is missing path: "{path}": missing value'


def _position(token: str, end: int) -> int:
    """Return the index that the token names, below `end`; RFC 6901 allows no leading zero."""
    if not _index.fullmatch(token):
        raise _DoesNotApply(f"value was not a proper array index: '{token}'")
    position = int(token)
    if position >= end:
        raise _DoesNotApply(f"Unable to access invalid index: {token}: invalid index referenced")
    return position


def _bytes(value: Any) -> int:
    """Return about how many bytes the value is in JSON, all below it counted."""
    match value:
        case dict():
            return _VALUE_BYTES + sum(len(key) + _bytes(below) for key, below in value.items())
        case list():
            return _VALUE_BYTES + sum(map(_bytes, value))
        case str():
            return _VALUE_BYTES + len(value)
        case _:
            return _VALUE_BYTES


def _equal(one: Any, other: Any) -> bool:
    """Compare as JSON does (RFC 6902, 4.6): true is not 1, and 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)

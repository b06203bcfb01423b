"""Bytes from a client to a JSON document, safely: UTF-8, bounded depth, duplicate keys named."""

from __future__ import annotations

import json
import re
from typing import Any

from simulator.errors import BadRequest, TooLarge

# Kubernetes allows 10,000 levels; nothing that we store has more than a dozen.
DEPTH_MAX = 100
# What a text may hold: enough for the longest JSON patch, too little to keep the loop for long.
SEPARATORS_MAX = 100_000
_BRACKETS_ALONE = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_surrogate = re.compile(r"\\u[dD][89a-fA-F]")
_INTEGER_DIGITS_MAX = 20  # more digits than an int64 has: read as a float, as Kubernetes does


class TooDeep(ValueError):
    """The document nests deeper than `DEPTH_MAX`."""


def parse_json(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """Return the document and the paths of keys given twice (the last one counts).

    Raise BadRequest when the body is not one JSON value in UTF-8, or nests deeper than
    `DEPTH_MAX` levels, TooLarge when it has very many values. NaN and Infinity are not JSON.
    """
    try:
        text = body.decode("utf-8")
        if text.count(",") > SEPARATORS_MAX or text.count(":") > SEPARATORS_MAX:
            _check_count(text)
        check_depth(text)
        repeated: list[tuple[dict[str, Any], list[str]]] = []

        def pairs_to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            built = dict(pairs)
            if len(built) != len(pairs):
                repeated.append((built, _twice([key for key, _ in pairs])))
            return built

        document = json.loads(
            text,
            object_pairs_hook=pairs_to_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_finite,
        )
        if _surrogate.search(text):
            # Half of a pair is no character, and nothing that holds one can be written as UTF-8.
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadRequest("the body has an escape for half of a surrogate pair") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: invalid byte at offset {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"error decoding the body as JSON: {error}") from error
    if not repeated:
        return document, ()
    keys_of = {id(holder): keys for holder, keys in repeated}
    return document, tuple(_paths(document, keys_of, ""))


def check_depth(text: str) -> None:
    """Raise TooDeep when brackets outside of strings nest deeper than `DEPTH_MAX`."""
    # Cheap first: a text with few opening brackets cannot be deep.
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return
    left = _outside_of_strings(text).encode().translate(_AS_SQUARE, _BRACKETS_ALONE)
    for _ in range(DEPTH_MAX):  # each turn takes the innermost level away
        before = len(left)
        left = left.replace(b"[]", b"")
        if len(left) == before:
            break
    # What has no end is as deep as it is long; what has no beginning is no JSON, and not deep.
    if left.count(b"[") > (0 if b"[]" in left else DEPTH_MAX):
        raise TooDeep(f"it nests deeper than {DEPTH_MAX} levels")


def _check_count(text: str) -> None:
    """Raise TooLarge when there are more separators outside of strings than may be."""
    outside = _outside_of_strings(text)
    if max(outside.count(","), outside.count(":")) > SEPARATORS_MAX:
        raise too_many(SEPARATORS_MAX)


def too_many(values_max: int) -> TooLarge:
    """Return the refusal of a document with more values than that."""
    return TooLarge(f"Request entity too large: limit is {values_max} values")


def _outside_of_strings(text: str) -> str:
    """Return what is outside of the strings of a JSON text, without looking at each character."""
    bare = text.replace("\\\\", "").replace('\\"', "")
    return "".join(bare.split('"')[::2])


def _twice(keys: list[str]) -> list[str]:
    seen: set[str] = set()
    again: dict[str, None] = {}
    for key in keys:
        if key in seen:
            again[key] = None
        seen.add(key)
    return list(again)


def _paths(value: Any, keys_of: dict[int, list[str]], path: str) -> list[str]:
    """Return the paths of the repeated keys, outer ones first."""
    found: list[str] = []
    if isinstance(value, dict):
        found += [_joined(path, key) for key in keys_of.get(id(value), ())]
        for key, below in value.items():
            found += _paths(below, keys_of, _joined(path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            found += _paths(below, keys_of, f"{path}[{index}]")
    return found


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _INTEGER_DIGITS_MAX else _finite(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is out of range")
    return number

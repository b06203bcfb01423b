"""Bytes from a client to a JSON document, safely: UTF-8, bounded depth, duplicate keys named."""

from __future__ import annotations

import json
import re
from typing import Any

from simulator.errors import BadRequest

# Kubernetes allows 10,000 levels; nothing that we store has more than a dozen.
DEPTH_MAX = 100
_surrogate = re.compile(r"\\u[dD][89a-fA-F]")
_INTEGER_DIGITS_MAX = 20  # more digits than an int64 has: read as a float, as Kubernetes does


class TooDeep(ValueError):
    """The document nests deeper than `DEPTH_MAX`."""


def parse_json(body: bytes) -> tuple[Any, tuple[str, ...]]:
    """Return the document and the paths of keys given twice (the last one counts).

    Raise BadRequest when the body is not one JSON value in UTF-8, or nests deeper than
    `DEPTH_MAX` levels. NaN and Infinity are not JSON.
    """
    try:
        text = body.decode("utf-8")
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
    depth, position, end = 0, 0, len(text)
    while position < end:
        character = text[position]
        if character == '"':
            position = _string_end(text, position)
        elif character in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise TooDeep(f"it nests deeper than {DEPTH_MAX} levels")
        elif character in "]}":
            depth -= 1
        position += 1


def _string_end(text: str, start: int) -> int:
    """Return where the string that starts here has its closing quote, or the text's end."""
    position = start + 1
    while True:
        quote = text.find('"', position)
        if quote < 0:
            return len(text)
        backslashes = quote - len(text[position:quote].rstrip("\\")) - position
        if backslashes % 2 == 0:
            return quote
        position = quote + 1


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

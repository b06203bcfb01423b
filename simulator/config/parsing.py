"""Values of a ConfigMap as Go reads them, and refuses them.

Source: knative/pkg `configmap/parser/parse.go`; Go's strconv for what is a number or a boolean.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from simulator.resources.durations import parse_duration
from simulator.resources.wording import quoted

EXAMPLE = "_example"  # a ConfigMap's documentation, which counts for nothing
ANNOTATION_EXAMPLE_CHECKSUM = "knative.dev/example-checksum"

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
UINT32 = range(2**32)
_integer = re.compile(r"[+-]?[0-9]+", re.ASCII)
_natural = re.compile(r"[0-9]+", re.ASCII)
_float = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_newlines = re.compile(r"(?:\r?\n)+")
_unit = re.compile(r"[^0-9.]+")
_quantity = re.compile(r"[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*", re.ASCII)
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


class ConfigError(ValueError):
    """A ConfigMap's value cannot be used. The message is Knative's."""


def without_example(data: Mapping[str, str]) -> dict[str, str]:
    """Return the settings alone."""
    return {key: text for key, text in data.items() if key != EXAMPLE}


def example_checksum(text: str) -> str:
    """Return the checksum that tells whether somebody edited the documentation by mistake.

    Source: knative/pkg `configmap/example.go`; its replacement is the two characters `\\n`.
    """
    plain = _newlines.sub(r"\\n", text.strip())
    return f"{zlib.crc32(plain.encode()):08x}"


def text_of(data: Mapping[str, str], key: str, default: str) -> str:
    """Return the value without blanks around it."""
    return data[key].strip() if key in data else default


def first_of(data: Mapping[str, str], *keys: str) -> Mapping[str, str]:
    """Return the map with the last of these keys that is there under the name of the last one.

    So does Knative read keys that had other names once.
    """
    found = [data[key] for key in keys if key in data]
    return {keys[-1]: found[-1]} if found else {}


def integer_of(data: Mapping[str, str], key: str, default: int, among: range = INT64) -> int:
    """Return an integer, of 64 bits unless said otherwise. Raise ConfigError."""
    if key not in data:
        return default
    text = data[key]
    is_unsigned = among.start == 0
    function, shape = ("ParseUint", _natural) if is_unsigned else ("ParseInt", _integer)
    if not shape.fullmatch(text):
        raise _failed(key, function, text, "invalid syntax")
    if (number := int(text)) not in among:
        raise _failed(key, function, text, "value out of range")
    return number


def float_of(data: Mapping[str, str], key: str, default: float) -> float:
    """Return a number. Raise ConfigError."""
    if key not in data:
        return default
    text = data[key]
    if not _float.fullmatch(text):
        raise _failed(key, "ParseFloat", text, "invalid syntax")
    return float(text)


def duration_of(data: Mapping[str, str], key: str, default: int) -> int:
    """Return a duration in nanoseconds. Raise ConfigError."""
    if key not in data:
        return default
    try:
        return parse_duration(data[key])
    except ValueError as error:
        raise ConfigError(f"failed to parse {quoted(key)}: {why_no_duration(data[key])}") from error


def why_no_duration(text: str) -> str:
    """Return what Go's time.ParseDuration says of a text that is no duration."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if _float.fullmatch(body):
        return f"time: missing unit in duration {quoted(text)}"
    unit = _unit.search(body)
    if unit is not None and unit.start() > 0:
        return f"time: unknown unit {quoted(unit[0])} in duration {quoted(text)}"
    return f"time: invalid duration {quoted(text)}"


def set_of(data: Mapping[str, str], key: str, default: frozenset[str]) -> frozenset[str]:
    """Return the texts between commas, without blanks around them."""
    if key not in data:
        return default
    return frozenset(part.strip() for part in data[key].split(","))


def shown(number: float) -> str:
    """Return a number as Go's %v prints it."""
    return repr(number).removesuffix(".0")


def boolean_of(data: Mapping[str, str], key: str, *, default: bool) -> bool:
    """Return a boolean. Raise ConfigError."""
    if key not in data:
        return default
    text = data[key]
    if text not in _BOOLEANS:
        raise _failed(key, "ParseBool", text, "invalid syntax")
    return _BOOLEANS[text]


def quantity_of(data: Mapping[str, str], key: str) -> str | None:
    """Return an amount of a resource, as it is written. Raise ConfigError."""
    text = data.get(key)
    if text is not None and not _quantity.fullmatch(text):
        why = "quantities must match the regular expression"
        shape = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        raise ConfigError(f"failed to parse {quoted(key)}: {why} {shape}")
    return text


def _failed(key: str, function: str, text: str, why: str) -> ConfigError:
    return ConfigError(
        f"failed to parse {quoted(key)}: strconv.{function}: parsing {quoted(text)}: {why}"
    )

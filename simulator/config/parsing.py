"""Values of a ConfigMap as Go reads them, and refuses them.

Source: knative/pkg `configmap/parser/parse.go`; Go's strconv for what is a number or a boolean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.resources.wording import quoted

EXAMPLE = "_example"  # a ConfigMap's documentation, which counts for nothing

_INT64 = range(-(2**63), 2**63)
_integer = re.compile(r"[+-]?[0-9]+", re.ASCII)
_quantity = re.compile(r"[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*", re.ASCII)
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


class ConfigError(ValueError):
    """A ConfigMap's value cannot be used. The message is Knative's."""


def text_of(data: Mapping[str, str], key: str, default: str) -> str:
    """Return the value without blanks around it."""
    return data[key].strip() if key in data else default


def integer_of(data: Mapping[str, str], key: str, default: int) -> int:
    """Return a 64-bit integer. Raise ConfigError."""
    if key not in data:
        return default
    text = data[key]
    if not _integer.fullmatch(text):
        raise _failed(key, "ParseInt", text, "invalid syntax")
    if (number := int(text)) not in _INT64:
        raise _failed(key, "ParseInt", text, "value out of range")
    return number


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

"""Kubernetes' quantities: which texts are some, and the one way in which each is written.

Source: apimachinery `api/resource/quantity.go`, `suffix.go`.
"""

from __future__ import annotations

import re

WRONG_FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
WRONG_SUFFIX = "unable to parse quantity's suffix"

_format = re.compile(r"[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*", re.ASCII)
_quantity = re.compile(
    r"(?P<number>[+-]?([0-9]+\.?[0-9]*|\.[0-9]+))"
    r"((?P<binary>[KMGTPE]i)|(?P<decimal>[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]+))?",
    re.ASCII,
)

_BINARY = {
    suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)
}
_DECIMAL_EXPONENTS = {
    "n": -9,
    "u": -6,
    "m": -3,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}
_LARGEST_FIRST = tuple((power, suffix) for suffix, power in reversed(_DECIMAL_EXPONENTS.items()))

MAGNITUDE_MAX = 2**63 - 1  # beyond it a quantity is this one
CHARACTERS_MAX = 64
EXPONENT_MAX = 64
NANO_EXPONENT = 9  # nothing smaller than a nano is told apart
NANO = 10**NANO_EXPONENT


def canonical_quantity(text: str) -> str:
    """Return the quantity with no fraction and the largest suffix. Raise ValueError."""
    found = _quantity.fullmatch(text) if len(text) <= CHARACTERS_MAX else None
    exponent = int(found["exponent"] or 0) if found is not None else 0
    if found is None or abs(exponent) > EXPONENT_MAX:
        raise ValueError(WRONG_SUFFIX if _format.fullmatch(text) else WRONG_FORMAT)
    whole, _, fraction = found["number"].lstrip("+-").partition(".")
    size = _BINARY.get(found["binary"] or "", 1)
    power = exponent + _DECIMAL_EXPONENTS[found["decimal"] or ""] - len(fraction) + NANO_EXPONENT
    nanos = int(whole + fraction) * size
    nanos = nanos * 10**power if power >= 0 else -(-nanos // 10**-power)  # rounded up
    nanos = min(nanos, MAGNITUDE_MAX * NANO)
    sign = "-" if found["number"].startswith("-") and nanos else ""
    units, rest = divmod(nanos, NANO)
    if found["binary"] and units >= 1024 and not rest:
        return sign + _binary_text(units)
    return sign + _decimal_text(nanos, as_exponent=found["exponent"] is not None)


def _binary_text(number: int) -> str:
    text = str(number)
    for suffix, size in _BINARY.items():
        if number % size == 0:
            text = f"{number // size}{suffix}"
    return text


def _decimal_text(nanos: int, *, as_exponent: bool) -> str:
    if not nanos:
        return "0"
    exponent, suffix = next(
        (power, letter)
        for power, letter in _LARGEST_FIRST
        if nanos % 10 ** (power + NANO_EXPONENT) == 0
    )
    number = nanos // 10 ** (exponent + NANO_EXPONENT)
    if as_exponent:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{suffix}"

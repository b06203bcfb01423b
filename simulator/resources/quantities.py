"""Kubernetes' quantities: which texts are some, and the one way in which each is written.

Source: apimachinery `api/resource/quantity.go`, `suffix.go`.
"""

from __future__ import annotations

import re
from fractions import Fraction

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
_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL_EXPONENTS.items()}

MAGNITUDE_MAX = 2**63 - 1  # beyond it a quantity is this one
CHARACTERS_MAX = 64
EXPONENT_MAX = 64
NANO = 10**9  # nothing smaller is told apart


def canonical_quantity(text: str) -> str:
    """Return the quantity with no fraction and the largest suffix. Raise ValueError."""
    found = _quantity.fullmatch(text)
    exponent = int(found["exponent"] or 0) if found is not None else 0
    if found is None or len(text) > CHARACTERS_MAX or abs(exponent) > EXPONENT_MAX:
        raise ValueError(WRONG_SUFFIX if _format.fullmatch(text) else WRONG_FORMAT)
    value = Fraction(found["number"])
    if binary := found["binary"]:
        value *= _BINARY[binary]
    else:
        value *= Fraction(10) ** (exponent + _DECIMAL_EXPONENTS[found["decimal"] or ""])
    nanos = -(-abs(value) * NANO // 1)  # rounded up
    value = min(Fraction(nanos, NANO), Fraction(MAGNITUDE_MAX))
    sign = "-" if found["number"].startswith("-") and value else ""
    if binary and value >= 1024 and value.denominator == 1:
        return sign + _binary_text(value.numerator)
    return sign + _decimal_text(value, as_exponent=found["exponent"] is not None)


def _binary_text(number: int) -> str:
    suffix = ""
    for larger, size in _BINARY.items():
        if number % size == 0:
            suffix, divisor = larger, size
    return f"{number // divisor}{suffix}" if suffix else str(number)


def _decimal_text(value: Fraction, *, as_exponent: bool) -> str:
    if not value:
        return "0"
    exponent = max(
        exponent for exponent in _SUFFIXES if (value / Fraction(10) ** exponent).denominator == 1
    )
    number = (value / Fraction(10) ** exponent).numerator
    if as_exponent:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_SUFFIXES[exponent]}"

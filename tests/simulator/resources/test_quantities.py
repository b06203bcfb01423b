"""Quantities are written in one way, whatever way they came in."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.quantities import WRONG_FORMAT, WRONG_SUFFIX, canonical_quantity

SIZES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{suffix: Fraction(1000) ** power for power, suffix in enumerate("kMGTP", 1)},
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTP", 1)},
}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1", "1"),
        ("1.", "1"),
        (".5", "500m"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1024", "1024"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("0.1n", "1n"),
        ("-5", "-5"),
        ("0Ki", "0"),
        ("100E", "9223372036854775807"),
    ],
)
def test_a_quantity_has_no_fraction_and_the_largest_suffix(text: str, canonical: str) -> None:
    assert canonical_quantity(text) == canonical


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", WRONG_FORMAT),
        ("much", WRONG_FORMAT),
        ("1 Gi", WRONG_FORMAT),
        ("1nn", WRONG_SUFFIX),
        ("1.2.3", WRONG_SUFFIX),
        ("1e99999", WRONG_SUFFIX),
        ("1e" + "9" * 5000, WRONG_SUFFIX),
    ],
)
def test_what_is_none_is_refused_in_kubernetes_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        canonical_quantity(text)
    assert str(refused.value) == why


@given(st.integers(0, 10**9), st.integers(0, 999), st.sampled_from(sorted(SIZES)))
def test_writing_it_again_changes_neither_text_nor_amount(
    whole: int, thousandths: int, suffix: str
) -> None:
    text = f"{whole}.{thousandths:03}{suffix}"
    once = canonical_quantity(text)
    assert canonical_quantity(once) == once
    amount = (whole + Fraction(thousandths, 1000)) * SIZES[suffix]
    if amount <= 2**63 - 1 and (amount * 10**9).denominator == 1:
        digits = once.rstrip("numkKMGTPEi")
        assert int(digits) * (SIZES | {"E": Fraction(10**18)})[once[len(digits) :]] == amount


@given(st.text(alphabet="0123456789.+-eEinumkKMGTP ", max_size=12))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        once = canonical_quantity(text)
    except ValueError:
        return
    assert canonical_quantity(once) == once

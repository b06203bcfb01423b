"""What a session's cookie says is ours, or it says nothing."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sticky.places import TARGETS_MAX, Place, Shares
from gateway.sticky.tokens import VALUE_BYTES_MAX, Signer

KEY = bytes(range(32))
SIGNER = Signer(KEY, "default/shop")
V1, V2 = SIGNER.name_of("default/shop-1"), SIGNER.name_of("default/shop-2")
SHARES = Shares({V1: 9_000, V2: 1_000})
VALUE = SIGNER.written(Place(V2, 12_345), SHARES, 1_700_000_000)


def test_a_value_is_read_as_it_was_written() -> None:
    token = SIGNER.read(VALUE)
    assert token is not None
    assert (token.place.target, token.place.position) == (V2, 12_345)
    assert token.shares().weights == SHARES.weights
    assert token.written_s == 1_700_000_000


def test_a_value_is_short_and_of_letters_that_a_cookie_may_have() -> None:
    assert len(VALUE) < 64
    assert set(VALUE.decode()) <= set(string.ascii_letters + string.digits + "-_")


def test_the_most_targets_fit_into_what_browsers_take() -> None:
    weights = {SIGNER.name_of(str(number)): 39 for number in range(TARGETS_MAX)}
    weights[SIGNER.name_of("0")] += 10_000 - 39 * TARGETS_MAX
    value = SIGNER.written(Place(SIGNER.name_of("7"), 1), Shares(weights), 1)
    assert len(value) <= VALUE_BYTES_MAX < 4_000  # RFC 6265, 6.1: 4096 with name and attributes
    assert SIGNER.read(value) is not None


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(Signer(KEY, "default/shop-2"), id="of another service"),
        pytest.param(Signer(bytes(32), "default/shop"), id="by another key"),
    ],
)
def test_a_foreign_value_says_nothing(signer: Signer) -> None:
    assert signer.read(VALUE) is None


def test_a_value_with_any_other_character_says_nothing() -> None:
    alphabet = (string.ascii_letters + string.digits + "-_").encode()
    # The last one holds some bits that no byte has: there alone two letters may mean the same.
    for place in range(len(VALUE) - 1):
        other = alphabet[(alphabet.index(VALUE[place]) + 1) % 64]
        forged = VALUE[:place] + bytes([other]) + VALUE[place + 1 :]
        assert SIGNER.read(forged) is None


def test_a_value_cut_anywhere_says_nothing() -> None:
    for cut in range(len(VALUE)):
        assert SIGNER.read(VALUE[:cut]) is None
        assert SIGNER.read(VALUE[cut:]) is None or cut == 0


@given(st.binary(max_size=6_000))
def test_whatever_a_client_sends_is_read_as_nothing(data: bytes) -> None:
    assert SIGNER.read(data) is None


@given(st.text(string.ascii_letters + string.digits + "-_", max_size=6_000))
def test_nor_is_what_looks_like_one(text: str) -> None:
    assert SIGNER.read(text.encode()) is None

"""Annotations of ours, and what a status says of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.inforce import IGNORED, PREFIX, is_settled, ours, told

NAMES = st.sampled_from([f"{PREFIX}{name}" for name in "abc"] + ["team", "x/y"])
ANNOTATIONS = st.dictionaries(NAMES, st.sampled_from("12"))


@given(ANNOTATIONS, ANNOTATIONS)
def test_what_was_asked_for_is_settled_once_the_gateway_has_it(
    asked: dict[str, str], before: dict[str, str]
) -> None:
    wanted = ours(asked)
    assert is_settled(asked, told(asked, wanted, wanted))
    early = told(asked, wanted, ours(before))
    assert is_settled(asked, early) is (ours(before) == wanted)


@given(ANNOTATIONS)
def test_what_the_gateway_is_not_to_have_is_settled_once_it_has_it_not(
    asked: dict[str, str],
) -> None:
    """Finer percents that do not fit, or that a rollout stands above."""
    assert is_settled(asked, told(asked, {}, {}))
    assert is_settled(asked, told(asked, {}, ours(asked))) is True
    assert all(key.endswith(IGNORED) for key in told(asked, {}, {}))


@given(ANNOTATIONS)
def test_what_is_asked_for_no_more_is_settled_once_it_is_gone(before: dict[str, str]) -> None:
    assert is_settled({}, told({}, {}, ours(before))) is (not ours(before))
    assert is_settled(None, None)

"""Names of what is made for an object: `kmeta.ChildName`, which never exceeds 63 characters."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.meta import child_name


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("parent", "suffix", "name"),
    [
        pytest.param("hello", "-00001", "hello-00001", id="short names are put together"),
        pytest.param("x" * 57, "-00001", "x" * 57 + "-00001", id="63 characters are allowed"),
        pytest.param(
            "x" * 58, "-00001", "x" * 25 + md5("x" * 58) + "-00001", id="the parent is shortened"
        ),
        pytest.param("x" * 63, "", "x" * 63, id="no suffix"),
        pytest.param("x" * 64, "", "x" * 31 + md5("x" * 64), id="a parent that is itself too long"),
        pytest.param(
            "x" * 40,
            "-" + "y" * 30,
            "x" * 31 + md5("x" * 40 + "-" + "y" * 30),
            id="with a long suffix both are hashed",
        ),
        pytest.param(
            "hello",
            "-" + "y" * 60,
            "hello" + md5("hello-" + "y" * 60) + "-" + "y" * 25,
            id="what room is left is the suffix's",
        ),
        pytest.param(
            "x" * 29,
            "y-" + "z" * 40,
            "x" * 29 + md5("x" * 29 + "y-" + "z" * 40) + "y",
            id="a dash at the end goes",
        ),
    ],
)
def test_a_childs_name(parent: str, suffix: str, name: str) -> None:
    assert child_name(parent, suffix) == name


@given(
    st.from_regex(r"[a-z]([-a-z0-9]{0,80}[a-z0-9])?", fullmatch=True),
    st.from_regex(r"-[-a-z0-9]{0,60}[a-z0-9]", fullmatch=True),
)
def test_it_fits_and_begins_and_ends_as_a_label_may(parent: str, suffix: str) -> None:
    name = child_name(parent, suffix)
    assert len(name) <= 63
    assert name[0].isalpha()
    assert name[-1].isalnum()

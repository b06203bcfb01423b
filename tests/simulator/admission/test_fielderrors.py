"""Field errors compose their paths, merge, and are read as one text."""

from __future__ import annotations

import pytest

from simulator.admission.fielderrors import (
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_array_value,
    invalid_key_name,
    invalid_value,
    merged,
    missing_field,
    missing_one_of,
    multiple_one_of,
    out_of_bounds,
    refusals,
    render,
    via_field,
    via_field_index,
    via_index,
    via_key,
    warning,
    warnings,
)


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        (missing_field("a", "b"), "missing field(s): a, b"),
        (disallowed_fields("b", "a"), "must not set the field(s): a, b"),
        (disallowed_fields(), ""),
        (invalid_value("v", "p"), "invalid value: v: p"),
        (invalid_value("v", "p", "why"), "invalid value: v: p\nwhy"),
        (missing_one_of("a", "b"), "expected exactly one, got neither: a, b"),
        (multiple_one_of("a", "b"), "expected exactly one, got both: a, b"),
        (invalid_key_name('k"', "p"), 'invalid key name "k\\"": p'),
        (out_of_bounds(101, 0, 100, "p"), "expected 0 <= 101 <= 100: p"),
        (invalid_array_value("v", "tag", 1), "invalid value: v: tag[1]"),
        (generic("no path at all"), "no path at all: "),
        (NONE, ""),
    ],
)
def test_each_kind_of_error_has_its_words(errors: Errors, text: str) -> None:
    assert render(errors) == text


@pytest.mark.parametrize(
    ("errors", "path"),
    [
        pytest.param(
            via_field(via_field(missing_field("c"), "b"), "a"), "a.b.c", id="fields are joined"
        ),
        pytest.param(
            via_field(via_index(missing_field("x"), 0), "list"), "list[0].x", id="an index sticks"
        ),
        pytest.param(
            via_field_index(missing_field(""), "list", 2), "list[2]", id="a silent field"
        ),
        pytest.param(
            via_field(via_index(via_index(missing_field("x"), 0), 1), "l"), "l[1][0].x", id="twice"
        ),
        pytest.param(
            via_field(via_key(missing_field(""), "a.b/c"), "annotations"),
            "annotations.[a.b/c]",
            id="a key with dots stands alone",
        ),
        pytest.param(
            via_field(missing_field("a.b/c"), "annotations"), "annotations.a.b/c", id="a plain key"
        ),
    ],
)  # fmt: skip
def test_paths_compose(errors: Errors, path: str) -> None:
    assert errors[0].paths == (path,)


def test_equal_complaints_become_one_with_all_their_paths_in_order() -> None:
    errors = (
        invalid_value("z", "q")
        + missing_field("b")
        + missing_field("a", "b")
        + generic("m", "p", details="two")
        + generic("m", "o", details="one")
    )
    assert render(errors) == ("invalid value: z: q\nm: o\none\nm: p\ntwo\nmissing field(s): a, b")


def test_warnings_are_apart_from_refusals() -> None:
    errors = warning("careful", "b") + missing_field("x") + warning("careful", "a")
    assert render(refusals(errors)) == "missing field(s): x"
    assert [each.text() for each in merged(warnings(errors))] == ["careful: a, b"]

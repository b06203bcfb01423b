"""The tables of answers, read by the pure readers, cut everywhere."""

from __future__ import annotations

import pytest

from tests.conformance import responses_broken, responses_refused, responses_valid
from tests.conformance.cases import BadAnswer, GoodAnswer
from tests.conformance.test_http1_requests import cuts
from tests.support.http1_stream import read_answers


def test_every_row_has_a_name_of_its_own() -> None:
    rows = (*responses_refused.ROWS, *responses_broken.ROWS, *responses_valid.ROWS)
    assert len({row.id for row in rows}) == len(rows)


@pytest.mark.parametrize("row", responses_refused.ROWS, ids=lambda row: row.id)
def test_a_head_is_refused_wherever_it_is_cut(row: BadAnswer) -> None:
    for pieces in cuts(row.raw):
        answers, head, error = read_answers(pieces, row.method)
        assert head is None, f"{row.why}: understood as {answers}"
        assert error is not None or row.closes, f"{row.why}: waits for more"


@pytest.mark.parametrize("row", responses_broken.ROWS, ids=lambda row: row.id)
def test_a_broken_body_is_never_whole_wherever_it_is_cut(row: BadAnswer) -> None:
    for pieces in cuts(row.raw):
        answers, head, error = read_answers(pieces, row.method)
        assert head is not None
        assert not any(answer.whole for answer in answers), row.why
        assert error is not None or row.closes, f"{row.why}: waits for more"


@pytest.mark.parametrize("row", responses_valid.ROWS, ids=lambda row: row.id)
def test_a_valid_answer_means_the_same_wherever_it_is_cut(row: GoodAnswer) -> None:
    whole, head, error = read_answers((row.raw,), row.method)
    assert head is not None
    assert error is None
    assert head.keep_alive is row.reusable
    last = whole[-1]
    assert (last.start, last.body) == (row.means.start, row.means.body)
    assert last.whole is not row.closes, "only the end of the connection ends it"
    assert set(row.means.lines) <= set(last.lines)
    for pieces in cuts(row.raw):
        assert read_answers(pieces, row.method)[0] == whole

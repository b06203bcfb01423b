"""All request rows of the HTTP/1.1 tables."""

from __future__ import annotations

from tests.conformance import (
    requests_refused_chunks,
    requests_refused_fields,
    requests_refused_framing,
    requests_refused_lines,
    requests_valid,
    requests_valid_bodies,
)
from tests.conformance.cases import Refused, Valid

REFUSED: tuple[Refused, ...] = (
    *requests_refused_lines.ROWS,
    *requests_refused_fields.ROWS,
    *requests_refused_framing.ROWS,
    *requests_refused_chunks.ROWS,
)
VALID: tuple[Valid, ...] = (*requests_valid.ROWS, *requests_valid_bodies.ROWS)

"""`docs/knative-coverage.md` cannot rot: the tests that it names exist, its counts are right."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "knative-coverage.md"
STATES = ("done", "differs", "missing")

_proof = re.compile(r"(?P<path>[\w/]+\.py)::(?P<test>test_\w+)(\[(?P<row>[^]]+)\])?")


class Row(NamedTuple):
    """A rule as the page has it."""

    line: int
    rule: str
    proof: str
    state: str

    @property
    def kind(self) -> str:
        return self.state.partition(":")[0]

    @property
    def why(self) -> str:
        return self.state.partition(":")[2].strip()


@cache
def rows() -> tuple[Row, ...]:
    found = []
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("|") and not line.startswith(("| rule |", "|---")):
            cells = [cell.strip() for cell in line[1:-1].split("|")]
            assert len(cells) == 3, f"line {number}: a row has three cells"
            found.append(Row(number, *cells))
    return tuple(found)


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_rule_has_one_of_three_states() -> None:
    assert rows()
    for row in rows():
        assert row.kind in STATES, row
        assert bool(row.why) is (row.kind != "done"), row
        assert row.rule, row
        assert bool(row.proof) or row.kind != "done", row


def test_no_rule_is_told_twice() -> None:
    twice = [rule for rule, count in Counter(row.rule for row in rows()).items() if count > 1]
    assert twice == []


def test_every_test_that_is_named_exists() -> None:
    for row in rows():
        left = _proof.sub("", row.proof).strip()
        assert left == "", f"line {row.line}: {left}"
        for match in _proof.finditer(row.proof):
            assert (TESTS / match["path"]).is_file(), f"line {row.line}: no {match['path']}"
            assert match["test"] in names_in(match["path"]), f"line {row.line}: no {match[0]}"
            if match["row"]:
                text = (TESTS / match["path"]).read_text(encoding="utf-8")
                assert match["row"] in text, f"line {row.line}: no row {match['row']}"


def test_the_counts_are_those_of_the_rows() -> None:
    counts = Counter(row.kind for row in rows())
    told = f"{len(rows())} rules: " + ", ".join(f"{counts[state]} {state}" for state in STATES)
    assert f"{told}." in PAGE.read_text(encoding="utf-8"), told

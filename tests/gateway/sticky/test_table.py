"""The sessions of all workers in one file: found again, and never more than fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sticky.places import Place, Shares
from gateway.sticky.table import (
    LOCK_ATTEMPTS,
    SHARES_MAX,
    WAYS,
    Record,
    SessionTable,
    buckets_for,
    open_table,
)

KEY = bytes(range(32))
NOW, HOUR_S = 1_700_000_000, 3_600.0
V1, V2 = b"1" * 6, b"2" * 6


def note(table: SessionTable, who: str, place: Place, now_s: int = NOW) -> None:
    digest = table.digest("shop", who.encode())
    assert table.take(digest)
    table.put(digest, Record(place, 7), now_s, HOUR_S)
    table.give(digest)


def found(table: SessionTable, who: str, now_s: int = NOW) -> tuple[bytes, int, int] | None:
    record = table.find(table.digest("shop", who.encode()), now_s, HOUR_S)
    return record and (record.place.target, record.place.position, record.shares)


@pytest.fixture(params=["file", "memory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "sessions") if request.param == "file" else ""


def test_a_session_is_found_where_it_was_put_last(path: str) -> None:
    table = open_table(path, 1_000, KEY)
    assert found(table, "ann") is None
    note(table, "ann", Place(V1, 5))
    note(table, "bob", Place(V2, 6))
    note(table, "ann", Place(V2, 4_294_967_295))
    assert found(table, "ann") == (V2, 4_294_967_295, 7)
    assert found(table, "bob") == (V2, 6, 7)
    assert table.find(table.digest("blog", b"ann"), NOW, HOUR_S) is None  # another split's


def test_all_workers_and_their_successors_have_the_same_sessions(tmp_path: Path) -> None:
    path = str(tmp_path / "sessions")
    first, second = open_table(path, 1_000, KEY), open_table(path, 1_000, KEY)
    note(first, "ann", Place(V1, 5))
    assert found(second, "ann") == (V1, 5, 7)
    assert found(open_table(path, 1_000, KEY), "ann") == (V1, 5, 7)
    assert os.stat(path).st_mode & 0o077 == 0


def test_a_file_that_does_not_fit_is_made_anew_and_who_has_it_open_is_not_harmed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sessions"
    before = open_table(str(path), 1_000, KEY)
    note(before, "ann", Place(V1, 5))
    after = open_table(str(path), 2_000, KEY)
    assert found(after, "ann") is None
    assert found(before, "ann") == (V1, 5, 7)
    path.write_bytes(b"nonsense")
    assert found(open_table(str(path), 2_000, KEY), "ann") is None
    assert sorted(os.listdir(tmp_path)) == ["sessions", "sessions.lock"]


def test_nothing_of_what_a_client_sent_is_in_the_file(tmp_path: Path) -> None:
    note(open_table(str(tmp_path / "sessions"), 16, KEY), "ann@example.com", Place(V1, 5))
    assert b"ann@" not in (tmp_path / "sessions").read_bytes()


def test_a_session_that_was_idle_for_too_long_is_forgotten(path: str) -> None:
    table = open_table(path, 1_000, KEY)
    note(table, "ann", Place(V1, 5))
    assert found(table, "ann", NOW + 3_600) == (V1, 5, 7)
    assert found(table, "ann", NOW + 3_601) is None


def test_who_was_there_least_lately_makes_room(path: str) -> None:
    table = open_table(path, 8, KEY)  # one bucket
    for number in range(WAYS):
        note(table, str(number), Place(V1, number), NOW + number)
    note(table, "0", Place(V1, 0), NOW + 100)
    note(table, "one more", Place(V2, 9), NOW + 101)
    assert found(table, "0") == (V1, 0, 7)
    assert found(table, "1") is None
    assert table.forgotten == 1
    late = NOW + 3_603  # of those that are over nobody is forgotten
    note(table, "late", Place(V2, 9), late)
    assert table.forgotten == 1
    assert found(table, "one more", late) == (V2, 9, 7)


def test_as_many_sessions_as_were_asked_for_find_room_but_for_few(path: str) -> None:
    table = open_table(path, 4_096, KEY)
    for number in range(4_096):
        note(table, str(number), Place(V1, number))
    assert table.forgotten < 4_096 // 100
    kept = sum(found(table, str(number)) is not None for number in range(4_096))
    assert kept == 4_096 - table.forgotten


def test_no_number_of_clients_makes_it_grow(tmp_path: Path) -> None:
    table = open_table(str(tmp_path / "sessions"), 64, KEY)
    size = (tmp_path / "sessions").stat().st_size
    for number in range(5_000):
        note(table, str(number), Place(V1, number))
    assert (tmp_path / "sessions").stat().st_size == size
    assert table.forgotten == 5_000 - buckets_for(64) * WAYS


def test_shares_are_recalled_by_their_name_until_others_take_their_place(path: str) -> None:
    table = open_table(path, 16, KEY)
    first = Shares({V1: 9_000, V2: 1_000})
    name = table.remember(first)
    recalled = table.recall(name)
    assert recalled is not None
    assert recalled.weights == first.weights
    assert table.recall(name + SHARES_MAX) is None
    for weight in range(1, 10_000):
        if (other := table.remember(Shares({V1: weight, V2: 10_000 - weight}))) == name:
            continue
        if other % SHARES_MAX == name % SHARES_MAX:
            break
    assert table.recall(name) is None


HOLDER = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_worker_that_stands_still_with_a_bucket_holds_nobody_up(tmp_path: Path) -> None:
    path = str(tmp_path / "sessions")
    table = open_table(path, 16, KEY)
    note(table, "ann", Place(V1, 5))
    digest = table.digest("shop", b"ann")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert table.take(digest) is False
        assert found(table, "ann") == (V1, 5, 7)
        holder.kill()  # the dead hold nothing
    assert LOCK_ATTEMPTS > 1
    assert table.take(digest)
    table.give(digest)


@given(st.binary(max_size=40), st.integers(0, 2**32))
def test_a_record_that_was_torn_or_spoilt_harms_nobody(data: bytes, seed: int) -> None:
    table = open_table("", 8, KEY)
    note(table, "ann", Place(V1, 5))
    name = table.remember(Shares({V1: 10_000}))
    memory = table._memory
    at = Random(seed).randrange(len(memory) - len(data))
    memory[at : at + len(data)] = data
    found(table, "ann")
    table.recall(name)
    note(table, "bob", Place(V2, 6))
    assert found(table, "bob") == (V2, 6, 7)


def test_where_there_is_no_room_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        open_table(str(tmp_path / "none" / "sessions"), 16, KEY)

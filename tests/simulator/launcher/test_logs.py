"""The replicas' logs stay bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from simulator.launcher import logs


def test_a_log_is_its_owners_alone_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for text in (b"one\n", b"two\n"):
        descriptor = logs.open_for_append(str(path))
        os.write(descriptor, text)
        os.close(descriptor)
    assert path.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_grew_too_large_starts_anew_and_its_newest_part_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writer = logs.open_for_append(str(path))
    os.write(writer, b"old" * 10 + b"new" * 10)
    assert not logs.bound(str(path), 60)
    assert logs.bound(str(path), 30)
    os.write(writer, b"after")
    os.close(writer)
    assert path.read_bytes() == b"after"
    kept = tmp_path / "log.1"
    assert kept.read_bytes() == b"new" * 10
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_kept_is_cut_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 100)
    (tmp_path / "log.1").mkdir()
    assert logs.bound(str(path), 10)
    assert path.read_bytes() == b""


def test_the_tail_is_of_this_run_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before|" + b"run: 0123456789")
    assert logs.tail(str(path), 7, 100) == "run: 0123456789"
    assert logs.tail(str(path), 7, 4) == "6789"
    assert logs.tail(str(path), 1000, 100) == "before|run: 0123456789"
    assert logs.tail(str(tmp_path / "absent"), 0, 100) == ""


def test_a_log_is_no_way_to_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")
    (tmp_path / "log").symlink_to(secret)
    assert logs.tail(str(tmp_path / "log"), 0, 10) == ""
    logs.bound(str(tmp_path / "log"), 0)
    assert secret.read_text() == "s"

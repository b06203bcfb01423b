"""Reads the files that workers share while they are written to."""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

from gateway.metrics.layout import (
    CELL_WORDS,
    HEADER_BYTES,
    LAYOUT_VERSION,
    MAGIC,
    NAME_BYTES,
    W_CELLS,
    W_CELLS_MAX,
    W_MAGIC,
    W_PID,
    W_SEQUENCE,
    W_VERSION,
    WORD,
    cell_word,
    file_bytes,
    name_offset,
    unpacked_name,
)
from simulator.metrics.counts import FileCounts

ATTEMPTS_MAX = 200  # at reading between two flushes, of which there are ten a second
ATTEMPT_S = 0.001
_NOBODY = 2**30  # above every system's largest process id


def read_files(folder: Path, pattern: str) -> tuple[FileCounts, ...]:
    """Return what every file of that pattern says; one that is no such file is left out.

    Blocks for 0.2 s at most a file.
    """
    found = (read_file(path) for path in sorted(folder.glob(pattern)))
    return tuple(counts for counts in found if counts is not None)


def read_file(path: Path) -> FileCounts | None:
    """Return what one file says at one moment; None when it is none that can be read."""
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            if length < HEADER_BYTES or length % WORD:
                return None
            with (
                mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as data,
            ):
                return _read(data, file.fileno())
    except (OSError, ValueError):
        return None  # removed, or being made


def _read(data: memoryview, descriptor: int) -> FileCounts | None:
    with data.cast("Q") as words:
        cells_max = words[W_CELLS_MAX]
        if (words[W_MAGIC], words[W_VERSION]) != (MAGIC, LAYOUT_VERSION):
            return None
        if len(data) != file_bytes(cells_max):
            return None
        # Before the counts: who dies in between counts as alive once more.
        is_held = _is_held(descriptor)
        header, names, cells = _at_one_moment(data, words, cells_max)
    counted = {name: cells[n * CELL_WORDS : (n + 1) * CELL_WORDS] for n, name in names}
    # A successor that has locked the file and not taken it over yet is not the one that counted.
    return FileCounts(header, counted, is_held and _exists(header[W_PID]))


def _is_held(descriptor: int) -> bool:
    """Tell whether a writer holds the file's lock: it has one for as long as it lives."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _exists(pid: int) -> bool:
    """Tell whether there is a process of that id; there is none of id 0 here."""
    try:
        os.kill(pid or _NOBODY, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _at_one_moment(
    data: memoryview, words: memoryview[int], cells_max: int
) -> tuple[array[int], list[tuple[int, tuple[str, str, str]]], array[int]]:
    """Copy header, names and cells, between two flushes.

    A writer that died or was stopped in a flush leaves that flush half done: after some attempts
    that is taken as it is. No single word is ever half written.
    """
    for _ in range(ATTEMPTS_MAX):
        before = words[W_SEQUENCE]
        header = _copied(data, 0, HEADER_BYTES // WORD)
        count = min(header[W_CELLS], cells_max)
        names = bytes(data[HEADER_BYTES : name_offset(count)])
        cells = _copied(data, cell_word(0, cells_max), count * CELL_WORDS)
        if before % 2 == 0 and words[W_SEQUENCE] == before:
            break
        time.sleep(ATTEMPT_S)
    return header, list(_names(names)), cells


def _copied(data: memoryview, word: int, count: int) -> array[int]:
    return array("Q", bytes(data[word * WORD : (word + count) * WORD]))


def _names(data: bytes) -> Iterator[tuple[int, tuple[str, str, str]]]:
    for index in range(len(data) // NAME_BYTES):
        try:
            yield index, unpacked_name(data[index * NAME_BYTES : (index + 1) * NAME_BYTES])
        except ValueError:
            continue

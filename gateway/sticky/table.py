"""The sessions of all workers that are known by a header or an address: one file of fixed size.

What a client is known by is hashed with the instance's key into a bucket of WAYS records, where it
is found, or gets the place of one that expired, or of the one that was used least lately. So no
client can make it grow, nor choose whom it pushes out. Nothing of what it sent is in the file.

Two workers that see a session for the first time at once must agree: a bucket is used under a lock
of fcntl(2), which its holder's death frees. It is held for microseconds; who does not get it soon
(a holder may be stopped) reads without, and records nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import secrets
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

from gateway.sticky.places import ENTRY_BYTES, NAME_BYTES, TARGETS_MAX, Place, Shares, unpacked

WAYS: Final = 16
LOCK_ATTEMPTS: Final = 200  # each a microsecond
SHARES_MAX: Final = 256  # splits' shares that are remembered, for sessions that stand in them
_DIGEST_BYTES: Final = 16  # of a session's key: 4 choose the bucket, the others are in the record
_RECORD: Final = Struct(f"=12s{NAME_BYTES}sxxIII")  # key, target, position, shares, last use
_SHARES_HEAD: Final = Struct("=II")  # their name, how many bytes follow
_SHARES_BYTES: Final = _SHARES_HEAD.size + TARGETS_MAX * ENTRY_BYTES
_HEADER: Final = Struct("=8sII")
_HEADER_BYTES: Final = 4096
_MAGIC: Final = b"knarySES"
_VERSION: Final = 1
_SECONDS: Final = 0xFFFFFFFF
_NOBODY: Final = bytes(12)


class Record:
    """Where a session stands: its place, and the name of the shares in which it is one."""

    __slots__ = ("place", "shares")

    def __init__(self, place: Place, shares: int) -> None:
        self.place = place
        self.shares = shares


class SessionTable:
    """A mapped file, or memory of this worker's own."""

    def __init__(self, memory: mmap.mmap, sessions_max: int, key: bytes, descriptor: int) -> None:
        """`descriptor` is of the file, or -1. There is room for twice the sessions.

        So few buckets are full before there are `sessions_max` of them (0.4 %).
        """
        self._memory = memory
        self._buckets = buckets_for(sessions_max)
        self._key = key
        self._descriptor = descriptor
        self.forgotten = 0  # sessions that had to make room before they expired

    def digest(self, split: str, value: bytes) -> bytes:
        """Return what stands for a session: its split, and what its client is known by."""
        whole = b"%b\0%b" % (split.encode(), value)
        return hashlib.blake2b(whole, digest_size=_DIGEST_BYTES, key=self._key).digest()

    def take(self, digest: bytes) -> bool:
        """Keep other workers off this session's bucket until `give`; tell whether that worked."""
        if self._descriptor < 0:
            return True
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._at(digest))
            except OSError:
                continue
            return True
        return False

    def give(self, digest: bytes) -> None:
        """Let others use the bucket."""
        if self._descriptor >= 0:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._at(digest))

    def find(self, digest: bytes, now_s: int, idle_s_max: float) -> Record | None:
        """Return where the session stands; None when it is new, or was idle for too long."""
        start, key = self._at(digest), digest[4:]
        for at in range(start, start + WAYS * _RECORD.size, _RECORD.size):
            if self._memory[at : at + len(key)] != key:
                continue
            _, target, position, shares, used_s = _RECORD.unpack_from(self._memory, at)
            if now_s - used_s > idle_s_max:
                return None
            return Record(Place(target, position), shares)
        return None

    def put(self, digest: bytes, record: Record, now_s: int, idle_s_max: float) -> None:
        """Note where the session stands, and that it was there just now; who has `take`n may."""
        start, key = self._at(digest), digest[4:]
        chosen, oldest_s, is_forgetting = start, _SECONDS + 1, True
        for at in range(start, start + WAYS * _RECORD.size, _RECORD.size):
            found, _, _, _, used_s = _RECORD.unpack_from(self._memory, at)
            if found == key:
                chosen, is_forgetting = at, False
                break
            if found == _NOBODY or now_s - used_s > idle_s_max:
                used_s = -1
            if used_s < oldest_s:
                chosen, oldest_s, is_forgetting = at, used_s, used_s >= 0
        self.forgotten += is_forgetting
        place = record.place
        whole = _RECORD.pack(key, place.target, place.position, record.shares, now_s & _SECONDS)
        self._memory[chosen : chosen + _RECORD.size] = whole

    # Shares that sessions stand in outlive the split that had them, and the worker too.

    def remember(self, shares: Shares) -> int:
        """Keep the shares for sessions that stand in them; return what names them."""
        named = _named(shares.packed)
        at = _HEADER_BYTES + named % SHARES_MAX * _SHARES_BYTES
        whole = _SHARES_HEAD.pack(named, len(shares.packed)) + shares.packed
        self._memory[at : at + len(whole)] = whole
        return named

    def recall(self, named: int) -> Shares | None:
        """Return the shares of that name; None when others have taken their place since."""
        at = _HEADER_BYTES + named % SHARES_MAX * _SHARES_BYTES
        found, length = _SHARES_HEAD.unpack_from(self._memory, at)
        packed = self._memory[at + _SHARES_HEAD.size : at + _SHARES_HEAD.size + length]
        if found != named or _named(packed) != named:  # another's, or half of it yet
            return None
        return unpacked(packed)

    def _at(self, digest: bytes) -> int:
        bucket = int.from_bytes(digest[:4], "big") % self._buckets
        return _HEADER_BYTES + SHARES_MAX * _SHARES_BYTES + bucket * WAYS * _RECORD.size


def _named(packed: bytes) -> int:
    """Return 32 bits that stand for shares."""
    return int.from_bytes(hashlib.blake2b(packed, digest_size=4).digest(), "big")


def buckets_for(sessions_max: int) -> int:
    return max(1, 2 * sessions_max // WAYS)


def open_table(path: str, sessions_max: int, key: bytes) -> SessionTable:
    """Return the table in the file, made when there is none that fits; "" is memory of our own.

    Raise OSError when there is no room for it.
    """
    buckets = buckets_for(sessions_max)
    length = _HEADER_BYTES + SHARES_MAX * _SHARES_BYTES + buckets * WAYS * _RECORD.size
    if not path:
        return SessionTable(mmap.mmap(-1, length), sessions_max, key, -1)
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    header = _HEADER.pack(_MAGIC, _VERSION, buckets)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)  # of several workers that start, one makes it
        if not _fits(path, length, header):
            _make(path, length, header)
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    finally:
        os.close(descriptor)
    try:
        return SessionTable(mmap.mmap(file, length), sessions_max, key, file)
    except BaseException:
        os.close(file)
        raise


def _fits(path: str, length: int, header: bytes) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(len(header)) == header and os.fstat(file.fileno()).st_size == length
    except FileNotFoundError:
        return False


def _make(path: str, length: int, header: bytes) -> None:
    """Put an empty file in place whole: one that is mapped by somebody is never made shorter.

    All of it is on the disk: a hole would be filled at a store, and a store cannot fail.
    """
    beside = f"{path}.{secrets.token_hex(8)}"
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        written = 0
        while written < length:
            written += os.pwrite(descriptor, bytes(min(1 << 20, length - written)), written)
        os.pwrite(descriptor, header, 0)
        Path(beside).replace(path)
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            Path(beside).unlink()

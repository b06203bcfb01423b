"""The accounts of splits whose turns all workers take together, in a file that they share.

The file has places for `accounts_max` accounts, and for each of them the split's key and which
workers use it. A worker joins when its table has the split, and leaves when the table has it no
more; a place whose last user has left is given to another split. All this is done under a lock of
fcntl(2), which its holder's death frees. Turns themselves take no part in it: they need no lock
(`splitting.account`). Each worker holds a slot, by a lock again, which tells who is dead.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mmap
import os
import sys
import time
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from gateway.splitting.account import ACCOUNT_BYTES, SLOTS_MAX, Account
from gateway.words import Words

log = logging.getLogger(__name__)

LOCK_ATTEMPTS: Final = 20
LOCK_ATTEMPT_S: Final = 0.0005
_WORD: Final = 8
_MAGIC: Final = int.from_bytes(b"knaryTRN", "little")
_VERSION: Final = 1
_W_MAGIC: Final = 0
_W_VERSION: Final = 1
_W_ACCOUNTS_MAX: Final = 2
_W_FREED: Final = 3  # how many places were given back so far
_HEADER_WORDS: Final = 8
_ALIGNMENT: Final = 4096
_LOCKS: Final = 1 << 40  # offsets: of the slots' locks, and behind them the one of the places
_PLACES_LOCK: Final = _LOCKS + SLOTS_MAX


class Ledger:
    """This worker's end of the file. Raise OSError when it cannot be had."""

    def __init__(self, path: str, accounts_max: int) -> None:
        self._accounts: dict[int, Account] = {}  # by place
        self._unheld: set[int] = set()
        self._alone = 0  # turns taken by itself from accounts that this worker has left
        self._full_since = -1  # how many places had been freed when all were taken
        self._accounts_max = accounts_max
        directory = (_HEADER_WORDS + 2 * accounts_max) * _WORD
        self._begin = -(-directory // _ALIGNMENT) * _ALIGNMENT
        self._keys = _HEADER_WORDS
        self._users = _HEADER_WORDS + accounts_max
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with self._locked() as mine:
                if not mine:
                    raise OSError(f"{path} stays locked")
                self._slot = self._take_slot(path)
                self._open(path)
        except OSError:
            os.close(self._file)
            raise
        self._mine = 1 << self._slot

    @property
    def kind(self) -> str:
        """Return how turns are shared: "shared", or "shared, by a lock"."""
        return "shared" if self._shared.is_atomic() else "shared, by a lock"

    def account(self, name: str) -> Account | None:
        """Join an account; None when there is no place for it. Hold it, or it is swept away."""
        key = int.from_bytes(blake2b(name.encode(), digest_size=_WORD).digest(), "little") or 1
        with self._locked() as mine:
            if not mine:
                return None
            place = self._find(key)
            if place < 0:
                place = self._take_place(key)
            if place < 0:
                return None
            self._words[self._users + place] |= self._mine
        account = self._accounts.get(place)
        if account is None:
            account = self._accounts[place] = self._at(place)
        if not account.holders:
            self._unheld.add(place)
        return account

    def hold(self, account: Account) -> None:
        """Note that one more split takes its turns from this account."""
        account.holders += 1

    def drop(self, account: Account) -> None:
        """Note that one fewer does."""
        account.holders -= 1
        if not account.holders:
            self._unheld.add(account.place)

    def sweep(self) -> None:
        """Leave the accounts that no split takes its turns from."""
        left = [place for place in self._unheld if not self._accounts[place].holders]
        self._unheld.clear()
        if not left:
            return
        for place in left:
            account = self._accounts.pop(place)
            account.is_open = False
            self._alone += account.alone
        with self._locked() as mine:
            if mine:  # else this worker is a user of it until it ends
                for place in left:
                    self._leave(place, self._mine)

    def take_alone(self) -> int:
        """Return how many turns this worker took by itself, as others were faster too often.

        Since it was last asked.
        """
        alone, self._alone = self._alone, 0
        for account in self._accounts.values():
            alone += account.alone
            account.alone = 0
        return alone

    def close(self) -> None:
        """Leave all accounts, and give the slot back."""
        for account in self._accounts.values():
            account.is_open = False
        self._accounts.clear()
        with self._locked() as mine:
            if mine:
                self._leave_all(self._mine)
        os.close(self._file)

    # Places.

    def _open(self, path: str) -> None:
        """Map the file. The only worker begins with an empty one."""
        size = self._begin + self._accounts_max * ACCOUNT_BYTES
        alone = not any(self._is_held(slot) for slot in range(SLOTS_MAX) if slot != self._slot)
        if alone:
            os.ftruncate(self._file, 0)
        if os.fstat(self._file).st_size == 0:
            os.ftruncate(self._file, size)
            _reserve(self._file, 0, self._begin)
        elif os.fstat(self._file).st_size != size:
            raise OSError(f"{path} is of another size")
        self._memory = memoryview(mmap.mmap(self._file, size))
        self._words = self._memory.cast("Q")
        header = (_MAGIC, _VERSION, self._accounts_max)
        if alone:
            self._words[_W_MAGIC], self._words[_W_VERSION], self._words[_W_ACCOUNTS_MAX] = header
        elif tuple(self._words[_W_MAGIC:_W_FREED]) != header:
            raise OSError(f"{path} is of another layout")
        self._shared = Words(self._file, self._memory)
        self._leave_all(1 << self._slot)  # what a predecessor used that died
        self._bury()

    def _at(self, place: int) -> Account:
        offset = self._begin + place * ACCOUNT_BYTES
        return Account(place, self._shared, self._memory, offset, self._slot)

    def _find(self, key: int) -> int:
        """Return the place of a key, -1 if it has none. A search of bytes: 10 us at most."""
        wanted = key.to_bytes(_WORD, sys.byteorder)
        keys = bytes(self._memory[self._keys * _WORD : self._users * _WORD])
        at = keys.find(wanted)
        while at >= 0 and at % _WORD:
            at = keys.find(wanted, at + 1)
        return at // _WORD if at >= 0 else -1

    def _take_place(self, key: int) -> int:
        """Give a key a free place, where nothing is owed yet; -1 when there is none."""
        words = self._words
        if self._full_since == words[_W_FREED]:
            return -1
        place = self._find(0)
        if place < 0:
            log.warning(
                "all %d accounts are taken: further splits are each worker's own",
                self._accounts_max,
            )
            self._full_since = words[_W_FREED]
            return -1
        try:
            _reserve(self._file, self._begin + place * ACCOUNT_BYTES, ACCOUNT_BYTES)
        except OSError as error:
            log.warning("a split's turns are each worker's own: %s", error)
            return -1
        self._at(place).clear()
        words[self._users + place] = self._mine
        words[self._keys + place] = key  # last: whoever dies before has taken nothing
        return place

    def _leave(self, place: int, users: int) -> None:
        """Take these users from a place; without any it is free."""
        words = self._words
        left = words[self._users + place] & ~users
        words[self._users + place] = left
        if not left and words[self._keys + place]:
            words[self._keys + place] = 0
            words[_W_FREED] += 1

    def _leave_all(self, users: int) -> None:
        for place in range(self._accounts_max):
            if self._words[self._users + place] & users:
                self._leave(place, users)

    def _bury(self) -> None:
        """Leave for the dead what they used: who starts after a death sees to it."""
        others = [slot for slot in range(SLOTS_MAX) if slot != self._slot]
        dead = sum(1 << slot for slot in others if not self._is_held(slot))
        self._leave_all(dead)

    # Locks.

    def _take_slot(self, path: str) -> int:
        for slot in range(SLOTS_MAX):
            if _try_lock(self._file, _LOCKS + slot):
                return slot
        raise OSError(f"all {SLOTS_MAX} slots of {path} are taken")

    def _is_held(self, slot: int) -> bool:
        """Tell whether another process has this slot."""
        if not _try_lock(self._file, _LOCKS + slot):
            return True
        _unlock(self._file, _LOCKS + slot)
        return False

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """Have the places for oneself; false when another has them for too long."""
        for _ in range(LOCK_ATTEMPTS):
            if _try_lock(self._file, _PLACES_LOCK):
                try:
                    yield True
                finally:
                    _unlock(self._file, _PLACES_LOCK)
                return
            time.sleep(LOCK_ATTEMPT_S)  # its holder is not in the midst of a request either
        yield False


def open_ledger(path: str, accounts_max: int) -> Ledger | None:
    """Return the ledger at `path`; None without one: each worker has turns of its own then."""
    if not path:
        return None
    try:
        return Ledger(path, accounts_max)
    except OSError as error:
        log.warning("each worker has turns of its own: %s", error)
        return None


def _try_lock(descriptor: int, at: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
    except OSError:
        return False
    return True


def _unlock(descriptor: int, at: int) -> None:
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, at)


def _reserve(descriptor: int, offset: int, length: int) -> None:
    """Have these bytes, which nobody uses yet, on the disk. Raise OSError when that is full.

    A store into a hole of a full disk would be a SIGBUS.
    """
    allocate = getattr(os, "posix_fallocate", None)  # macOS has none
    if allocate is not None:
        allocate(descriptor, offset, length)
    else:
        os.pwrite(descriptor, bytes(length), offset)

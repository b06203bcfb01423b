"""What the targets of one split are owed, kept in memory that all workers share, without a lock.

A word, the head, says which of the account's records counts now. Who takes a turn reads that
record, writes what follows from it into a record of its own, and exchanges the head for one that
names this record, if the head is still what it was; else it begins again. (Herlihy, A methodology
for implementing highly concurrent data objects, ACM TOPLAS 15, 1993: "small objects".) So a turn is
taken by one instruction or not at all: whoever is killed in the midst of one stops nobody.

An account is a word's place, with room for the head alone, then two records for each slot. A worker
writes into those of its slot only, into the one that does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import Final, Protocol
from zlib import crc32

SLOTS_MAX: Final = 64  # workers at once
TARGETS_MAX: Final = 30
READ_ATTEMPTS_MAX: Final = 100  # others took a turn meanwhile, each time
HEAD_BYTES: Final = 64  # a cache line of its own
RECORD_BYTES: Final = 256
ACCOUNT_BYTES: Final = HEAD_BYTES + 2 * SLOTS_MAX * RECORD_BYTES

_WORD: Final = 8
_OWED: Final = 16  # of a record, where it begins, after the layout's number and its count
_NAMES: Final = _OWED + 4 * TARGETS_MAX
_RECORD: Final = 0xFF  # of the head: which record; the rest counts the turns
_TURN_SHIFT: Final = 8
_TURN_MASK: Final = (1 << 56) - 1
_BEGINNING: Final = Struct("@QI4x")


class SharedWords(Protocol):
    """The words of a memory, of which one is exchanged as a whole, by one worker at a time."""

    def load(self, at: int) -> int:
        """Return a word, as it is after all that was read before."""

    def exchange(self, at: int, expected: int, new: int) -> bool:
        """Replace the word if it is as expected; tell whether it was."""


class Layout:
    """Whose numbers a record has, and in which order: those of these names."""

    def __init__(self, names: Sequence[int], number: int) -> None:
        self.names = names
        self.number = number
        self.beginning = Struct(f"@QI4x{len(names)}i")
        self.tail = Struct(f"@{len(names)}I")


def layout_of(names: Sequence[str]) -> Layout:
    """Return the layout of targets by their names, at most TARGETS_MAX."""
    digest = blake2b("\0".join(names).encode(), digest_size=_WORD).digest()
    number = int.from_bytes(digest, "little") | 1  # 0: of none
    return Layout([crc32(name.encode()) for name in names], number)


class Account:
    """One split's, at this place of a ledger; `offset` is where it begins in the memory."""

    def __init__(
        self, place: int, words: SharedWords, memory: memoryview, offset: int, slot: int
    ) -> None:
        self.place = place
        self.is_open = True  # this worker may take turns from it
        self.alone = 0  # turns that this worker had to take from what it knew
        self.holders = 0  # how many splits that are in use here take theirs from it
        self._words = words
        self._memory = memory
        self._head = offset // _WORD
        self._records = offset + HEAD_BYTES
        self._even = 2 * slot
        self._named = [0, 0]  # the layouts whose names this worker's records have

    def clear(self) -> None:
        """Owe nothing to anybody, before the first turn. Only while nobody else takes turns."""
        at = self._records + self._even * RECORD_BYTES
        _BEGINNING.pack_into(self._memory, at, 0, 0)
        self._words.exchange(self._head, self._words.load(self._head), self._even)

    def head(self) -> int:
        """Return what stands for the record that counts now."""
        return self._words.load(self._head)

    def read(self, head: int, layout: Layout) -> tuple[int, ...]:
        """Return a layout's number, its count, and what is owed if that is this layout.

        It is nonsense if the head is another by now.
        """
        at = self._records + (head & _RECORD) * RECORD_BYTES
        return layout.beginning.unpack_from(self._memory, at)

    def read_layout(self, head: int) -> Layout:
        """Return the layout of the record that counts; nonsense if the head is another by now."""
        at = self._records + (head & _RECORD) * RECORD_BYTES
        number, count = _BEGINNING.unpack_from(self._memory, at)
        count = min(count, TARGETS_MAX)
        names = Struct(f"@{count}I").unpack_from(self._memory, at + _NAMES)
        return Layout(names, number)

    def layout_now(self) -> int:
        """Return the number of the layout that counts now; 0 when there is none."""
        for _ in range(READ_ATTEMPTS_MAX):
            head = self.head()
            number = self.read_layout(head).number
            if self.head() == head:
                return number
        return 0

    def replace(self, head: int, layout: Layout, owed: Sequence[int]) -> bool:
        """Let this be owed after the turn of this head; False when another took that turn."""
        odd = 1 if head & _RECORD == self._even else 0
        at = self._records + (self._even + odd) * RECORD_BYTES
        if self._named[odd] != layout.number:
            layout.tail.pack_into(self._memory, at + _NAMES, *layout.names)
            self._named[odd] = layout.number
        layout.beginning.pack_into(self._memory, at, layout.number, len(owed), *owed)
        return self._words.exchange(self._head, head, self._next(head, self._even + odd))

    def _next(self, head: int, record: int) -> int:
        return (((head >> _TURN_SHIFT) + 1) & _TURN_MASK) << _TURN_SHIFT | record


def turn_of(head: int) -> int:
    """Return how many turns were taken before this head's."""
    return head >> _TURN_SHIFT

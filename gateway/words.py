"""Words of 64 bits in a file's shared memory, of which one process at a time replaces one.

Python has no instruction for that, so a lock of fcntl(2) does it, which its holder's death frees:
about 3 us. In the compiled gateway words.c has this module's place: an instruction, and no lock.
"""

from __future__ import annotations

import fcntl
import os


class Words:
    """The words of a memory that is the mapped file of this descriptor."""

    def __init__(self, descriptor: int, memory: memoryview) -> None:
        self._descriptor = descriptor
        self._words = memory.cast("B").cast("Q")

    def is_atomic(self) -> bool:
        """Tell whether it is done without a lock."""
        return False

    def load(self, at: int) -> int:
        """Return a word: the read of what its value stands for may follow, or have come before."""
        return self._words[at]

    def exchange(self, at: int, expected: int, new: int) -> bool:
        """Replace the word if it is as expected; tell whether it was.

        A lock that another holds means that it is about to be another.
        """
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
        except OSError:
            os.sched_yield()  # its holder has a microsecond to go, if it has a processor
            return False
        found = self._words[at] == expected
        if found:
            self._words[at] = new
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, at)
        return found

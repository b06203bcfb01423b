"""How many requests a replica may have at once, over all workers: its containerConcurrency.

Workers count in a shared file. Each has a slot of it, in which it alone writes how many requests
it has on each replica, and how many wait. Who wants in takes the replica's lock, adds the slots
up, and counts itself in when there is room. A lock of fcntl(2) is freed by its holder's death,
and so is the lock that a worker holds on its slot: what the dead have counted is given back by the
next who finds no room. That costs about 4 us for each request of a limited revision, and nothing
for any other.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import random
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.native import mypyc_attr

PLACES: Final = 65_536  # one for each port; addresses that are not this machine's share them
SLOTS_MAX: Final = 64
_COUNTS: Final = PLACES * 2  # of one slot: those inside, then those that wait
_WORD: Final = 2
_SLOTS_USED: Final = SLOTS_MAX * _COUNTS  # the index of one more word: how many slots ever were
_SLOT_LOCKS: Final = 1 << 40  # offsets of the slots' locks; a place's lock is at its own number
_LIMIT: Final = 65_535
_PLACE = struct.Struct("=I")


@mypyc_attr(allow_interpreted_subclasses=True)  # tests have gates of their own
class Gate:
    """A limit that one worker keeps by itself: when there is no other."""

    def __init__(self, limit: int, inside: int = 0) -> None:
        self.limit = limit
        self._inside = inside

    def has_room(self) -> bool:
        """Tell whether `enter` may let one more in."""
        return self._inside < self.limit

    def enter(self) -> bool:
        """Let one more in, or return False."""
        if self._inside >= self.limit:
            return False
        self._inside += 1
        return True

    def leave(self) -> None:
        """Note that one is out again, and let those of other workers know."""
        self._inside -= 1

    def wait(self, change: int) -> None:
        """Note that so many more, or fewer, wait for room here."""

    def waiting_elsewhere(self) -> int:
        """Return how many wait in other workers."""
        return 0

    def bury(self) -> bool:
        """Forget what workers that died have counted; tell whether anything was."""
        return False


class SharedGate(Gate):
    """A limit that all workers keep together."""

    def __init__(self, gates: Gates, place: int, limit: int) -> None:
        super().__init__(limit)
        self._gates = gates
        self._place = place

    def has_room(self) -> bool:
        return self._gates.total(self._place) < self.limit or self._gates.bury(self._place)

    def enter(self) -> bool:
        return self._gates.enter(self._place, self.limit)

    def leave(self) -> None:
        self._gates.leave(self._place)

    def wait(self, change: int) -> None:
        self._gates.wait(self._place, change)

    def waiting_elsewhere(self) -> int:
        return self._gates.waiting_elsewhere(self._place)

    def bury(self) -> bool:
        return self._gates.bury(self._place)


class Gates:
    """This worker's slot of the shared file. Raise OSError when there is no file to be had."""

    def __init__(self, path: str, dice: random.Random) -> None:
        self._path = path
        self._dice = dice
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = (SLOTS_MAX * _COUNTS + 1) * _WORD
        if os.fstat(self._file).st_size < size:
            os.ftruncate(self._file, size)  # sparse: pages that nobody counts in cost nothing
        self._counts = memoryview(mmap.mmap(self._file, size)).cast("H")
        self._slot = self._take_slot()
        self._base = self._slot * _COUNTS
        self._counts[self._base : self._base + _COUNTS] = memoryview(bytes(_COUNTS * _WORD)).cast(
            "H"
        )
        self._on_room: Callable[[int], None] = _nobody
        self._socket = self._bind()

    def gate(self, address: str, limit: int, inside: int) -> SharedGate:
        """Return the gate before a replica that has so many requests of this worker inside."""
        place = place_of(address)
        self._counts[self._base + place] += inside
        return SharedGate(self, place, limit)

    def descriptor(self) -> int:
        """Return what is readable when another worker has made room: then call `on_readable`."""
        return self._socket.fileno()

    def listen(self, on_room: Callable[[int], None]) -> None:
        """Call `on_room` with the place where there is room now."""
        self._on_room = on_room

    def on_readable(self) -> None:
        """Take the news of other workers."""
        while True:
            try:
                data = self._socket.recv(_PLACE.size)
            except OSError:  # none is left
                return
            if len(data) == _PLACE.size:
                self._on_room(_PLACE.unpack(data)[0])

    def close(self) -> None:
        """Give the slot back."""
        self._socket.close()
        Path(self._socket_path(self._slot)).unlink(missing_ok=True)
        os.close(self._file)

    # Counting.

    def total(self, place: int) -> int:
        """Return how many requests all workers have there."""
        counts = self._counts
        return sum([counts[slot * _COUNTS + place] for slot in self._slots()])

    def enter(self, place: int, limit: int) -> bool:
        """Count one more there, or return False. A lock that another holds means: not now."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return False
        try:
            if self.total(place) >= limit:
                return False
            self._counts[self._base + place] += 1
            return True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def leave(self, place: int) -> None:
        """Count one less, and tell one of the workers in which requests wait, by their number."""
        counts = self._counts
        counts[self._base + place] -= 1
        waiting = [counts[slot * _COUNTS + PLACES + place] for slot in self._slots()]
        others = sum(waiting) - waiting[self._slot]
        if not others:
            return
        chosen = self._dice.choices(range(len(waiting)), waiting)[0]
        if chosen == self._slot:
            return  # this worker wakes its own anyway
        with contextlib.suppress(OSError):  # dead or too busy: who waits there looks again
            self._socket.sendto(_PLACE.pack(place), self._socket_path(chosen))

    def wait(self, place: int, change: int) -> None:
        """Count who waits there."""
        index = self._base + PLACES + place
        self._counts[index] = max(0, min(_LIMIT, self._counts[index] + change))

    def waiting_elsewhere(self, place: int) -> int:
        """Return how many wait there in other workers."""
        counts = self._counts
        own = counts[self._base + PLACES + place]
        return sum([counts[slot * _COUNTS + PLACES + place] for slot in self._slots()]) - own

    def bury(self, place: int) -> bool:
        """Forget what the dead have counted there; tell whether anything was."""
        buried = False
        for slot in self._slots():
            index = slot * _COUNTS + place
            counted = self._counts[index] or self._counts[index + PLACES]
            if slot != self._slot and counted and self._hold(slot):
                # Held meanwhile: what a worker that takes the slot now counts must stay.
                self._counts[index] = self._counts[index + PLACES] = 0
                self._let_go(slot)
                buried = True
        return buried

    # Slots.

    def _take_slot(self) -> int:
        """Hold the first slot that is free, and let the others know how far to look."""
        for slot in range(SLOTS_MAX):
            if self._hold(slot):
                fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _SLOT_LOCKS - 1)
                self._counts[_SLOTS_USED] = max(self._counts[_SLOTS_USED], slot + 1)
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _SLOT_LOCKS - 1)
                return slot
        raise OSError(f"all {SLOTS_MAX} slots of {self._path} are taken")

    def _hold(self, slot: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _SLOT_LOCKS + slot)
        except OSError:
            return False
        return True

    def _slots(self) -> range:
        """Return the slots that may be in use: the first ones are taken first."""
        return range(self._counts[_SLOTS_USED])

    def _let_go(self, slot: int) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _SLOT_LOCKS + slot)

    def _bind(self) -> socket.socket:
        path = self._socket_path(self._slot)
        Path(path).unlink(missing_ok=True)
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        bell.setblocking(False)
        bell.bind(path)
        return bell

    def _socket_path(self, slot: int) -> str:
        return f"{self._path}.{slot}"


def place_of(address: str) -> int:
    """Return where a replica is counted: by its port, or by a hash when it is another machine's.

    Two that share a place are limited together.
    """
    host, _, port = address.rpartition(":")
    if host.strip("[]") in ("127.0.0.1", "::1", "localhost"):
        return int(port)
    return zlib.crc32(address.encode()) % PLACES


def _nobody(place: int) -> None:
    del place

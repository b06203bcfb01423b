"""Workers that take turns together, as objects that share a memory.

One's reading and replacing of words is where others come in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from gateway.splitting.account import ACCOUNT_BYTES, HEAD_BYTES, RECORD_BYTES, Account
from gateway.splitting.credit import FULL
from gateway.splitting.splitter import make_shared


class Killed(BaseException):
    """The worker is gone, in the midst of what it did."""


class Words:
    """One worker's view of the words; `meanwhile` is called before each of its doings."""

    def __init__(self, memory: memoryview) -> None:
        self._words = memory.cast("Q")
        self.meanwhile: Callable[[], None] = lambda: None

    def load(self, at: int) -> int:
        self.meanwhile()
        return self._words[at]

    def exchange(self, at: int, expected: int, new: int) -> bool:
        self.meanwhile()
        if self._words[at] != expected:
            return False
        self._words[at] = new
        return True


class Worker:
    """A worker with a slot and a table of one split."""

    def __init__(self, memory: memoryview, slot: int, name: str, weights: dict[str, int]) -> None:
        self.words = Words(memory)
        self.account = Account(0, self.words, memory, 0, slot)
        self._random = Random(slot)
        self._name = name
        self.swap(weights)

    def swap(self, weights: dict[str, int]) -> None:
        """Have a table with these weights from now on."""
        made = make_shared(self._name, weights, {}, self._random, self.account)
        self.weights, self.splitter = weights, made

    def pick(self) -> str:
        return list(self.weights)[self.splitter.pick()]


class World:
    """What all workers together picked, and what was due by the table of whoever picked."""

    def __init__(self, name: str, weights: dict[str, int], workers: int = 1) -> None:
        self.memory = memoryview(bytearray(ACCOUNT_BYTES))
        self.name, self.weights = name, weights
        self.picked: Counter[str] = Counter()
        self.due: Counter[str] = Counter()
        self.workers = {slot: self._worker(slot) for slot in range(workers)}
        self.busy: set[int] = set()

    def _worker(self, slot: int) -> Worker:
        return Worker(self.memory, slot, self.name, self.weights)

    def join(self, slot: int) -> None:
        self.workers[slot] = self._worker(slot)

    def turn(self, slot: int) -> None:
        worker = self.workers[slot]
        self.busy.add(slot)
        try:
            target = worker.pick()
        finally:
            self.busy.discard(slot)
        self.count(worker.weights, target)

    def count(self, weights: Mapping[str, int], target: str) -> None:
        self.picked[target] += 1
        for name, weight in weights.items():
            self.due[name] += weight * FULL // sum(weights.values())

    def owed(self, slot: int) -> dict[str, int]:
        """Return what the account owes to whom, as that worker sees it."""
        worker = self.workers[slot]
        return dict(zip(worker.weights, worker.splitter.credit, strict=True))

    def lag(self) -> float:
        """Return how far any target is from its due, in requests."""
        return max(
            (abs(self.picked[name] - self.due[name] / FULL) for name in self.due), default=0.0
        )

    def scribble(self, slot: int) -> None:
        """Leave that worker's record that does not count half written, as its death may."""
        current = self.memory.cast("Q")[0] & 0xFF
        for record in (2 * slot, 2 * slot + 1):
            if record != current:
                at = HEAD_BYTES + record * RECORD_BYTES
                self.memory[at : at + RECORD_BYTES] = Random(slot).randbytes(RECORD_BYTES)

"""How far the controllers have looked at the store's changes: the number that commands wait for."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")


class Unlooked(Generic[K]):
    """The keys of one controller that a change woke and that were not looked at since."""

    def __init__(self) -> None:
        self._waiting: dict[K, int] = {}  # the first version that woke it
        self._looking: dict[K, int] = {}

    def woken(self, key: K, version: int) -> None:
        """Note that the change of this version concerns the key."""
        self._waiting.setdefault(key, version)

    def begin(self, key: K) -> None:
        """The key is looked at, as the store is from now on."""
        version = self._waiting.pop(key, None)
        if version is not None:
            self._looking[key] = version

    def end(self, key: K) -> None:
        """What the look led to is written, or is tried again without anybody waiting for it."""
        self._looking.pop(key, None)

    def repeat(self, key: K) -> None:
        """The look came to nothing, as somebody else wrote meanwhile: it is still to be done."""
        version = self._looking.pop(key, None)
        if version is not None:
            self._waiting[key] = min(version, self._waiting.get(key, version))

    @property
    def first(self) -> int | None:
        """The first version that was not looked at, None when all were."""
        versions = (*self._waiting.values(), *self._looking.values())
        return min(versions, default=None)


class Progress:
    """Up to which version of the store every controller has looked at what concerns it."""

    def __init__(self) -> None:
        self._taken = 0
        self._unlooked: list[Unlooked[object]] = []

    def follow(self, unlooked: Unlooked[object]) -> None:
        """Count this controller, too."""
        self._unlooked.append(unlooked)

    def took(self, version: int) -> None:
        """Note that the changes up to this version were given to the controllers."""
        self._taken = max(self._taken, version)

    @property
    def version(self) -> int:
        """The last version of which nothing is left to be looked at."""
        firsts = [one.first for one in self._unlooked]
        return min((first - 1 for first in firsts if first is not None), default=self._taken)

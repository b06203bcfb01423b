"""What every splitter promises. A base class, not a protocol: compiled calls go straight to it."""

from __future__ import annotations

from collections.abc import Sequence


class Splitter:
    """Turns, one after the other, to the indexes of targets."""

    __slots__ = ()

    @property
    def credit(self) -> Sequence[int]:
        """Return what each target is owed, in 1/10,000 of a request."""
        raise NotImplementedError

    def pick(self) -> int:
        """Return the index of the target that gets the next request. O(k) at most."""
        raise NotImplementedError

    def pick_for(self, key: bytes) -> int:
        """Return the index of the target of this key; one whose turns know no key has the next."""
        del key
        return self.pick()

    def pick_with_chances(self, key: bytes) -> tuple[int, list[float]]:
        """Return the pick for this key, and how likely each target was to be it."""
        chances = self.chances_for(key)
        return self.pick_for(key), chances

    def chances(self) -> list[float]:
        """Return how likely each target is to get the next request; they sum to 1."""
        raise NotImplementedError

    def chances_for(self, key: bytes) -> list[float]:
        """Return how likely each target is to get a request with this key."""
        del key
        return self.chances()


class Stateful(Splitter):
    """Turns that follow from numbers of 32 bits, and from nothing else but dice.

    `owe(owing())` changes nothing; who owes what another did goes on as that would have.
    """

    __slots__ = ()

    def owing(self) -> Sequence[int]:
        """Return the numbers: if not said otherwise, what each target is owed."""
        return self.credit

    def owe(self, numbers: Sequence[int]) -> None:
        """Go on from these numbers."""
        raise NotImplementedError

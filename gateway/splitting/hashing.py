"""`hash-ranges`: nginx's split_clients: the same key always gets the same target.

Sources: nginx `src/http/modules/ngx_http_split_clients_module.c`, and `src/core/ngx_murmurhash.c`
for Appleby's MurmurHash2 with seed 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.splitting.credit import FULL
from gateway.splitting.turns import Splitter

_HASH_MAX: Final = 0xFFFFFFFF
_FACTOR: Final = 0x5BD1E995


class HashRanges(Splitter):
    """Give each target a range of hashes, in their order; the last one has the rest.

    So the ranges of those in the middle move when a share before them changes.
    """

    __slots__ = ("_credit", "_weights", "ends")

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = weights
        self._credit = [0] * len(weights)  # a hash owes nothing
        self.ends: list[int] = []  # of all ranges but the last
        end = 0
        for weight in weights[:-1]:
            end += weight * _HASH_MAX // FULL
            self.ends.append(end)

    @property
    def credit(self) -> Sequence[int]:
        return self._credit

    def pick(self) -> int:
        """Return the target of the empty key, as nginx for a variable that is not set."""
        return self.pick_for(b"")

    def pick_for(self, key: bytes) -> int:
        """Return the index of the target that has the key's hash in its range."""
        hashed = murmur2(key)
        for i, end in enumerate(self.ends):
            if hashed < end:
                return i
        return len(self.ends)

    def chances(self) -> list[float]:
        """Return the shares, which are those of the keys."""
        return [weight / FULL for weight in self._weights]

    def chances_for(self, key: bytes) -> list[float]:
        """Return certainty for the key's target."""
        found = self.pick_for(key)
        return [float(i == found) for i in range(len(self._weights))]


def murmur2(data: bytes) -> int:
    """Return the 32 bits of MurmurHash2 with seed 0."""
    length = len(data)
    hashed = length & _HASH_MAX
    whole = length - length % 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _FACTOR & _HASH_MAX
        word = (word ^ word >> 24) * _FACTOR & _HASH_MAX
        hashed = hashed * _FACTOR & _HASH_MAX ^ word
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _HASH_MAX
    hashed = (hashed ^ hashed >> 13) * _FACTOR & _HASH_MAX
    return hashed ^ hashed >> 15

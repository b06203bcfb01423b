"""Hashes of client keys, of one key and of many: MurmurHash2, FNV-1a, and a mixer. Pure.

Sources: Appleby's MurmurHash2 with seed 0 (nginx `src/core/ngx_murmurhash.c`); Fowler, Noll, Vo's
FNV-1a with 64 bits (RFC 9923); the mixer of SplitMix64 (Steele, Lea, Flood, Fast splittable
pseudorandom number generators, OOPSLA 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.splitters.algorithms.entrant import KEY_BYTES, client_number

Words = NDArray[np.uint64]

_FNV_OFFSET, _FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
_MIX_FIRST, _MIX_SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_ALL = 0xFFFFFFFFFFFFFFFF
_MURMUR = np.uint32(0x5BD1E995)


def fnv1a(data: bytes) -> int:
    """Return 64 bits of FNV-1a."""
    hashed = _FNV_OFFSET
    for byte in data:
        hashed = (hashed ^ byte) * _FNV_PRIME & _ALL
    return hashed


def mixed(value: int) -> int:
    """Return 64 bits in which each bit of the value has a part."""
    value = (value ^ value >> 30) * _MIX_FIRST & _ALL
    value = (value ^ value >> 27) * _MIX_SECOND & _ALL
    return value ^ value >> 31


def hash64(data: bytes) -> int:
    """Return the hash that the tournament's own entrants use. FNV-1a alone mixes badly."""
    return mixed(fnv1a(data))


def client_words(seeds: Sequence[int], turns: int) -> Words:
    """Return the numbers of the clients: seeds x turns."""
    first = np.array([client_number(seed, 0) for seed in seeds], dtype=np.uint64)
    return np.add(first[:, None], np.arange(turns, dtype=np.uint64), dtype=np.uint64)


def mixed_words(values: Words) -> Words:
    """Return `mixed` of each."""
    values = (values ^ values >> np.uint64(30)) * np.uint64(_MIX_FIRST)
    values = (values ^ values >> np.uint64(27)) * np.uint64(_MIX_SECOND)
    return values ^ values >> np.uint64(31)


def client_hashes(seeds: Sequence[int], turns: int) -> Words:
    """Return `hash64` of each client's key."""
    numbers = client_words(seeds, turns)
    hashed = np.full(numbers.shape, _FNV_OFFSET, dtype=np.uint64)
    for at in range(KEY_BYTES):
        byte = numbers >> np.uint64(8 * at) & np.uint64(0xFF)
        hashed = (hashed ^ byte) * np.uint64(_FNV_PRIME)
    return mixed_words(hashed)


def client_murmurs(seeds: Sequence[int], turns: int) -> NDArray[np.uint32]:
    """Return gateway.splitting.hashing.murmur2 of each client's key, which is two words long."""
    numbers = client_words(seeds, turns)
    hashed = np.full(numbers.shape, KEY_BYTES, dtype=np.uint32)
    for shift in (0, 32):
        word = (numbers >> np.uint64(shift)).astype(np.uint32) * _MURMUR
        hashed = hashed * _MURMUR ^ (word ^ word >> np.uint32(24)) * _MURMUR
    hashed = (hashed ^ hashed >> np.uint32(13)) * _MURMUR
    return hashed ^ hashed >> np.uint32(15)

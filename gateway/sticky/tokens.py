"""A session's place as the value of a cookie, and back: signed, so that only we can say it. Pure.

The value is base64url (RFC 4648, 5; no padding) of: the version, the time of writing in seconds,
the number of the session's target among the shares, its position, the shares that it stands in,
and a MAC of all that and of what the split is called (HMAC with SHA-256, 128 bits of it). So a
value of another service, or of another instance's key, is none. It is not secret: whoever has it
can see that it is for one of two targets, but no names.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from struct import Struct
from typing import Final

from gateway.sticky.places import ENTRY_BYTES, NAME_BYTES, TARGETS_MAX, Place, Shares, unpacked

KEY_BYTES: Final = 32
_VERSION: Final = 1
_HEAD: Final = Struct(">BIBI")  # version, seconds, target, position
_MAC_BYTES: Final = 16
_BYTES_MIN: Final = _HEAD.size + ENTRY_BYTES + _MAC_BYTES
VALUE_BYTES_MAX: Final = (_HEAD.size + TARGETS_MAX * ENTRY_BYTES + _MAC_BYTES + 2) // 3 * 4
_SECONDS: Final = 0xFFFFFFFF


class Token:
    """What a value says: a place, the shares in which it is one, and when it was written."""

    __slots__ = ("_packed", "place", "written_s")

    def __init__(self, place: Place, packed: bytes, written_s: int) -> None:
        self.place = place
        self._packed = packed
        self.written_s = written_s

    def shares(self) -> Shares:
        """Return the shares; few ask for them, as most sessions stay."""
        return unpacked(self._packed)


class Signer:
    """Writes and reads the values of one split."""

    __slots__ = ("_context", "_key")

    def __init__(self, key: bytes, split: str) -> None:
        """`key` is the instance's, of KEY_BYTES; `split` is what the split is called."""
        self._key = key
        self._context = b"knary session 1\0%b\0" % split.encode()

    def name_of(self, target: str) -> bytes:
        """Return a target's name in tokens: it tells nobody else which one it is."""
        return hashlib.blake2b(target.encode(), digest_size=NAME_BYTES, key=self._key).digest()

    def written(self, place: Place, shares: Shares, now_s: int) -> bytes:
        """Return the value for a session that has this place in these shares."""
        number = list(shares.weights).index(place.target)
        head = _HEAD.pack(_VERSION, now_s & _SECONDS, number, place.position)
        told = head + shares.packed
        return urlsafe_b64encode(told + self._mac(told)).rstrip(b"=")

    def read(self, value: bytes) -> Token | None:
        """Return what the value says; None when it is not ours, or not whole."""
        if len(value) > VALUE_BYTES_MAX:
            return None
        try:
            data = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
        except (NotBase64, ValueError):
            return None
        told, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if len(data) < _BYTES_MIN or not hmac.compare_digest(mac, self._mac(told)):
            return None
        version, written_s, number, position = _HEAD.unpack_from(told)  # ours from here on
        packed = told[_HEAD.size :]
        target = packed[number * ENTRY_BYTES : number * ENTRY_BYTES + NAME_BYTES]
        if version != _VERSION or len(target) != NAME_BYTES:
            return None
        return Token(Place(target, position), packed, written_s)

    def _mac(self, told: bytes) -> bytes:
        return hmac.digest(self._key, self._context + told, "sha256")[:_MAC_BYTES]

"""Lists in pages: what was listed stays as it was until the last page is fetched.

Source: apiserver `storage/continue.go` and `storage/etcd3/errors.go` (expired tokens).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from simulator.clock import Clock
from simulator.errors import BadRequest, ContinueExpired
from simulator.resources.meta import Resource

_ID_BYTES = 12
_DIGEST_BYTES = 16
_ANEW = ""  # the snapshot of a token that goes on with what is there by then

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


class Listed(NamedTuple):
    """Objects by (namespace, name), and the version that they are of."""

    objects: Sequence[Resource]
    version: int


class Page(NamedTuple):
    """Some of a list's objects; `token` fetches the next page, "" when this is the last."""

    objects: Sequence[Resource]
    version: int
    token: str
    remaining: int


class _Snapshot(NamedTuple):
    listed: Listed
    until_s: float


class _Token(Struct, frozen=True, array_like=True):
    """What a token says: which list, which snapshot of it, from where on, after which object."""

    question: str
    snapshot: str
    offset: int
    after: tuple[str, str]


class Pages:
    """Bounded snapshots of lists under way. Objects are immutable, so a snapshot is a tuple.

    A token is signed with `secret`, and opens only the list that it was given for: one that this
    server, or an earlier one of the same secret, did not give is refused.
    """

    def __init__(
        self, clock: Clock, snapshots_max: int, snapshot_s_max: float, secret: bytes
    ) -> None:
        self._clock = clock
        self._snapshots_max = snapshots_max
        self._snapshot_s_max = snapshot_s_max
        self._secret = secret
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()

    def first(self, question: tuple[str, ...], listed: Listed, limit: int) -> Page:
        """Return the first `limit` objects (0 or less: all) of what `question` asks."""
        if limit <= 0 or len(listed.objects) <= limit:
            return Page(listed.objects, listed.version, "", 0)
        self._drop_old()
        if len(self._snapshots) >= self._snapshots_max:
            self._snapshots.popitem(last=False)
        name = secrets.token_urlsafe(_ID_BYTES)
        until_s = self._clock.monotonic() + self._snapshot_s_max
        self._snapshots[name] = _Snapshot(listed, until_s)
        return self._page(_digest(question), name, 0, limit)

    def next(
        self, question: tuple[str, ...], text: str, limit: int, now: Callable[[], Listed]
    ) -> Page:
        """Return the page that the token names; `now` lists what is there at this moment.

        Raise BadRequest, or ContinueExpired with a token that goes on without consistency.
        """
        token = self._read(text)
        if token.question != _digest(question):
            raise BadRequest("continue key is not valid: it was given for another list")
        if token.snapshot == _ANEW:
            current = now()
            rest = tuple(obj for obj in current.objects if obj.key > token.after)
            return self.first(question, Listed(rest, current.version), limit)
        self._drop_old()
        if token.snapshot not in self._snapshots:
            anew = msgspec.structs.replace(token, snapshot=_ANEW, offset=0)
            raise ContinueExpired.of(_EXPIRED, self._written(anew))
        return self._page(token.question, token.snapshot, token.offset, limit)

    def _page(self, question: str, name: str, offset: int, limit: int) -> Page:
        objects, version = self._snapshots[name].listed
        end = min(offset + limit, len(objects)) if limit > 0 else len(objects)
        remaining = len(objects) - end
        token = ""
        if remaining:
            token = self._written(_Token(question, name, end, objects[end - 1].key))
        return Page(objects[offset:end], version, token, remaining)

    def _written(self, token: _Token) -> str:
        said = msgspec.json.encode(token)
        return base64.urlsafe_b64encode(self._signature(said) + said).decode().rstrip("=")

    def _read(self, text: str) -> _Token:
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            signature, said = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
            if hmac.compare_digest(signature, self._signature(said)):
                return msgspec.json.decode(said, type=_Token)
        except (ValueError, binascii.Error, msgspec.MsgspecError):
            pass  # as one that is signed by somebody else
        raise BadRequest("continue key is not valid: it is none that this server gave")

    def _signature(self, said: bytes) -> bytes:
        return hmac.digest(self._secret, said, "sha256")[:_DIGEST_BYTES]

    def _drop_old(self) -> None:
        now_s = self._clock.monotonic()
        while self._snapshots and next(iter(self._snapshots.values())).until_s <= now_s:
            self._snapshots.popitem(last=False)


def _digest(question: tuple[str, ...]) -> str:
    """Return a short name of the question, the same in every process."""
    return hashlib.sha256("\0".join(question).encode()).hexdigest()[:16]


def secret_of(token: str) -> bytes:
    """Return what tokens of pages are signed with, made of the instance's bearer token."""
    return hmac.digest(token.encode(), b"continue", "sha256")

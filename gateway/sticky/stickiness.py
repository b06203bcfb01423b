"""Which target a request's session has: what a split with sessions asks for each request.

A session is new, keeps its target, or was moved because shares changed. Only a new one takes a turn
of the split's own splitter, so new sessions are dealt as exactly as requests are without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.contract import Split
from gateway.splitting.credit import normalised
from gateway.sticky.cookies import SEVERAL, SessionCookie
from gateway.sticky.places import TARGETS_MAX, Place, Positions, Shares, moved
from gateway.sticky.tokens import Signer

NEW: Final = 1
KEPT: Final = 2
MOVED: Final = 3
OUTCOMES: Final = ("none", "new", "kept", "moved")


class Seat:
    """Where a session's request goes: a target's index, how that came, and why.

    `cookie` is the header line that its answer carries, or b"".
    """

    __slots__ = ("because", "cookie", "index", "outcome")

    def __init__(self, index: int, outcome: int, because: str, cookie: bytes = b"") -> None:
        self.index = index
        self.outcome = outcome
        self.because = because
        self.cookie = cookie


class Stickiness:
    """The sessions of one split, known by a cookie. It holds nothing of any of them."""

    kind: str = "cookie"

    def __init__(
        self,
        row: Split,
        key: bytes,
        positions: Positions,
        idle_s_max: float,
    ) -> None:
        """`key` is the instance's; `positions` are the split's, and go on over its changes.

        A session that sends nothing for `idle_s_max` is forgotten.
        """
        self._signer = Signer(key, row.key)
        self._cookie = SessionCookie(row.sticky_name)
        shares = [share for share in row.shares if share.weight > 0]
        self._names = [self._signer.name_of(share.backend) for share in shares]
        weights = normalised([share.weight for share in shares])
        self._shares = Shares(dict(zip(self._names, weights, strict=True)))
        self._idle_s_max = idle_s_max
        self.positions = positions
        positions.keep(self._shares.weights)

    def seat(self, lines: list[bytes], now_s: int, turn: Callable[[], int]) -> Seat:
        """Return what the session of these header lines gets; `turn` is the splitter's next one.

        `now_s` is the time of day, in seconds.
        """
        value = self._cookie.value(lines)
        if not value:
            return self._new(now_s, turn, "no-cookie")
        if value == SEVERAL:
            return self._new(now_s, turn, "several-cookies")
        token = self._signer.read(value)
        if token is None:
            return self._new(now_s, turn, "not-ours")
        age_s = now_s - token.written_s
        if age_s > self._idle_s_max:
            return self._new(now_s, turn, "expired")
        place = moved(token.place, token.shares, self._shares)
        if place is None:
            return self._new(now_s, turn, "not-ours")
        index = self._names.index(place.target)
        if place.target == token.place.target:
            # Half of its time is enough: an answer with a cookie is one that caches leave alone.
            cookie = self._line(place, now_s) if age_s * 2 > self._idle_s_max else b""
            return Seat(index, KEPT, "cookie", cookie)
        gone = token.place.target not in self._shares.weights
        because = "revision-gone" if gone else "share-shrank"
        return Seat(index, MOVED, because, self._line(place, now_s))

    def _new(self, now_s: int, turn: Callable[[], int], because: str) -> Seat:
        index = turn()
        name = self._names[index]
        place = self.positions.deal(name, self._shares.weights[name])
        return Seat(index, NEW, because, self._line(place, now_s))

    def _line(self, place: Place, now_s: int) -> bytes:
        return self._cookie.line(self._signer.written(place, self._shares, now_s))


def is_possible(targets: Sequence[object]) -> bool:
    """Tell whether a split of so many targets can have sessions: with one there is no choice."""
    return 1 < len(targets) <= TARGETS_MAX
